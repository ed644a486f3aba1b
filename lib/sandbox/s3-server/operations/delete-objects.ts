/** DeleteObject, and DeleteObjects for up to a thousand at once. */
import { CHECKSUM_ALGORITHMS } from '../protocol/checksums.ts';
import { childOf, parseXml, textOf, type XmlElement } from '../protocol/parse-xml.ts';
import { S3Error } from '../protocol/s3-error.ts';
import { type XmlChildren, xmlDocument } from '../protocol/xml.ts';
import { type Exchange, type Reply, readDocument } from './exchange.ts';
import { refuseUnknownFeatures } from './object-headers.ts';

const MAX_KEYS = 1000;

/** Deleting what is not there is a success, as in S3. */
export function deleteObject(exchange: Exchange): Reply {
  refuseUnknownFeatures(exchange.headers);
  refuseCondition(exchange);
  exchange.store.bucket(exchange.bucket).delete(exchange.key);
  return { status: 204 };
}

export async function deleteObjects(exchange: Exchange): Promise<Reply> {
  refuseUnknownFeatures(exchange.headers);
  const bucket = exchange.store.bucket(exchange.bucket);
  requireChecksum(exchange);
  const request = parseXml(await readDocument(exchange), 'Delete');
  const keys = readKeys(request);
  for (const key of keys) {
    bucket.delete(key);
  }
  const isQuiet = textOf(request, 'Quiet')?.trim() === 'true';
  const deleted: XmlChildren = isQuiet
    ? []
    : keys.map((key) => ['Deleted', [['Key', key]]] as const);
  return { status: 200, xml: xmlDocument('DeleteResult', deleted) };
}

function readKeys(request: XmlElement): string[] {
  const objects = request.children.filter(({ name }) => name === 'Object');
  if (objects.length === 0 || objects.length > MAX_KEYS) {
    throw malformed();
  }
  return objects.map((object) => {
    if (['VersionId', 'ETag', 'Size', 'LastModifiedTime'].some((name) => childOf(object, name))) {
      throw new S3Error('NotImplemented', 'Deleting by version or condition is not implemented');
    }
    const key = textOf(object, 'Key') ?? '';
    if (key === '') {
      throw malformed();
    }
    return key;
  });
}

function refuseCondition(exchange: Exchange): void {
  if (exchange.headers['if-match'] !== undefined) {
    throw new S3Error('NotImplemented', 'Conditional deletes are not implemented');
  }
}

// S3 will not act on a list of deletions that may have been damaged on its way.
function requireChecksum(exchange: Exchange): void {
  const names = [
    'content-md5',
    'x-amz-trailer',
    ...CHECKSUM_ALGORITHMS.map((name) => `x-amz-checksum-${name}`),
  ];
  if (names.every((name) => exchange.headers[name] === undefined)) {
    throw new S3Error(
      'InvalidRequest',
      'Missing required header for this request: Content-MD5 OR x-amz-checksum-*',
    );
  }
}

function malformed(): S3Error {
  return new S3Error(
    'MalformedXML',
    'The XML you provided was not well-formed or did not validate against our published schema',
  );
}
