/** PutObject. */
import { S3Error } from '../protocol/s3-error.ts';
import type { ObjectRecord } from '../storage/object-file.ts';
import { writeCondition } from './conditions.ts';
import type { Exchange, Reply } from './exchange.ts';
import {
  entityTag,
  refuseUnknownFeatures,
  storageClassOf,
  storedHeaders,
} from './object-headers.ts';

export async function putObject(exchange: Exchange): Promise<Reply> {
  const { bucket, key, headers, store } = exchange;
  refuseUnknownFeatures(headers);
  const condition = writeCondition(headers);
  const described = { headers: storedHeaders(headers), storageClass: storageClassOf(headers) };
  // Refused early where that is known early; decided at the commit.
  condition(store.bucket(bucket).index.get(key));
  const payload = exchange.openPayload();
  await using writer = await store.receive();
  await writer.append(payload.chunks);
  const hashes = payload.hashes();
  const record: ObjectRecord = {
    key,
    size: writer.size,
    etag: entityTag(hashes),
    modifiedAt: exchange.now.toISOString(),
    ...described,
    ...(hashes.checksum === undefined ? {} : { checksum: hashes.checksum }),
  };
  await writer.seal(record);
  // The bucket may have been deleted while the body came.
  await store.bucket(bucket).commit(writer, record, condition);
  return { status: 200, headers: writtenHeaders(record) };
}

/** The headers that confirm a stored body. */
export function writtenHeaders(record: ObjectRecord): Record<string, string> {
  const { checksum, etag } = record;
  return {
    etag: `"${etag}"`,
    ...(checksum === undefined ? {} : { [`x-amz-checksum-${checksum.algorithm}`]: checksum.value }),
  };
}

/** @throws S3Error always; copying ranges into parts is not offered. */
export function refuseUploadPartCopy(): never {
  throw new S3Error('NotImplemented', 'UploadPartCopy is not implemented');
}
