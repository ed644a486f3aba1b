/** Opens a snapshot for reading, or says exactly what lies at the path instead. */
import { isObjectStoreError, type ObjectStore } from '#object-store';
import { normaliseArtefactPath } from './artefact-path.ts';
import { SnapshotError } from './errors.ts';
import { MANIFEST_OBJECT, STARTED_OBJECT } from './format.ts';
import { DELETED_MANIFEST } from './life/marks.ts';
import { decodeManifest } from './manifest.ts';
import { SnapshotReader } from './snapshot-reader.ts';
import type { Snapshot, SnapshotManifest } from './types.ts';

interface Options {
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads the manifest only. The artefact path may come with or without slashes around it.
 * @throws SnapshotError `not-found`, `deleted`, `incomplete`, `not-a-backup`, `newer-format`, `damaged`, `invalid-path`
 */
export async function openSnapshot(
  store: ObjectStore,
  artefactPath: string,
  options: Options = {},
): Promise<Snapshot> {
  const path = normaliseArtefactPath(artefactPath);
  const manifest = await loadManifest(store, path, options);
  return new SnapshotReader(store, path, manifest);
}

/** The manifest of the snapshot at a normalised artefact path. */
export async function loadManifest(
  store: ObjectStore,
  artefactPath: string,
  options: Options,
): Promise<SnapshotManifest> {
  const key = `${artefactPath}${MANIFEST_OBJECT}`;
  try {
    return decodeManifest(await store.get(key, options), artefactPath, key);
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
  options: Options,
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
