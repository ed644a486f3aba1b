/** Takes the secrets out of a storage configuration, keeping it one the interface allows. */
import type { StorageConfig } from './job.ts';

/** Stands where a key was. */
export const REDACTED = 'redacted';

// What says where data are. Everything else may be a key (`attributes` holds request headers,
// among them customer-provided encryption keys) and is not repeated.
const HARMLESS = [
  'bucket',
  'path',
  'region',
  's3-uri-style',
  'storage-class',
  'tls-ca-chain',
  's3-api-version',
] as const;

/**
 * Where the data are, without the means to get at them. v0 demands `access-key` and `secret-key`
 * in a status, so both are present and say nothing.
 */
export function redactStorageConfig(config: StorageConfig): StorageConfig {
  const harmless = HARMLESS.filter((key) => config[key] !== undefined);
  return {
    ...Object.fromEntries(harmless.map((key) => [key, config[key]])),
    ...(config.endpoint === undefined ? {} : { endpoint: withoutUserInfo(config.endpoint) }),
    bucket: config.bucket,
    'access-key': REDACTED,
    'secret-key': REDACTED,
  };
}

function withoutUserInfo(endpoint: string): string {
  return endpoint.replace(/^([a-z][a-z0-9+.-]*:\/\/)?[^/]*@/i, '$1');
}
