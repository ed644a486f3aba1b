/** CompleteMultipartUpload: the parts the client names become one object. */
import { createHash } from 'node:crypto';
import { parseXml, textOf, type XmlElement } from '../protocol/parse-xml.ts';
import { S3Error } from '../protocol/s3-error.ts';
import { xmlDocument } from '../protocol/xml.ts';
import type { ObjectRecord } from '../storage/object-file.ts';
import type { Part } from '../storage/uploads.ts';
import { writeCondition } from './conditions.ts';
import { type Exchange, type Reply, readDocument } from './exchange.ts';
import { uploadOf } from './multipart.ts';

/** Every part but the last has at least so many bytes. */
const MIN_PART_BYTES = 5 * 1024 * 1024;

export async function completeMultipartUpload(exchange: Exchange): Promise<Reply> {
  const { bucket, key, store } = exchange;
  const condition = writeCondition(exchange.headers);
  const upload = uploadOf(exchange);
  const { uploads } = store.bucket(bucket);
  const request = parseXml(await readDocument(exchange), 'CompleteMultipartUpload');
  const parts = chooseParts(request, uploads.parts(upload));
  await using writer = await store.receive();
  await writer.append(uploads.concatenate(upload, parts));
  const record: ObjectRecord = {
    key,
    size: writer.size,
    etag: combinedTag(parts),
    modifiedAt: exchange.now.toISOString(),
    headers: upload.headers,
    storageClass: upload.storageClass,
  };
  await writer.seal(record);
  await store.bucket(bucket).commit(writer, record, condition);
  uploads.remove(upload);
  return {
    status: 200,
    xml: xmlDocument('CompleteMultipartUploadResult', [
      ['Location', `/${bucket}/${key}`],
      ['Bucket', bucket],
      ['Key', key],
      ['ETag', `"${record.etag}"`],
    ]),
  };
}

function chooseParts(request: XmlElement, stored: readonly Part[]): Part[] {
  const named = request.children.filter(({ name }) => name === 'Part');
  if (named.length === 0) {
    throw new S3Error('MalformedXML', 'You must specify at least one part');
  }
  const byNumber = new Map(stored.map((part) => [part.number, part]));
  const parts = named.map((element) => choosePart(element, byNumber));
  for (const [index, part] of parts.entries()) {
    const next = parts[index + 1];
    if (next !== undefined && next.number <= part.number) {
      throw new S3Error('InvalidPartOrder', 'The list of parts was not in ascending order.');
    }
    if (next !== undefined && part.size < MIN_PART_BYTES) {
      throw new S3Error(
        'EntityTooSmall',
        'Your proposed upload is smaller than the minimum allowed size',
        {
          fields: {
            ProposedSize: String(part.size),
            MinSizeAllowed: String(MIN_PART_BYTES),
            PartNumber: String(part.number),
          },
        },
      );
    }
  }
  return parts;
}

function choosePart(element: XmlElement, stored: ReadonlyMap<number, Part>): Part {
  const part = stored.get(Number(textOf(element, 'PartNumber') ?? Number.NaN));
  const etag = textOf(element, 'ETag')?.trim().replaceAll('"', '');
  if (part === undefined || etag !== part.etag || !hasStatedChecksum(element, part)) {
    throw new S3Error(
      'InvalidPart',
      "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
    );
  }
  return part;
}

function hasStatedChecksum(element: XmlElement, { checksum }: Part): boolean {
  if (checksum === undefined) {
    return true;
  }
  const stated = textOf(element, `Checksum${checksum.algorithm.toUpperCase()}`);
  return stated === undefined || stated === checksum.value;
}

function combinedTag(parts: readonly Part[]): string {
  const hash = createHash('md5');
  for (const part of parts) {
    hash.update(part.etag);
  }
  return `${hash.digest('hex')}-${parts.length}`;
}
