/** Names in URLs: what the path and the query of a request stand for, and how S3 writes them. */
import { S3Error } from './s3-error.ts';

export type QueryParameter = readonly [name: string, value: string];

export interface Target {
  /** The decoded path, as the signature covers it. */
  readonly path: string;
  readonly bucket: string | undefined;
  readonly key: string | undefined;
  readonly query: readonly QueryParameter[];
}

/** S3 measures keys in bytes of UTF-8. */
const MAX_KEY_BYTES = 1024;

/** The bucket that a `Host` header names in host style, `BUCKET.DOMAIN`; undefined in path style. */
export function bucketOfHost(
  host: string | undefined,
  domain: string | undefined,
): string | undefined {
  const name = host?.replace(/:\d+$/, '').toLowerCase();
  return domain !== undefined && name?.endsWith(`.${domain}`) === true
    ? name.slice(0, -domain.length - 1)
    : undefined;
}

/**
 * Splits a request target; nothing in it is normalised, as keys may hold `..` or `//`.
 * @param hostBucket the bucket in host style, where the path holds the key alone
 */
export function parseTarget(url: string, hostBucket?: string): Target {
  const mark = url.indexOf('?');
  const path = decodeUri(mark === -1 ? url : url.slice(0, mark));
  const { bucket, key } =
    hostBucket === undefined ? splitPath(path) : { bucket: hostBucket, key: path.slice(1) };
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) {
    throw new S3Error('KeyTooLongError', 'Your key is too long', {
      fields: { MaxSizeAllowed: String(MAX_KEY_BYTES), Size: String(Buffer.byteLength(key)) },
    });
  }
  return {
    path,
    bucket: bucket === '' ? undefined : bucket,
    key: key === '' ? undefined : key,
    query: mark === -1 ? [] : parseQuery(url.slice(mark + 1)),
  };
}

function splitPath(path: string): { readonly bucket: string; readonly key: string } {
  const slash = path.indexOf('/', 1);
  return {
    bucket: path.slice(1, slash === -1 ? undefined : slash),
    key: slash === -1 ? '' : path.slice(slash + 1),
  };
}

/** Percent-encodes everything but unreserved characters (RFC 3986), as signatures and lists want it. */
export function encodeUri(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** The same for a path: slashes stay. */
export function encodePath(path: string): string {
  return encodeUri(path).replaceAll('%2F', '/');
}

/** @throws S3Error InvalidURI for a broken escape or bytes that are no UTF-8. */
export function decodeUri(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    throw new S3Error('InvalidURI', "Couldn't parse the specified URI.", { cause: error });
  }
}

function parseQuery(text: string): QueryParameter[] {
  return text
    .split('&')
    .filter((part) => part !== '')
    .map((part) => {
      const equals = part.indexOf('=');
      const name = equals === -1 ? part : part.slice(0, equals);
      const value = equals === -1 ? '' : part.slice(equals + 1);
      return [decodeQuery(name), decodeQuery(value)];
    });
}

function decodeQuery(text: string): string {
  return decodeUri(text.replaceAll('+', ' '));
}
