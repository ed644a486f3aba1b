/** Writes one snapshot: entries in; packs, index and, last, the manifest out. */
import { relative } from 'node:path/posix';
import { isObjectStoreError, type ObjectStore } from '#object-store';
import { type Clock, systemClock } from '#system';
import { normaliseArtefactPath } from './artefact-path.ts';
import { ChunkTable } from './chunk-table.ts';
import { type Coding, PLAIN_CODING } from './coding.ts';
import { SnapshotError } from './errors.ts';
import { FORMAT_VERSION, MANIFEST_OBJECT, STARTED_FORMAT, STARTED_OBJECT } from './format.ts';
import { encodeManifest } from './manifest.ts';
import { assertPacksPresent } from './packs.ts';
import { findParent, openParent, type Parent } from './parent.ts';
import { SnapshotWriter, type WrittenContent } from './snapshot-writer.ts';
import type {
  DraftOptions,
  SnapshotDraft,
  SnapshotManifest,
  SnapshotSource,
  SnapshotSummary,
  WriteSnapshotOptions,
} from './types.ts';

/** zstd's fastest ordinary level: 3 % more bytes than level 3 for 60 % of its time (measured on real data). */
const DEFAULT_LEVEL = 1;
/** One chunk in 32 costs about 2 % of the time of a backup. */
const DEFAULT_RECHECK = 32;
/** A failed backup gets so long to remove its traces; they are harmless, so no longer. */
const CLEANUP_MS = 15_000;

/**
 * Looks for what a new snapshot can take over from the latest one, and writes nothing: for callers who begin to read
 * their source meanwhile. Nothing needs to be tidied up when it is not written after all.
 * @throws ObjectStoreError; the signal's reason
 */
export async function draftSnapshot(options: DraftOptions): Promise<SnapshotDraft> {
  const clock = options.clock ?? systemClock;
  const artefactPath = normaliseArtefactPath(options.artefactPath);
  const chunkPrefix = normaliseArtefactPath(options.chunkPrefix);
  const coding = options.key ?? PLAIN_CODING;
  const { store, signal } = options;
  const places = { store, artefactPath, chunkPrefix, coding, signal };
  const now = clock.now();
  const search = { ...places, now };
  const path = await findParent(search);
  const known = new ChunkTable();
  const parent = await openParent(search, path, known);
  await parent?.learn(known);
  const found = { path, parent, known };
  return {
    write: async (source) => await write({ options, places, clock, startedAt: now, found }, source),
  };
}

/**
 * Backs up all entries. When it resolves, the snapshot is complete, its manifest was read back, and every
 * pack it names lies in the store. When it rejects or is aborted, there is no manifest; what else is left is harmless.
 * Memory does not grow with the size of the entries: slots, packs and waiting batches bound it; see README.md.
 * @throws SnapshotError `already-exists`, `unsafe-entry`, `source-changed`; ObjectStoreError; the signal's reason
 */
export async function writeSnapshot(options: WriteSnapshotOptions): Promise<SnapshotSummary> {
  const draft = await draftSnapshot(options);
  return await draft.write(options);
}

interface Draft {
  readonly options: DraftOptions;
  readonly places: Places;
  readonly clock: Clock;
  readonly startedAt: Date;
  readonly found: {
    readonly path: string | undefined;
    readonly parent: Parent | undefined;
    readonly known: ChunkTable;
  };
}

async function write(
  { options, places, clock, startedAt, found }: Draft,
  { entries, attributes, reads }: SnapshotSource,
): Promise<SnapshotSummary> {
  const started = startedAt.toISOString();
  await claim(places, { startedAt: started, parent: found.path, attributes });
  const writer = new SnapshotWriter({
    ...options,
    ...places,
    known: found.known,
    level: options.compression ? (options.level ?? DEFAULT_LEVEL) : undefined,
    recheckEvery: options.recheckEvery ?? DEFAULT_RECHECK,
  });
  reads?.attach(async () => await writer.settleReads());
  try {
    const content = await writer.write(entries, found.parent);
    await assertPacksPresent(places, content.packs);
    const manifest: SnapshotManifest = {
      formatVersion: FORMAT_VERSION,
      startedAt: started,
      createdAt: clock.now().toISOString(),
      attributes,
      ...contentOf(places, content),
    };
    await publish(places, manifest);
    return summarise(places.artefactPath, manifest);
  } catch (error) {
    await removeTraces(places.store, places.artefactPath, writer.indexObjects);
    options.signal?.throwIfAborted();
    throw error;
  }
}

function contentOf(
  { artefactPath, chunkPrefix, coding }: Places,
  { totals, index }: WrittenContent,
): Pick<SnapshotManifest, 'totals' | 'chunkIds' | 'keyId' | 'chunks' | 'index'> {
  const key = coding.keyId === undefined ? {} : { keyId: coding.keyId };
  return {
    totals,
    chunkIds: coding.chunkIds,
    ...key,
    chunks: `${relative(artefactPath, chunkPrefix)}/`,
    index,
  };
}

interface Places {
  readonly store: ObjectStore;
  readonly artefactPath: string;
  readonly chunkPrefix: string;
  readonly coding: Coding;
  readonly signal?: AbortSignal | undefined;
}

/** The first object of a backup: makes it visible as begun, and the path its own. */
async function claim(
  { store, artefactPath, signal }: Places,
  facts: {
    readonly startedAt: string;
    readonly parent: string | undefined;
    readonly attributes: SnapshotSource['attributes'];
  },
): Promise<void> {
  const marker = {
    format: STARTED_FORMAT,
    version: FORMAT_VERSION,
    'started-at': facts.startedAt,
    attributes: facts.attributes,
    parent: facts.parent,
  };
  const data = Buffer.from(`${JSON.stringify(marker, undefined, 2)}\n`);
  const outcome = await store.putIfAbsent(`${artefactPath}${STARTED_OBJECT}`, data, { signal });
  if (outcome === 'exists') {
    throw alreadyExists(artefactPath);
  }
}

async function publish(
  { store, artefactPath, coding, signal }: Places,
  manifest: SnapshotManifest,
): Promise<void> {
  const key = `${artefactPath}${MANIFEST_OBJECT}`;
  const data = encodeManifest(manifest, coding);
  if ((await store.putIfAbsent(key, data, { signal })) === 'exists') {
    throw alreadyExists(artefactPath);
  }
  const back = await store.get(key, { signal });
  if (Buffer.compare(back, data) !== 0) {
    throw new SnapshotError(
      `cannot complete backup ${JSON.stringify(artefactPath)}: its manifest came back from ${store.description} different from what was written`,
      {
        code: 'damaged',
        hint: 'look for a proxy or cache in front of the storage, then run the backup again',
        artefactPath,
        object: key,
      },
    );
  }
}

function alreadyExists(artefactPath: string): SnapshotError {
  return new SnapshotError(
    `cannot write backup ${JSON.stringify(artefactPath)}: another backup has this artefact path`,
    { code: 'already-exists', hint: 'run the backup again under a new job id', artefactPath },
  );
}

/**
 * The manifest goes first: without it the rest is no backup. Should that fail, the rest must stay,
 * because the manifest may be there after all.
 */
async function removeTraces(
  store: ObjectStore,
  artefactPath: string,
  indexObjects: readonly string[],
): Promise<void> {
  const signal = AbortSignal.timeout(CLEANUP_MS);
  try {
    await store.delete([`${artefactPath}${MANIFEST_OBJECT}`], { signal });
    const rest = [...indexObjects, STARTED_OBJECT].map((object) => `${artefactPath}${object}`);
    await store.delete(rest, { signal });
  } catch (error) {
    // The failure of the backup itself is what matters to the caller.
    if (!isObjectStoreError(error) && !signal.aborted) {
      throw error;
    }
  }
}

function summarise(artefactPath: string, manifest: SnapshotManifest): SnapshotSummary {
  const { totals, createdAt } = manifest;
  return {
    artefactPath,
    createdAt,
    totalBytes: totals.bytes,
    storedBytes: totals.storedBytes,
    newBytes: totals.newBytes,
    chunks: totals.chunks,
    files: totals.files,
  };
}
