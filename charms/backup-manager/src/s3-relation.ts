/**
 * The S3 settings an s3-integrator gives over the `s3` interface: version 0 with the keys in its databag, version 1
 * with a secret that holds them. Pure. Which version the other end speaks shows in what it writes.
 */

/** What the integrator's application wrote, as texts. */
export type S3Databag = Readonly<Record<string, string>>;

export interface S3Offer {
  /** Settings in the form of a storage configuration, without path and keys. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Prefix in the bucket, as written. */
  readonly path: string;
  /** Version 1: names the secret with the keys. */
  readonly secret?: string;
  /** Version 0: the keys themselves, as far as given. */
  readonly keys: Readonly<Record<string, string>>;
}

const TEXTS = ['bucket', 'endpoint', 'region', 's3-uri-style', 'storage-class'] as const;
const LISTS = ['tls-ca-chain', 'attributes'] as const;
const KEYS = ['access-key', 'secret-key'] as const;

/**
 * What this end writes: it asks for the keys in a secret, which an integrator of version 0 ignores, and for a bucket of
 * its own, without which one of version 0 does not answer. An integrator that has a bucket configured gives that.
 */
export function s3Request(
  application: string,
  modelUuid: string,
): Readonly<Record<string, string>> {
  const id = modelUuid.slice(0, 8);
  return {
    // Names of buckets have at most 63 characters.
    bucket: `${application.slice(0, 54)}-${id}`.toLowerCase(),
    'requested-secrets': JSON.stringify(KEYS),
  };
}

/** Reads what the other end wrote; keys that are not known are left alone. */
export function readS3Databag(databag: S3Databag): S3Offer {
  const texts = TEXTS.flatMap((name) => {
    const value = databag[name]?.trim() ?? '';
    return value === '' ? [] : [[name, value] as const];
  });
  const lists = LISTS.flatMap((name) => {
    const value = listFrom(databag[name] ?? '');
    return value.length === 0 ? [] : [[name, value] as const];
  });
  const version = Number(databag['s3-api-version']);
  const secret = databag['secret-extra']?.trim() ?? '';
  return {
    options: {
      ...Object.fromEntries([...texts, ...lists]),
      ...(version === 2 || version === 4 ? { 's3-api-version': version } : {}),
    },
    path: databag['path'] ?? '',
    keys: Object.fromEntries(KEYS.flatMap((key) => (databag[key] ? [[key, databag[key]]] : []))),
    ...(secret === '' ? {} : { secret }),
  };
}

/** Lists travel as JSON text; some ends write a single value bare. */
function listFrom(text: string): readonly string[] {
  const trimmed = text.trim();
  if (trimmed === '') {
    return [];
  }
  try {
    const value: unknown = JSON.parse(trimmed);
    return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [trimmed];
  } catch {
    return [trimmed];
  }
}
