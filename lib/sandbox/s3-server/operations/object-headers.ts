/** The headers that are stored with an object and given back with it. */

import { randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { PayloadHashes } from '../protocol/payload.ts';
import { S3Error } from '../protocol/s3-error.ts';
import type { ObjectRecord } from '../storage/object-file.ts';

const STORED = ['cache-control', 'content-disposition', 'content-language', 'expires'] as const;
const STORAGE_CLASSES: ReadonlySet<string> = new Set([
  'STANDARD',
  'REDUCED_REDUNDANCY',
  'STANDARD_IA',
  'ONEZONE_IA',
  'INTELLIGENT_TIERING',
  'GLACIER',
  'GLACIER_IR',
  'DEEP_ARCHIVE',
  'EXPRESS_ONEZONE',
]);
/** S3's limit of names and values of user metadata together. */
const MAX_METADATA_BYTES = 2048;

/** Requests that rely on a feature we lack must not seem to succeed. */
const NOT_IMPLEMENTED = [
  'x-amz-copy-source-if-',
  'x-amz-copy-source-range',
  'x-amz-copy-source-server-side-encryption',
  'x-amz-grant-',
  'x-amz-mfa',
  'x-amz-object-lock-',
  'x-amz-server-side-encryption',
  'x-amz-tagging',
  'x-amz-website-redirect-location',
  'x-amz-write-offset-bytes',
];
const HARMLESS_ACLS: ReadonlySet<unknown> = new Set([
  undefined,
  'private',
  'bucket-owner-full-control',
  'bucket-owner-read',
]);

/** @throws S3Error NotImplemented when a header asks for what this server does not do. */
export function refuseUnknownFeatures(headers: IncomingHttpHeaders): void {
  const refused = Object.keys(headers).find((name) =>
    NOT_IMPLEMENTED.some((prefix) => name.startsWith(prefix)),
  );
  const header = refused ?? (HARMLESS_ACLS.has(headers['x-amz-acl']) ? undefined : 'x-amz-acl');
  if (header !== undefined) {
    throw new S3Error(
      'NotImplemented',
      `A header you provided implies functionality that is not implemented: ${header}`,
      { fields: { Header: header } },
    );
  }
}

/** The part of a request's headers that belongs to the object. */
export function storedHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  const metadata = Object.entries(headers).filter(([name]) => name.startsWith('x-amz-meta-'));
  const metadataBytes = metadata.reduce(
    (sum, [name, value]) => sum + name.length - 'x-amz-meta-'.length + String(value).length,
    0,
  );
  if (metadataBytes > MAX_METADATA_BYTES) {
    throw new S3Error(
      'MetadataTooLarge',
      'Your metadata headers exceed the maximum allowed metadata size',
    );
  }
  const encoding = contentEncoding(headers['content-encoding']);
  return Object.fromEntries([
    ['content-type', headers['content-type'] ?? 'binary/octet-stream'],
    ...(encoding === '' ? [] : [['content-encoding', encoding]]),
    ...STORED.flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]]])),
    ...metadata.map(([name, value]) => [name, String(value)]),
  ]) as Record<string, string>;
}

/** @throws S3Error InvalidStorageClass */
export function storageClassOf(headers: IncomingHttpHeaders): string {
  const name = headers['x-amz-storage-class'] ?? 'STANDARD';
  if (typeof name !== 'string' || !STORAGE_CLASSES.has(name)) {
    throw new S3Error('InvalidStorageClass', 'The storage class you specified is not valid');
  }
  return name;
}

/**
 * An entity tag that names these bytes. Where the client sent no MD5 we spare ourselves to compute
 * one; the dash, as in the tags of multipart uploads, tells clients not to take it for an MD5.
 */
export function entityTag(hashes: PayloadHashes): string {
  if (hashes.md5 !== undefined) {
    return hashes.md5;
  }
  return `${hashes.sha256?.slice(0, 32) ?? randomBytes(16).toString('hex')}-1`;
}

/** The headers of an answer about an object, without those of its length. */
export function describeObject(
  record: ObjectRecord,
  options: { readonly withChecksum: boolean },
): Record<string, string> {
  const { checksum } = record;
  return {
    ...record.headers,
    'accept-ranges': 'bytes',
    etag: `"${record.etag}"`,
    'last-modified': new Date(record.modifiedAt).toUTCString(),
    ...(record.storageClass === 'STANDARD' ? {} : { 'x-amz-storage-class': record.storageClass }),
    ...(checksum === undefined || !options.withChecksum
      ? {}
      : {
          [`x-amz-checksum-${checksum.algorithm}`]: checksum.value,
          'x-amz-checksum-type': 'FULL_OBJECT',
        }),
  };
}

// aws-chunked says how the body travelled, not what it is.
function contentEncoding(value: string | undefined): string {
  return (value ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '' && part.toLowerCase() !== 'aws-chunked')
    .join(', ');
}
