/**
 * Takes a snapshot out of the list, and puts it back. Nothing of its data goes yet: the manifest only changes its name,
 * and the sweep removes what nobody needs when the grace is over.
 */
import { isObjectStoreError, type ObjectStore } from '#object-store';
import { type Clock, systemClock } from '#system';
import { normaliseArtefactPath } from '../artefact-path.ts';
import { SnapshotError } from '../errors.ts';
import { MANIFEST_OBJECT } from '../format.ts';
import { decodeManifest } from '../manifest.ts';
import { codingFor, loadManifest, type OpenOptions } from '../open-snapshot.ts';
import { assertPacksPresent } from '../packs.ts';
import type { SnapshotInfo, SnapshotManifest } from '../types.ts';
import { DELETED_MANIFEST, KEEP_MARK, marksFrom, objectsOf, writeMark } from './marks.ts';
import { usedPacks } from './used-packs.ts';

export interface DeleteOptions {
  readonly signal?: AbortSignal | undefined;
  readonly clock?: Clock;
  /** Also when it is kept, or being read. */
  readonly force?: boolean;
}

/**
 * Idempotent where it broke off half-way.
 * @throws SnapshotError `kept` or `in-use` unless forced; what `openSnapshot` throws where there is none
 */
export async function deleteSnapshot(
  store: ObjectStore,
  path: string,
  options: DeleteOptions = {},
): Promise<SnapshotInfo> {
  const artefactPath = normaliseArtefactPath(path);
  const manifest = await loadManifest(store, artefactPath, options);
  const { signal, clock = systemClock } = options;
  const marks = marksFrom(await objectsOf(store, artefactPath, signal), clock.now());
  if (options.force !== true && (marks.isKept || marks.isPinned)) {
    throw refusal(artefactPath, marks.isKept);
  }
  const key = `${artefactPath}${MANIFEST_OBJECT}`;
  await store.put(`${artefactPath}${DELETED_MANIFEST}`, await store.get(key, { signal }), {
    signal,
  });
  await store.delete([key], { signal });
  return { artefactPath, manifest, marks };
}

/**
 * Brings back a snapshot that was deleted and not swept yet.
 * @throws SnapshotError `not-found` when it was not deleted or is gone for good, `damaged` when packs are gone
 */
export async function undeleteSnapshot(
  store: ObjectStore,
  path: string,
  options: OpenOptions = {},
): Promise<SnapshotManifest> {
  const artefactPath = normaliseArtefactPath(path);
  const key = `${artefactPath}${DELETED_MANIFEST}`;
  const data = await readDeleted(store, key, artefactPath, options);
  const manifest = decodeManifest(data, artefactPath, key);
  const coding = codingFor(artefactPath, manifest, options.keys);
  const source = { store, artefactPath, manifest, coding, signal: options.signal };
  const { chunkPrefix, packs } = await usedPacks(source);
  await assertPacksPresent({ ...source, chunkPrefix }, packs);
  await store.putIfAbsent(`${artefactPath}${MANIFEST_OBJECT}`, data, options);
  // A sweep removes the deleted manifest before anything else: what is still there now was not swept.
  if ((await store.head(key, options)) === undefined) {
    await store.delete([`${artefactPath}${MANIFEST_OBJECT}`], options);
    throw goneForGood(artefactPath);
  }
  await store.delete([key], options);
  return manifest;
}

/** Marks a snapshot as one that no retention may delete, or takes the mark away. */
export async function setKept(
  store: ObjectStore,
  path: string,
  options: { readonly isKept: boolean; readonly signal?: AbortSignal | undefined },
): Promise<void> {
  const artefactPath = normaliseArtefactPath(path);
  await loadManifest(store, artefactPath, options);
  const key = `${artefactPath}${KEEP_MARK}`;
  await (options.isKept
    ? writeMark(store, key, {}, options.signal)
    : store.delete([key], { signal: options.signal }));
}

async function readDeleted(
  store: ObjectStore,
  key: string,
  artefactPath: string,
  options: { readonly signal?: AbortSignal | undefined },
): Promise<Uint8Array> {
  try {
    return await store.get(key, options);
  } catch (error) {
    throw isObjectStoreError(error, 'not-found') ? goneForGood(artefactPath) : error;
  }
}

function goneForGood(artefactPath: string): SnapshotError {
  return new SnapshotError(
    `cannot bring back ${JSON.stringify(artefactPath)}: no deleted backup lies there any more`,
    { code: 'not-found', hint: 'choose another one from the list of backups', artefactPath },
  );
}

function refusal(artefactPath: string, isKept: boolean): SnapshotError {
  const quoted = JSON.stringify(artefactPath);
  return isKept
    ? new SnapshotError(`cannot delete backup ${quoted}: it is marked to be kept`, {
        code: 'kept',
        hint: 'take the mark away first, or force it',
        artefactPath,
      })
    : new SnapshotError(`cannot delete backup ${quoted}: a restore or a verification reads it`, {
        code: 'in-use',
        hint: 'wait for its end (a reader that died is forgotten after 6 h), or force it',
        artefactPath,
      });
}
