/** Multipart uploads: their start, parts and abort. Completion is in complete-upload.ts. */
import { S3Error } from '../protocol/s3-error.ts';
import { xmlDocument } from '../protocol/xml.ts';
import type { ObjectRecord } from '../storage/object-file.ts';
import type { Upload } from '../storage/uploads.ts';
import type { Exchange, Reply } from './exchange.ts';
import {
  entityTag,
  refuseUnknownFeatures,
  storageClassOf,
  storedHeaders,
} from './object-headers.ts';
import { writtenHeaders } from './put-object.ts';

const MAX_PART_NUMBER = 10_000;

export async function createMultipartUpload(exchange: Exchange): Promise<Reply> {
  const { bucket, key, headers, store } = exchange;
  refuseUnknownFeatures(headers);
  const upload = await store.bucket(bucket).uploads.create({
    key,
    initiatedAt: exchange.now.toISOString(),
    headers: storedHeaders(headers),
    storageClass: storageClassOf(headers),
  });
  return {
    status: 200,
    xml: xmlDocument('InitiateMultipartUploadResult', [
      ['Bucket', bucket],
      ['Key', key],
      ['UploadId', upload.id],
    ]),
  };
}

export async function uploadPart(exchange: Exchange): Promise<Reply> {
  refuseUnknownFeatures(exchange.headers);
  const upload = uploadOf(exchange);
  const number = readPartNumber(exchange);
  const payload = exchange.openPayload();
  await using writer = await exchange.store.receive();
  await writer.append(payload.chunks);
  const hashes = payload.hashes();
  const record: ObjectRecord = {
    key: upload.key,
    size: writer.size,
    etag: entityTag(hashes),
    modifiedAt: exchange.now.toISOString(),
    headers: {},
    storageClass: upload.storageClass,
    ...(hashes.checksum === undefined ? {} : { checksum: hashes.checksum }),
  };
  await writer.seal(record);
  await exchange.store.bucket(exchange.bucket).uploads.commitPart(writer, upload, number);
  return { status: 200, headers: writtenHeaders(record) };
}

export function abortMultipartUpload(exchange: Exchange): Reply {
  const upload = uploadOf(exchange);
  exchange.store.bucket(exchange.bucket).uploads.remove(upload);
  return { status: 204 };
}

/** @throws S3Error NoSuchUpload */
export function uploadOf(exchange: Exchange): Upload {
  const { uploads } = exchange.store.bucket(exchange.bucket);
  return uploads.get(exchange.query.get('uploadId') ?? '', exchange.key);
}

function readPartNumber(exchange: Exchange): number {
  const text = exchange.query.get('partNumber') ?? '';
  const number = Number(text);
  if (!/^\d{1,5}$/.test(text) || number < 1 || number > MAX_PART_NUMBER) {
    throw new S3Error(
      'InvalidArgument',
      `Part number must be an integer between 1 and ${MAX_PART_NUMBER}, inclusive`,
      { fields: { ArgumentName: 'partNumber', ArgumentValue: text } },
    );
  }
  return number;
}
