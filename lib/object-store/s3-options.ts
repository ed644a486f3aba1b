/** Reads the storage settings of a relation or a charm into checked options for the S3 store. */
import { X509Certificate } from 'node:crypto';
import { ObjectStoreError } from './errors.ts';

export interface S3Options {
  readonly bucket: string;
  /** URL of the server; undefined means AWS in `region`. */
  readonly endpoint?: string | undefined;
  /** `us-east-1` unless told, which servers other than AWS accept. */
  readonly region?: string | undefined;
  readonly accessKey: string;
  readonly secretKey: string;
  /** Where the keys are temporary. */
  readonly sessionToken?: string | undefined;
  /** `path`: server/bucket/key; `host`: bucket.server/key. */
  readonly uriStyle?: 'path' | 'host' | undefined;
  /** PEM certificates trusted besides those of the system. */
  readonly tlsCaChain?: readonly string[] | undefined;
  readonly storageClass?: string | undefined;
}

type Raw = Readonly<Record<string, unknown>>;

/**
 * Reads the keys of an s3 v0 databag, and `session-token`, which the interface does not know; other keys are ignored.
 * @throws ObjectStoreError `invalid-configuration` naming the key and the allowed form, never its value
 *   where that is a credential.
 */
export function parseS3Options(storageConfig: Raw): S3Options {
  const endpoint = readEndpoint(storageConfig);
  const chain = readCaChain(storageConfig);
  const region = readText(storageConfig, 'region');
  const storageClass = readStorageClass(storageConfig, endpoint);
  const sessionToken = readText(storageConfig, 'session-token');
  return {
    bucket: readBucket(storageConfig),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(region === undefined ? {} : { region }),
    accessKey: requireText(storageConfig, 'access-key'),
    secretKey: requireText(storageConfig, 'secret-key'),
    ...(sessionToken === undefined ? {} : { sessionToken }),
    uriStyle: readUriStyle(storageConfig, endpoint),
    ...(chain.length === 0 ? {} : { tlsCaChain: chain }),
    ...(storageClass === undefined ? {} : { storageClass }),
  };
}

function readBucket(raw: Raw): string {
  const bucket = requireText(raw, 'bucket');
  if (/[/\s?#]/.test(bucket)) {
    throw invalid('bucket', 'must be a bare bucket name without slashes or spaces');
  }
  return bucket;
}

function readEndpoint(raw: Raw): string | undefined {
  const text = readText(raw, 'endpoint');
  if (text === undefined) {
    return undefined;
  }
  const withScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `https://${text}`;
  const url = URL.parse(withScheme);
  if (url === null || !['http:', 'https:'].includes(url.protocol) || url.hostname === '') {
    throw invalid('endpoint', 'must be a URL such as https://s3.example.com:9000');
  }
  if (url.username !== '' || url.password !== '') {
    throw invalid('endpoint', 'must not hold credentials; use access-key and secret-key');
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}

function readUriStyle(raw: Raw, endpoint: string | undefined): 'path' | 'host' {
  const style = readText(raw, 's3-uri-style')?.toLowerCase();
  switch (style) {
    case undefined:
      return endpoint === undefined ? 'host' : 'path';
    case 'path':
      return 'path';
    case 'host':
    case 'virtual':
      return 'host';
    default:
      throw invalid('s3-uri-style', 'must be "path" or "host"');
  }
}

/** What has to be brought back from an archive first, which takes hours, is no place for backups to be read at any time. */
const ARCHIVES: readonly string[] = ['GLACIER', 'DEEP_ARCHIVE'];

function readStorageClass(raw: Raw, endpoint: string | undefined): string | undefined {
  const text = readText(raw, 'storage-class');
  if (text !== undefined && !/^[A-Za-z0-9_-]{1,64}$/.test(text)) {
    throw invalid('storage-class', 'must be the name of one, such as STANDARD_IA');
  }
  // Other servers give their classes names as they like.
  if (text !== undefined && endpoint === undefined && ARCHIVES.includes(text)) {
    throw invalid(
      'storage-class',
      'must be one whose objects can be read at once, such as STANDARD_IA or GLACIER_IR',
    );
  }
  return text;
}

const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

function readCaChain(raw: Raw): string[] {
  const value = raw['tls-ca-chain'];
  const items = typeof value === 'string' ? [value] : (value ?? []);
  if (!Array.isArray(items)) {
    throw invalid('tls-ca-chain', 'must be a list of certificates');
  }
  return items.flatMap((item: unknown) => readCertificates(item));
}

function readCertificates(item: unknown): string[] {
  if (typeof item !== 'string') {
    throw invalid('tls-ca-chain', 'must be a list of certificates');
  }
  if (item.trim() === '') {
    return [];
  }
  // The s3 interface sends PEM, or PEM wrapped in base64 so that it fits a charm's configuration.
  const text = item.includes('-----BEGIN') ? item : Buffer.from(item, 'base64').toString('utf8');
  const certificates = text.match(PEM) ?? [];
  if (certificates.length === 0 || !certificates.every(isCertificate)) {
    throw invalid('tls-ca-chain', 'must hold PEM certificates, plain or in base64');
  }
  return certificates;
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}

function requireText(raw: Raw, key: string): string {
  const text = readText(raw, key);
  if (text === undefined) {
    throw invalid(key, 'is missing');
  }
  return text;
}

function readText(raw: Raw, key: string): string | undefined {
  const value = raw[key];
  if (value === undefined || value === null) {
    return undefined;
  }
  if (typeof value !== 'string') {
    throw invalid(key, 'must be text');
  }
  return value.trim() === '' ? undefined : value.trim();
}

function invalid(key: string, problem: string): ObjectStoreError {
  return new ObjectStoreError(`cannot use the storage settings: ${key} ${problem}`, {
    code: 'invalid-configuration',
    hint: `correct ${key} in the storage settings`,
  });
}
