/**
 * The keys of an application's backups as they lie in the bucket: each wrapped with a passphrase, so that the passphrase
 * can change without any backup being touched. FORMAT.md#encryption
 */
import { randomUUID, scrypt } from 'node:crypto';
import { promisify } from 'node:util';
import { isObjectStoreError, type ObjectStore } from '#object-store';
import { type Clock, systemClock } from '#system';
import { SnapshotError } from '../errors.ts';
import { type JsonObject, parseJsonObject } from '../json.ts';
import {
  newRepositoryKey,
  type RepositoryKey,
  repositoryKeyFrom,
  SECRET_LENGTH,
  unwrap,
  wrap,
} from './repository-key.ts';

/** Keys by their ids. */
export type KeyRing = ReadonlyMap<string, RepositoryKey>;

const KEY_FORMAT = 'juju-database-backup/key';
/**
 * 32 MiB and some 0.3 s for each guess: of the settings OWASP calls equal (p = 1, 2, 3 for N = 2^17, 2^16, 2^15) the one with which an
 * action of the manager stays below 150 MiB.
 */
const SCRYPT = { N: 32_768, r: 8, p: 3 } as const;
const MAX_MEMORY = 256 * 1024 * 1024;
const MIN_PASSPHRASE = 12;

const deriveKey = promisify<string, Buffer, number, object, Buffer>(scrypt);

/** One passphrase, or several where it is being changed: the first is the one that counts, the others open as well. */
export type Passphrases = string | readonly string[];

interface Place {
  readonly store: ObjectStore;
  /** From `chunkPrefixFor`. */
  readonly chunkPrefix: string;
  readonly signal?: AbortSignal | undefined;
}

interface KeyFile {
  readonly object: string;
  readonly keyId: string;
  readonly madeAt: string;
  readonly cost: { readonly N: number; readonly r: number; readonly p: number };
  readonly salt: Buffer;
  readonly wrapped: Buffer;
}

/**
 * Every key the passphrase opens.
 * @throws SnapshotError `wrong-key` when there are keys and it opens none
 */
export async function openKeyRing(place: Place, passphrases: Passphrases): Promise<KeyRing> {
  return new Map((await openAll(place, passphrases)).map(({ key }) => [key.keyId, key]));
}

/**
 * The key new backups are to use, made where there is none yet.
 * @throws SnapshotError `wrong-key` when there are keys and the passphrase opens none, `weak-key` when it is too short
 */
export async function ensureKey(
  place: Place,
  passphrases: Passphrases,
  clock: Clock = systemClock,
): Promise<{ readonly ring: KeyRing; readonly current: RepositoryKey }> {
  const opened = await openAll(place, passphrases);
  if (opened.length === 0) {
    await addKey(place, firstOf(passphrases), clock);
    return await ensureKey(place, passphrases, clock);
  }
  const newest = opened.toSorted((left, right) => compare(left.file, right.file)).at(-1);
  if (newest === undefined) {
    throw new Error('a list that is not empty has a last item');
  }
  return { ring: new Map(opened.map(({ key }) => [key.keyId, key])), current: newest.key };
}

/** Backups from now on use a new key, and share no chunk with earlier ones, which stay readable. */
export async function rotateKey(
  place: Place,
  passphrases: Passphrases,
  clock: Clock = systemClock,
): Promise<RepositoryKey> {
  await ensureKey(place, passphrases, clock);
  return await addKey(place, firstOf(passphrases), clock);
}

/**
 * Every key that the new passphrase does not open yet is wrapped anew, and the old wrappings are removed once the new
 * ones were read back. Broken off, it can be done again.
 * @returns how many keys are wrapped anew
 * @throws SnapshotError `wrong-key` when neither passphrase opens any, `weak-key`
 */
export async function changePassphrase(
  place: Place,
  { from, to }: { readonly from: string; readonly to: string },
): Promise<number> {
  const opened = await openAll(place, [to, from]);
  const ring = new Set(
    opened.filter(({ passphrase }) => passphrase === to).map(({ key }) => key.keyId),
  );
  const outdated = opened.filter(({ passphrase }) => passphrase !== to);
  const missing = outdated.filter(({ key }) => !ring.has(key.keyId));
  for (const { file, key } of missing) {
    await writeKey(place, key, to, file.madeAt);
  }
  if (outdated.length > 0) {
    const now = await openKeyRing(place, to);
    const done = outdated.filter(({ key }) => now.has(key.keyId));
    await place.store.delete(
      done.map(({ file }) => file.object),
      { signal: place.signal },
    );
  }
  return missing.length;
}

/** @throws SnapshotError `weak-key` when it is too short to encrypt with */
export function assertStrong(passphrase: string): void {
  if (passphrase.length < MIN_PASSPHRASE) {
    throw new SnapshotError(
      `cannot encrypt with this passphrase: it has fewer than ${MIN_PASSPHRASE} characters`,
      {
        code: 'weak-key',
        hint: 'use a long random one, for example from: openssl rand -base64 32',
      },
    );
  }
}

/** Where the keys of the backups lie whose packs lie there. */
function keyPrefix(chunkPrefix: string): string {
  return `${chunkPrefix.replace(/[^/]+\/$/, '')}keys/`;
}

interface OpenedKey {
  readonly file: KeyFile;
  readonly key: RepositoryKey;
  readonly passphrase: string;
}

async function openAll(place: Place, passphrases: Passphrases): Promise<readonly OpenedKey[]> {
  const files = await readKeyFiles(place);
  const opened: OpenedKey[] = [];
  for (const file of files) {
    const found = await openWithAny(file, passphrases);
    opened.push(...(found === undefined ? [] : [found]));
  }
  if (files.length > 0 && opened.length === 0) {
    throw new SnapshotError(
      `cannot open the encryption keys in ${JSON.stringify(keyPrefix(place.chunkPrefix))}: the passphrase is another one`,
      {
        code: 'wrong-key',
        hint: 'use the passphrase the backups were made with; to have another one, give both and change it',
      },
    );
  }
  return opened;
}

async function addKey(place: Place, passphrase: string, clock: Clock): Promise<RepositoryKey> {
  const key = newRepositoryKey();
  await writeKey(place, key, passphrase, clock.now().toISOString());
  return key;
}

async function writeKey(
  { store, chunkPrefix, signal }: Place,
  key: RepositoryKey,
  passphrase: string,
  madeAt: string,
): Promise<void> {
  assertStrong(passphrase);
  const salt = Buffer.from(randomUUID().replaceAll('-', ''), 'hex');
  const wrappingKey = await deriveKey(passphrase, salt, SECRET_LENGTH, scryptOptions(SCRYPT));
  const content = {
    format: KEY_FORMAT,
    version: 1,
    'key-id': key.keyId,
    'made-at': madeAt,
    kdf: { name: 'scrypt', n: SCRYPT.N, r: SCRYPT.r, p: SCRYPT.p, salt: salt.toString('base64') },
    wrapped: wrap(key.exportSecret(), wrappingKey, contextOf(key.keyId)).toString('base64'),
  };
  const object = `${keyPrefix(chunkPrefix)}${key.keyId}-${randomUUID()}.json`;
  await store.put(object, Buffer.from(`${JSON.stringify(content, undefined, 2)}\n`), { signal });
}

async function readKeyFiles(place: Place): Promise<readonly KeyFile[]> {
  const { store, chunkPrefix, signal } = place;
  const files: KeyFile[] = [];
  for await (const { key } of store.list(keyPrefix(chunkPrefix), { signal })) {
    const file = await readKeyFile(place, key);
    files.push(...(file === undefined ? [] : [file]));
  }
  return files;
}

async function readKeyFile(place: Place, object: string): Promise<KeyFile | undefined> {
  try {
    const data = await place.store.get(object, { signal: place.signal });
    const json = parseJsonObject(Buffer.from(data).toString('utf8'));
    return json === undefined ? undefined : toKeyFile(object, json);
  } catch (error) {
    if (isObjectStoreError(error, 'not-found')) {
      return undefined;
    }
    throw error;
  }
}

function toKeyFile(object: string, json: JsonObject): KeyFile | undefined {
  const kdf = (json['kdf'] ?? {}) as JsonObject;
  const numbers = [kdf['n'], kdf['r'], kdf['p']];
  const texts = [json['key-id'], json['made-at'], kdf['salt'], json['wrapped']];
  const valid =
    json['format'] === KEY_FORMAT &&
    kdf['name'] === 'scrypt' &&
    numbers.every((it) => Number.isSafeInteger(it)) &&
    texts.every((it) => typeof it === 'string');
  return valid
    ? {
        object,
        keyId: String(json['key-id']),
        madeAt: String(json['made-at']),
        cost: { N: Number(kdf['n']), r: Number(kdf['r']), p: Number(kdf['p']) },
        salt: Buffer.from(String(kdf['salt']), 'base64'),
        wrapped: Buffer.from(String(json['wrapped']), 'base64'),
      }
    : undefined;
}

function firstOf(passphrases: Passphrases): string {
  return typeof passphrases === 'string' ? passphrases : (passphrases[0] ?? '');
}

async function openWithAny(
  file: KeyFile,
  passphrases: Passphrases,
): Promise<OpenedKey | undefined> {
  for (const passphrase of typeof passphrases === 'string' ? [passphrases] : passphrases) {
    const key = await openKey(file, passphrase);
    if (key !== undefined) {
      return { file, key, passphrase };
    }
  }
  return undefined;
}

async function openKey(file: KeyFile, passphrase: string): Promise<RepositoryKey | undefined> {
  try {
    const options = scryptOptions(file.cost);
    const wrappingKey = await deriveKey(passphrase, file.salt, SECRET_LENGTH, options);
    const key = repositoryKeyFrom(unwrap(file.wrapped, wrappingKey, contextOf(file.keyId)));
    return key.keyId === file.keyId ? key : undefined;
  } catch {
    return undefined;
  }
}

function scryptOptions(cost: KeyFile['cost']): object {
  return { ...cost, maxmem: MAX_MEMORY };
}

function contextOf(keyId: string): string {
  return `key:${keyId}`;
}

function compare(left: KeyFile, right: KeyFile): number {
  const [one, other] = [`${left.madeAt} ${left.keyId}`, `${right.madeAt} ${right.keyId}`];
  return one < other ? -1 : 1;
}
