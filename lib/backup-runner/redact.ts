/** Takes planted and known secrets out of text that people will read. Pure. */

/** Removes secrets from a text. */
export type Redact = (text: string) => string;

// Shorter ones would tear ordinary words apart, and a secret of two letters is none.
const SHORTEST = 3;

const HARMLESS = new Set([
  'bucket',
  'path',
  'region',
  's3-uri-style',
  'storage-class',
  's3-api-version',
  'tls-ca-chain',
]);

const SECRET_NAME = /pass|secret|token|credential|key/i;

/**
 * Knows the secrets of a storage configuration (everything in it that does not say where data are) and of an
 * engine's (what is named like a secret), as they are and as they appear in URLs and JSON.
 */
export function createRedactor(storageConfig: object, engineConfig: unknown): Redact {
  const secrets = new Set([
    ...Object.entries(storageConfig).flatMap(([name, value]) => storageSecrets(name, value)),
    ...namedSecrets(engineConfig, false),
  ]);
  const spellings = [...secrets]
    .filter((secret) => secret.length >= SHORTEST)
    .flatMap((secret) => [secret, encodeURIComponent(toWellFormed(secret)), jsonText(secret)])
    .toSorted((left, right) => right.length - left.length);
  return (text) =>
    spellings.reduce((redacted, secret) => redacted.replaceAll(secret, '[redacted]'), text);
}

function storageSecrets(name: string, value: unknown): string[] {
  if (HARMLESS.has(name)) {
    return [];
  }
  return name === 'endpoint' ? userInfo(value) : strings(value);
}

function userInfo(endpoint: unknown): string[] {
  const found = typeof endpoint === 'string' ? /\/\/([^/]*)@/.exec(endpoint)?.[1] : undefined;
  return found === undefined ? [] : [found, ...found.split(':')];
}

function strings(value: unknown): string[] {
  if (typeof value === 'string') {
    return [value];
  }
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(strings) : [];
}

function namedSecrets(value: unknown, isSecret: boolean): string[] {
  if (typeof value === 'string') {
    return isSecret ? [value] : [];
  }
  if (typeof value !== 'object' || value === null) {
    return [];
  }
  return Object.entries(value).flatMap(([name, inner]) =>
    namedSecrets(inner, isSecret || SECRET_NAME.test(name)),
  );
}

function toWellFormed(text: string): string {
  return text.toWellFormed();
}

function jsonText(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}
