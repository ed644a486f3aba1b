/** Finds the snapshots below a prefix by the shape of the tree, without looking at chunks. */
import { isObjectStoreError, type ObjectInfo, type ObjectStore } from '#object-store';
import { type Clock, systemClock } from '#system';
import { isSnapshotError } from './errors.ts';
import { MANIFEST_OBJECT, STARTED_FORMAT, STARTED_OBJECT } from './format.ts';
import { parseJsonObject } from './json.ts';
import { attemptOf } from './life/failed-attempts.ts';
import { DELETED_MANIFEST, marksFrom } from './life/marks.ts';
import { loadManifest } from './open-snapshot.ts';
import { forEachConcurrently } from './ordered-map.ts';
import type { DeletedSnapshot, SnapshotInfo, SnapshotListing, UnusableArtefact } from './types.ts';

/** Manifests read at a time. */
const CONCURRENCY = 8;
/** Folders of one level looked into at a time. */
const WALK_CONCURRENCY = 4;
/** `<model>/<app>/backups/` below the configured path; some more for a prefix above that. */
const MAX_DEPTH = 6;

interface Options {
  readonly signal?: AbortSignal | undefined;
  /** Tells which pins are still those of somebody alive. */
  readonly clock?: Clock;
}

/**
 * All artefacts below a prefix (with or without slashes around it; empty means the whole bucket).
 * Foreign objects are ignored; folders that begin like a backup and are none are reported apart.
 */
export async function listSnapshots(
  store: ObjectStore,
  prefix: string,
  options: Options = {},
): Promise<SnapshotListing> {
  const top = prefix.replaceAll(/^\/+|\/+$/g, '');
  const found: Candidate[] = [];
  await collect(store, top === '' ? '' : `${top}/`, { ...options, found, depth: 0 });
  const snapshots: SnapshotInfo[] = [];
  const unusable: UnusableArtefact[] = [];
  const deleted = found.flatMap((candidate) => deletedSnapshot(candidate) ?? []);
  const others = found.filter((candidate) => deletedSnapshot(candidate) === undefined);
  await forEachConcurrently(others, CONCURRENCY, async (candidate) => {
    const result = await inspect(store, candidate, options);
    if (result !== undefined && 'manifest' in result) {
      snapshots.push(result);
    } else if (result !== undefined) {
      unusable.push(result);
    }
  });
  return {
    snapshots: snapshots.toSorted((left, right) => compare(left, right)),
    unusable: unusable.toSorted((left, right) => (left.artefactPath < right.artefactPath ? -1 : 1)),
    deleted,
  };
}

interface Candidate {
  readonly artefactPath: string;
  /** What lies directly below the path, by name. */
  readonly objects: ReadonlyMap<string, ObjectInfo>;
}

const NAMES: readonly string[] = [MANIFEST_OBJECT, STARTED_OBJECT, DELETED_MANIFEST];

function isArtefact(objects: ReadonlyMap<string, ObjectInfo>): boolean {
  return NAMES.some((name) => objects.has(name));
}

function deletedSnapshot({ artefactPath, objects }: Candidate): DeletedSnapshot | undefined {
  const deleted = objects.get(DELETED_MANIFEST);
  return deleted === undefined || objects.has(MANIFEST_OBJECT)
    ? undefined
    : { artefactPath, deletedAt: deleted.modifiedAt.toISOString() };
}

interface Walk extends Options {
  readonly found: Candidate[];
  readonly depth: number;
}

/** Walks folders; a folder called `backups` is read flat, its sibling `chunks` not at all. */
async function collect(store: ObjectStore, folder: string, walk: Walk): Promise<void> {
  if (folder.endsWith('/backups/') || folder === 'backups/') {
    await collectBackups(store, folder, walk);
    return;
  }
  const children: string[] = [];
  const objects = new Map<string, ObjectInfo>();
  for await (const item of store.listFolder(folder, { signal: walk.signal })) {
    if (item.kind === 'folder') {
      children.push(item.prefix);
    } else {
      objects.set(item.key.slice(folder.length), item);
    }
  }
  if (isArtefact(objects)) {
    walk.found.push({ artefactPath: folder, objects });
    return;
  }
  if (walk.depth < MAX_DEPTH) {
    const next = children.filter((child) => !/(^|\/)chunks\/$/.test(child));
    await forEachConcurrently(next, WALK_CONCURRENCY, async (child) => {
      await collect(store, child, { ...walk, depth: walk.depth + 1 });
    });
  }
}

async function collectBackups(store: ObjectStore, folder: string, walk: Walk): Promise<void> {
  const artefacts = new Map<string, Map<string, ObjectInfo>>();
  for await (const item of store.list(folder, { signal: walk.signal })) {
    const [name, object, ...deeper] = item.key.slice(folder.length).split('/');
    if (name !== undefined && object !== undefined && deeper.length === 0) {
      const path = `${folder}${name}/`;
      const objects = artefacts.get(path) ?? new Map<string, ObjectInfo>();
      artefacts.set(path, objects.set(object, item));
    }
  }
  for (const [artefactPath, objects] of artefacts) {
    if (isArtefact(objects)) {
      walk.found.push({ artefactPath, objects });
    }
  }
}

async function inspect(
  store: ObjectStore,
  candidate: Candidate,
  options: Options,
): Promise<SnapshotInfo | UnusableArtefact | undefined> {
  const { artefactPath, objects } = candidate;
  if (!objects.has(MANIFEST_OBJECT)) {
    return await describeStarted(store, candidate, options);
  }
  try {
    const manifest = await loadManifest(store, artefactPath, options);
    const marks = marksFrom(objects, (options.clock ?? systemClock).now());
    return { artefactPath, manifest, marks };
  } catch (error) {
    // Deleted since it was listed: nothing to report.
    if (!isSnapshotError(error) || error.code === 'not-found' || error.code === 'deleted') {
      if (isSnapshotError(error)) {
        return undefined;
      }
      throw error;
    }
    const known = ['not-a-backup', 'newer-format', 'incomplete'] as const;
    const code = known.find((it) => it === error.code) ?? 'damaged';
    return { artefactPath, code, message: error.message };
  }
}

async function describeStarted(
  store: ObjectStore,
  { artefactPath, objects }: Candidate,
  options: Options,
): Promise<UnusableArtefact | undefined> {
  const marker = await readMarker(store, artefactPath, options);
  if (marker?.['format'] !== STARTED_FORMAT) {
    return undefined;
  }
  const { attributes } = marker;
  const startedAt = marker['started-at'];
  const attempt = attemptOf(artefactPath, objects);
  return {
    artefactPath,
    code: 'incomplete',
    message: `backup ${JSON.stringify(artefactPath)} was never completed (it was interrupted, or still runs)`,
    ...(typeof attributes === 'object' && attributes !== null
      ? { attributes: attributes as NonNullable<UnusableArtefact['attributes']> }
      : {}),
    ...(typeof startedAt === 'string' ? { startedAt } : {}),
    ...(attempt === undefined ? {} : { attempt }),
  };
}

async function readMarker(
  store: ObjectStore,
  artefactPath: string,
  options: Options,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  try {
    const data = await store.get(`${artefactPath}${STARTED_OBJECT}`, options);
    return parseJsonObject(Buffer.from(data).toString('utf8'));
  } catch (error) {
    if (isObjectStoreError(error, 'not-found')) {
      return undefined;
    }
    throw error;
  }
}

function compare(left: SnapshotInfo, right: SnapshotInfo): number {
  const byTime = left.manifest.createdAt.localeCompare(right.manifest.createdAt, 'en');
  return byTime === 0 ? (left.artefactPath < right.artefactPath ? -1 : 1) : byTime;
}
