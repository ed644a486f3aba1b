/** The administrator's S3 settings: configuration options and a secret → a storage configuration or a fault. */
import type { StorageConfig } from '#database-backup';
import { parseS3Options } from '#object-store';
import type { TextOption } from '#ops';
import { HintError, hasErrorCode } from '#system';
import type { BackupManagerTypes } from './charm-types.ts';

/** Why nothing can be stored at the moment, for status and action results. */
export interface StorageFault {
  /** `not-configured`, `secret-not-granted`, `bad-secret`, `invalid-configuration`, or an object store's code. */
  readonly code: string;
  readonly message: string;
  /** The next command to type. */
  readonly hint: string;
}

export type StorageSettings =
  | { readonly config: StorageConfig; readonly fault?: undefined }
  | { readonly fault: StorageFault; readonly config?: undefined };

export interface SettingsInput {
  /** Name of this application, for the commands in hints. */
  readonly application: string;
  /** A configuration option, undefined when unset. */
  option(name: TextOption<BackupManagerTypes>): string | undefined;
  /** Content of the credentials secret; what it throws becomes a fault. */
  readSecret(uri: string): Readonly<Record<string, string>>;
}

const REQUIRED = ['bucket', 'credentials'] as const;
const PLAIN_OPTIONS = ['endpoint', 'region', 's3-uri-style'] as const;
const SECRET_KEYS = ['access-key', 'secret-key'] as const;

/** Reads and checks everything. Never throws, and no message holds a secret. */
export function readStorageSettings(input: SettingsInput): StorageSettings {
  const { application } = input;
  const missing = REQUIRED.filter((name) => textOption(input, name) === undefined);
  if (missing.length > 0) {
    const options = missing.map((name) => (name === 'bucket' ? 'bucket=…' : `${name}=secret:…`));
    return faulty('not-configured', `S3 is not configured: ${missing.join(' and ')} missing`, {
      hint: `run: juju config ${application} ${options.join(' ')}`,
    });
  }
  const keys = readCredentials(input, textOption(input, 'credentials') ?? '');
  if ('fault' in keys) {
    return keys;
  }
  return validated(storageConfigFrom(input, keys.content), application);
}

function readCredentials(
  input: SettingsInput,
  uri: string,
): { readonly content: Readonly<Record<string, string>> } | { readonly fault: StorageFault } {
  let content: Readonly<Record<string, string>>;
  try {
    content = input.readSecret(uri);
  } catch (error) {
    return secretFault(error, uri, input.application);
  }
  const missing = SECRET_KEYS.filter((key) => (content[key] ?? '').trim() === '');
  if (missing.length > 0) {
    return faulty('bad-secret', `the credentials secret has no ${missing.join(' and no ')}`, {
      hint: `run: juju update-secret ${uri} access-key=… secret-key=…`,
    });
  }
  return { content };
}

function secretFault(error: unknown, uri: string, application: string): { fault: StorageFault } {
  if (hasErrorCode(error, 'secret-permission-denied')) {
    return faulty('secret-not-granted', 'the credentials secret is not granted to this charm', {
      hint: `run: juju grant-secret ${uri} ${application}`,
    });
  }
  if (hasErrorCode(error, 'secret-not-found')) {
    return faulty('bad-secret', 'the credentials secret does not exist, or is not granted', {
      hint: `run: juju secrets, then juju config ${application} credentials=secret:…`,
    });
  }
  return faulty('bad-secret', 'the credentials secret cannot be read', {
    hint: `check it with: juju show-secret ${uri}`,
  });
}

function storageConfigFrom(
  input: SettingsInput,
  content: Readonly<Record<string, string>>,
): StorageConfig {
  const plain = PLAIN_OPTIONS.map((name) => [name, textOption(input, name)] as const);
  const chain = textOption(input, 'tls-ca-chain');
  const path = (textOption(input, 'path') ?? '').split('/').filter((part) => part !== '');
  return {
    bucket: textOption(input, 'bucket') ?? '',
    'access-key': (content['access-key'] ?? '').trim(),
    'secret-key': (content['secret-key'] ?? '').trim(),
    ...Object.fromEntries(plain.filter(([, value]) => value !== undefined)),
    ...(path.length === 0 ? {} : { path: path.join('/') }),
    ...(chain === undefined ? {} : { 'tls-ca-chain': [chain] }),
  };
}

/** Lets the object store judge the values, and takes the certificates over one by one as plain PEM. */
function validated(config: StorageConfig, application: string): StorageSettings {
  try {
    const { tlsCaChain } = parseS3Options(config);
    return {
      config: tlsCaChain === undefined ? config : { ...config, 'tls-ca-chain': tlsCaChain },
    };
  } catch (error) {
    if (!(error instanceof HintError)) {
      throw error;
    }
    const { hint = 'correct it' } = error;
    return faulty(error.code, error.message, { hint: `${hint}: juju config ${application} …` });
  }
}

function textOption(
  input: SettingsInput,
  name: TextOption<BackupManagerTypes>,
): string | undefined {
  return input.option(name)?.trim() || undefined;
}

function faulty(
  code: string,
  message: string,
  options: { readonly hint: string },
): { readonly fault: StorageFault } {
  return { fault: { code, message, ...options } };
}
