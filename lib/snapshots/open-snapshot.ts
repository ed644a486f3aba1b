/** Opens a snapshot for reading, or says exactly what lies at the path instead. */
import { isObjectStoreError, type ObjectStore } from '#object-store';
import { applicationPrefixOf, normaliseArtefactPath } from './artefact-path.ts';
import { type Coding, PLAIN_CODING } from './coding.ts';
import { type KeyRing, openKeyRing, type Passphrases } from './crypto/key-ring.ts';
import { SnapshotError } from './errors.ts';
import { MANIFEST_OBJECT, STARTED_OBJECT } from './format.ts';
import { DELETED_MANIFEST } from './life/marks.ts';
import { assertAuthentic, decodeManifest } from './manifest.ts';
import { SnapshotReader } from './snapshot-reader.ts';
import type { Snapshot, SnapshotManifest } from './types.ts';

export interface OpenOptions {
  readonly signal?: AbortSignal | undefined;
  /** From `openKeyRing` or `parseRecoveryKit`; needed where the snapshot is encrypted. */
  readonly keys?: KeyRing | undefined;
}

/**
 * Reads the manifest only. The artefact path may come with or without slashes around it.
 * @throws SnapshotError `not-found`, `deleted`, `incomplete`, `not-a-backup`, `newer-format`, `damaged`, `invalid-path`
 */
export async function openSnapshot(
  store: ObjectStore,
  artefactPath: string,
  options: OpenOptions = {},
): Promise<Snapshot> {
  const path = normaliseArtefactPath(artefactPath);
  const manifest = await loadManifest(store, path, options);
  const coding = codingFor(path, manifest, options.keys);
  return new SnapshotReader({ store, artefactPath: path, manifest, coding });
}

/** What the manifest says, readable without a key; with one it is proved authentic. @throws what openSnapshot throws */
export async function readManifest(
  store: ObjectStore,
  artefactPath: string,
  options: OpenOptions = {},
): Promise<{ readonly artefactPath: string; readonly manifest: SnapshotManifest }> {
  const path = normaliseArtefactPath(artefactPath);
  return { artefactPath: path, manifest: await loadManifest(store, path, options) };
}

/**
 * The keys in the bucket that open this snapshot and others of its application; undefined where it is not encrypted.
 * @throws SnapshotError `key-needed` where there is no passphrase, `wrong-key`, and what openSnapshot throws
 */
export async function keysFor(
  store: ObjectStore,
  artefactPath: string,
  passphrases: Passphrases | undefined,
  options: Pick<OpenOptions, 'signal'> = {},
): Promise<KeyRing | undefined> {
  const { artefactPath: path, manifest } = await readManifest(store, artefactPath, options);
  if (manifest.keyId === undefined) {
    return undefined;
  }
  const chunkPrefix = `${applicationPrefixOf(path)}chunks/`;
  const isGiven = passphrases !== undefined && passphrases.length > 0;
  const keys = isGiven
    ? await openKeyRing({ store, chunkPrefix, ...options }, passphrases)
    : new Map();
  codingFor(path, manifest, keys);
  return keys;
}

/** How a snapshot is to be read. @throws SnapshotError `key-needed` or `wrong-key` */
export function codingFor(
  artefactPath: string,
  { keyId, chunkIds }: SnapshotManifest,
  keys: KeyRing | undefined,
): Coding {
  const coding = keyId === undefined ? PLAIN_CODING : keys?.get(keyId);
  if (coding === undefined) {
    const isMissing = keys === undefined || keys.size === 0;
    throw new SnapshotError(
      `cannot read backup ${JSON.stringify(artefactPath)}: it is encrypted with key ${keyId ?? ''}, ${isMissing ? 'and no key was given' : 'which is not among those given'}`,
      {
        code: isMissing ? 'key-needed' : 'wrong-key',
        hint: 'give the passphrase the backup was made with, or its recovery kit',
        artefactPath,
      },
    );
  }
  return coding.withChunkIds(chunkIds);
}

/** The manifest of the snapshot at a normalised artefact path; where its key is given, proved to be written with it. */
export async function loadManifest(
  store: ObjectStore,
  artefactPath: string,
  options: OpenOptions,
): Promise<SnapshotManifest> {
  const key = `${artefactPath}${MANIFEST_OBJECT}`;
  try {
    const data = await store.get(key, options);
    const manifest = decodeManifest(data, artefactPath, key);
    const coding = options.keys?.get(manifest.keyId ?? '');
    if (coding !== undefined) {
      assertAuthentic(data, coding, { artefactPath, object: key });
    }
    return manifest;
  } catch (error) {
    if (isObjectStoreError(error, 'not-found')) {
      throw await explainAbsence(store, artefactPath, options);
    }
    throw error;
  }
}

async function explainAbsence(
  store: ObjectStore,
  artefactPath: string,
  options: OpenOptions,
): Promise<SnapshotError> {
  const quoted = JSON.stringify(artefactPath);
  if ((await store.head(`${artefactPath}${DELETED_MANIFEST}`, options)) !== undefined) {
    return new SnapshotError(`cannot use ${quoted}: this backup was deleted`, {
      code: 'deleted',
      hint: 'choose another one from the list of backups, or bring this one back before it is swept',
      artefactPath,
    });
  }
  if ((await store.head(`${artefactPath}${STARTED_OBJECT}`, options)) !== undefined) {
    return new SnapshotError(
      `cannot use ${quoted}: this backup was never completed (it was interrupted, or still runs)`,
      { code: 'incomplete', hint: 'choose a complete one from the list of backups', artefactPath },
    );
  }
  for await (const object of store.list(artefactPath, options)) {
    return new SnapshotError(
      `cannot use ${quoted}: there are objects, such as ${JSON.stringify(object.key)}, but no backup`,
      {
        code: 'not-a-backup',
        hint: 'copy the artefact path from the list of backups',
        artefactPath,
        object: object.key,
      },
    );
  }
  return new SnapshotError(`cannot use ${quoted}: nothing lies there in ${store.description}`, {
    code: 'not-found',
    hint: 'copy the artefact path from the list of backups, and check bucket and path',
    artefactPath,
  });
}
