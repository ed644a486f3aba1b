/** Opens the store a recovery reads from. */
import { readFile } from 'node:fs/promises';
import {
  createDirectoryObjectStore,
  createS3ObjectStore,
  type ObjectStore,
  parseS3Options,
} from '#object-store';
import { applicationPrefixOf, type KeyRing, openKeyRing, parseRecoveryKit } from '#snapshots';
import { HintError } from '#system';
import type { Artefact, S3Source, Source } from './options.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** The store, and how to end its connections. @throws HintError where keys or files are missing */
export async function openSource(
  source: Source,
  environment: Environment,
): Promise<{ readonly store: ObjectStore; close(): void }> {
  if (source.kind === 'directory') {
    return { store: createDirectoryObjectStore(source.directory), close: () => undefined };
  }
  const keys = await readCredentials(source, environment);
  const chain = source.caFile === undefined ? [] : [await readText(source.caFile, '--ca-file')];
  const settings = { ...source.settings, ...keys, 'tls-ca-chain': chain };
  const store = createS3ObjectStore(parseS3Options(settings));
  return { store, close: () => store.close() };
}

async function readCredentials(
  { credentialsFile }: S3Source,
  environment: Environment,
): Promise<Readonly<Record<string, string | undefined>>> {
  if (credentialsFile === undefined) {
    const keys = {
      'access-key': environment['AWS_ACCESS_KEY_ID'],
      'secret-key': environment['AWS_SECRET_ACCESS_KEY'],
    };
    return complete(keys, 'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give --credentials');
  }
  const text = await readText(credentialsFile, '--credentials');
  const valueOf = (name: string): string | undefined =>
    new RegExp(`^\\s*"?${name}"?\\s*:\\s*"?([^"\\s,]+)`, 'm').exec(text)?.[1];
  const keys = { 'access-key': valueOf('access-key'), 'secret-key': valueOf('secret-key') };
  return complete(keys, `write "access-key: …" and "secret-key: …" into ${credentialsFile}`);
}

function complete<T extends Readonly<Record<string, string | undefined>>>(
  keys: T,
  hint: string,
): T {
  const missing = Object.keys(keys).filter((name) => !keys[name]);
  if (missing.length > 0) {
    throw new HintError(`cannot log in to the storage: ${missing.join(' and ')} missing`, {
      code: 'no-credentials',
      hint,
    });
  }
  return keys;
}

/**
 * What opens an encrypted backup: the keys of a recovery kit, or those in the bucket that the passphrase opens.
 * @throws SnapshotError `wrong-key`; HintError when the file cannot be read
 */
export async function readKeys(
  { keyFile, artefactPath }: Artefact,
  store: ObjectStore,
): Promise<KeyRing | undefined> {
  if (keyFile === undefined) {
    return undefined;
  }
  const text = await readText(keyFile, '--key-file');
  const place = { store, chunkPrefix: `${applicationPrefixOf(artefactPath)}chunks/` };
  return isRecoveryKit(text) ? parseRecoveryKit(text) : await openKeyRing(place, text.trim());
}

/** Whether the text is a recovery kit rather than a passphrase. */
export function isRecoveryKit(text: string): boolean {
  return /^key [0-9a-f]{16}:/m.test(text);
}

/** @throws HintError naming the option */
export async function readText(path: string, option: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw unreadableFile(path, option, error);
  }
}

/** The error for a file named by an option that cannot be read. */
export function unreadableFile(path: string, option: string, cause: unknown): HintError {
  return new HintError(`cannot read the file of ${option}: ${path}`, {
    code: 'unreadable-file',
    hint: 'check the path and its permissions',
    cause,
  });
}
