/** CopyObject: an object from another one of this server. */
import { S3Error } from '../protocol/s3-error.ts';
import { decodeUri } from '../protocol/uri.ts';
import { xmlDocument } from '../protocol/xml.ts';
import type { ObjectRecord } from '../storage/object-file.ts';
import { writeCondition } from './conditions.ts';
import { type Exchange, headerOf, type Reply } from './exchange.ts';
import { refuseUnknownFeatures, storageClassOf, storedHeaders } from './object-headers.ts';

export async function copyObject(exchange: Exchange): Promise<Reply> {
  const { bucket, key, headers, store } = exchange;
  refuseUnknownFeatures(headers);
  const condition = writeCondition(headers);
  const source = parseSource(headerOf(exchange, 'x-amz-copy-source') ?? '');
  const isReplacing = readDirective(exchange);
  const sourceBucket = store.bucket(source.bucket);
  const original = sourceBucket.get(source.key);
  store.bucket(bucket);
  if (!isReplacing && source.bucket === bucket && source.key === key) {
    throw new S3Error(
      'InvalidRequest',
      'This copy request is illegal because it is trying to copy an object to itself without changing the metadata.',
    );
  }
  using reader = sourceBucket.openBody(source.key);
  await using writer = await store.receive();
  await writer.append(reader.range(0, original.size));
  const record: ObjectRecord = {
    ...original,
    key,
    modifiedAt: exchange.now.toISOString(),
    headers: isReplacing ? storedHeaders(headers) : original.headers,
    storageClass: storageClassOf(headers),
  };
  await writer.seal(record);
  await store.bucket(bucket).commit(writer, record, condition);
  return {
    status: 200,
    xml: xmlDocument('CopyObjectResult', [
      ['LastModified', record.modifiedAt],
      ['ETag', `"${record.etag}"`],
    ]),
  };
}

function parseSource(header: string): { bucket: string; key: string } {
  const [path = '', version] = header.replace(/^\//, '').split('?');
  if (version !== undefined) {
    throw new S3Error('NotImplemented', 'Copying from a version is not implemented');
  }
  const decoded = decodeUri(path);
  const slash = decoded.indexOf('/');
  if (slash < 1 || slash === decoded.length - 1) {
    throw new S3Error(
      'InvalidArgument',
      'Copy Source must mention the source bucket and key: sourcebucket/sourcekey',
    );
  }
  return { bucket: decoded.slice(0, slash), key: decoded.slice(slash + 1) };
}

function readDirective(exchange: Exchange): boolean {
  const directive = headerOf(exchange, 'x-amz-metadata-directive') ?? 'COPY';
  if (directive !== 'COPY' && directive !== 'REPLACE') {
    throw new S3Error('InvalidArgument', 'Unknown metadata directive.');
  }
  return directive === 'REPLACE';
}
