/**
 * The administrator's S3 settings → a storage configuration or a fault. They come from the configuration options and
 * a secret, or from a related s3-integrator; never from both, because nobody could tell where backups go then.
 */
import type { StorageConfig } from '#database-backup';
import { parseS3Options } from '#object-store';
import type { TextOption } from '#ops';
import { HintError, hasErrorCode } from '#system';
import type { BackupManagerTypes } from './charm-types.ts';
import { readS3Databag, type S3Databag, type S3Offer } from './s3-relation.ts';

/** Why nothing can be stored at the moment, for status and action results. */
export interface StorageFault {
  /** `not-configured`, `configured-twice`, `secret-not-granted`, `bad-secret`, `invalid-configuration`, or an object store's code. */
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
  /** The s3-integrator related, and what it wrote. */
  readonly integrator?: { readonly name: string; readonly databag: S3Databag } | undefined;
}

const REQUIRED = ['bucket', 'credentials'] as const;
const PLAIN_OPTIONS = ['endpoint', 'region', 's3-uri-style', 'storage-class'] as const;
const ALL_OPTIONS = [...REQUIRED, ...PLAIN_OPTIONS, 'path', 'tls-ca-chain'] as const;
const SECRET_KEYS = ['access-key', 'secret-key'] as const;

/** Reads and checks everything. Never throws, and no message holds a secret. */
export function readStorageSettings(input: SettingsInput): StorageSettings {
  return input.integrator === undefined
    ? readOptions(input)
    : readRelation(input, input.integrator);
}

function readOptions(input: SettingsInput): StorageSettings {
  const { application } = input;
  const missing = REQUIRED.filter((name) => textOption(input, name) === undefined);
  if (missing.length > 0) {
    const options = missing.map((name) => (name === 'bucket' ? 'bucket=…' : `${name}=secret:…`));
    return faulty('not-configured', `S3 is not configured: ${missing.join(' and ')} missing`, {
      hint: `run: juju config ${application} ${options.join(' ')}`,
    });
  }
  const uri = textOption(input, 'credentials') ?? '';
  const keys = readCredentials(input, uri, {
    lost: `run: juju secrets, then juju config ${application} credentials=secret:…`,
    incomplete: `run: juju update-secret ${uri} access-key=… secret-key=…`,
    refused: `run: juju grant-secret ${uri} ${application}`,
    unreadable: `check it with: juju show-secret ${uri}`,
  });
  return 'fault' in keys
    ? keys
    : validated(storageConfigFrom(input, keys.content), `juju config ${application} …`);
}

function readRelation(
  input: SettingsInput,
  { name, databag }: NonNullable<SettingsInput['integrator']>,
): StorageSettings {
  const { application } = input;
  const options = ALL_OPTIONS.filter((option) => textOption(input, option) !== undefined);
  if (options.length > 0) {
    return faulty(
      'configured-twice',
      `S3 is given twice, by the relation to ${name} and by the options ${options.join(', ')}`,
      {
        hint: `run: juju config ${application} --reset ${options.join(',')}; or juju remove-relation ${name} ${application}`,
      },
    );
  }
  const offer = readS3Databag(databag);
  const keys = offeredKeys(input, name, offer);
  if ('fault' in keys) {
    return keys;
  }
  if (offer.options['bucket'] === undefined) {
    return faulty('not-configured', `${name} gives no bucket`, {
      hint: `run: juju config ${name} bucket=…`,
    });
  }
  const config = {
    ...offer.options,
    ...pathFrom(offer.path),
    ...trimmedKeys(keys.content),
  } as unknown as StorageConfig;
  return validated(config, `juju config ${name} …`);
}

function offeredKeys(input: SettingsInput, name: string, offer: S3Offer): Keys {
  const isSilent = Object.keys(offer.keys).length === 0 && offer.secret === undefined;
  if (isSilent) {
    return faulty('not-configured', `${name} has not given S3 credentials yet`, {
      hint: `see what it waits for: juju status ${name}`,
    });
  }
  if (offer.secret !== undefined) {
    const again = `run: juju remove-relation ${name} ${input.application}, then juju integrate ${name} ${input.application}`;
    return readCredentials(input, offer.secret, {
      lost: again,
      refused: again,
      unreadable: again,
      incomplete: `see juju status ${name}`,
    });
  }
  const missing = missingKeys(offer.keys);
  return missing.length === 0
    ? { content: offer.keys }
    : faulty('not-configured', `${name} gives no ${missing.join(' and no ')}`, {
        hint: `see what it waits for: juju status ${name}`,
      });
}

type Keys =
  | { readonly content: Readonly<Record<string, string>> }
  | { readonly fault: StorageFault };

/** What to do when the secret is not there, incomplete, refused, or fails in another way. */
interface SecretHints {
  readonly lost: string;
  readonly incomplete: string;
  readonly refused: string;
  readonly unreadable: string;
}

function readCredentials(input: SettingsInput, uri: string, hints: SecretHints): Keys {
  let content: Readonly<Record<string, string>>;
  try {
    content = input.readSecret(uri);
  } catch (error) {
    return secretFault(error, hints);
  }
  const missing = missingKeys(content);
  return missing.length === 0
    ? { content }
    : faulty('bad-secret', `the credentials secret has no ${missing.join(' and no ')}`, {
        hint: hints.incomplete,
      });
}

function missingKeys(content: Readonly<Record<string, string>>): readonly string[] {
  return SECRET_KEYS.filter((key) => (content[key] ?? '').trim() === '');
}

function secretFault(error: unknown, hints: SecretHints): { fault: StorageFault } {
  if (hasErrorCode(error, 'secret-permission-denied')) {
    return faulty('secret-not-granted', 'the credentials secret is not granted to this charm', {
      hint: hints.refused,
    });
  }
  if (hasErrorCode(error, 'secret-not-found')) {
    return faulty('bad-secret', 'the credentials secret does not exist, or is not granted', {
      hint: hints.lost,
    });
  }
  return faulty('bad-secret', 'the credentials secret cannot be read', { hint: hints.unreadable });
}

function storageConfigFrom(
  input: SettingsInput,
  content: Readonly<Record<string, string>>,
): StorageConfig {
  const plain = PLAIN_OPTIONS.map((name) => [name, textOption(input, name)] as const);
  const chain = textOption(input, 'tls-ca-chain');
  return {
    bucket: textOption(input, 'bucket') ?? '',
    ...trimmedKeys(content),
    ...Object.fromEntries(plain.filter(([, value]) => value !== undefined)),
    ...pathFrom(textOption(input, 'path') ?? ''),
    ...(chain === undefined ? {} : { 'tls-ca-chain': [chain] }),
  };
}

function trimmedKeys(
  content: Readonly<Record<string, string>>,
): Record<(typeof SECRET_KEYS)[number], string> {
  return {
    'access-key': (content['access-key'] ?? '').trim(),
    'secret-key': (content['secret-key'] ?? '').trim(),
  };
}

function pathFrom(text: string): { readonly path?: string } {
  const path = text.split('/').filter((part) => part !== '');
  return path.length === 0 ? {} : { path: path.join('/') };
}

/** Lets the object store judge the values, and takes the certificates over one by one as plain PEM. */
function validated(config: StorageConfig, command: string): StorageSettings {
  if (config.path?.split('/').some((part) => part === '.' || part === '..') === true) {
    return faulty('invalid-configuration', 'path must not hold "." or ".." between slashes', {
      hint: `correct it: ${command}`,
    });
  }
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
    return faulty(error.code, error.message, { hint: `${hint}: ${command}` });
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
