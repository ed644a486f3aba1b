/** The application's latest complete snapshot, from which a new one takes over what has not changed. */
import { isObjectStoreError, type ObjectStore } from '#object-store';
import type { ChunkLocation, ChunkTable, PackHandle } from './chunk-table.ts';
import type { Coding } from './coding.ts';
import { isSnapshotError } from './errors.ts';
import { type ChunkRef, MANIFEST_OBJECT, withBase } from './format.ts';
import { type IndexItem, readIndex } from './index-reader.ts';
import { resolveChunkPrefix } from './manifest.ts';
import { loadManifest } from './open-snapshot.ts';
import { listPacks, type StoredPack } from './packs.ts';
import type { SnapshotManifest } from './types.ts';
import { learnPacks, youngPacks } from './unnamed-packs.ts';

/** A pack of which the parent needs less is left: by measurement, see docs/decisions/0011-compaction.md. */
const LEAVE_BELOW = 0.375;
/** How far the clocks of the store and of this machine may be apart. */
const CLOCK_SKEW_MS = 10 * 60_000;
/** What a chunk takes in the footer of its pack: most of the pack where chunks are tiny. */
const FOOTER_BYTES = 64;

export interface ParentSearch {
  readonly store: ObjectStore;
  readonly artefactPath: string;
  readonly chunkPrefix: string;
  readonly coding: Coding;
  readonly now: Date;
  readonly signal?: AbortSignal | undefined;
}

/** The newest complete snapshot beside this one. Names begin with the time, so the last is the newest. */
export async function findParent(search: ParentSearch): Promise<string | undefined> {
  const folder = search.artefactPath.replace(/[^/]+\/$/, '');
  let newest: string | undefined;
  for await (const { key } of search.store.list(folder, { signal: search.signal })) {
    const name = key.slice(folder.length);
    if (name.endsWith(`/${MANIFEST_OBJECT}`) && name.indexOf('/') === name.lastIndexOf('/')) {
      newest = key.slice(0, -MANIFEST_OBJECT.length);
    }
  }
  return newest;
}

/**
 * Opens the parent, if there is one. Where nothing of it can be used, the table learns what an interrupted backup has
 * stored. A damaged parent is no reason to refuse a backup: it is then simply not used.
 */
export async function openParent(
  search: ParentSearch,
  path: string | undefined,
  table: ChunkTable,
): Promise<Parent | undefined> {
  const parent = path === undefined ? undefined : await open(search, path);
  if (parent === undefined) {
    const packs = await listPacks(search.store, search.chunkPrefix, search.signal);
    await learnPacks(search, youngPacks(packs.values(), search.now), table);
  }
  return parent;
}

async function open(search: ParentSearch, path: string): Promise<Parent | undefined> {
  try {
    const manifest = await loadManifest(search.store, path, search);
    const isElsewhere = resolveChunkPrefix(path, manifest.chunks) !== search.chunkPrefix;
    const { keyId, chunkIds } = search.coding;
    if (isElsewhere || manifest.keyId !== keyId || manifest.chunkIds !== chunkIds) {
      return undefined;
    }
    const present = await listPacks(search.store, search.chunkPrefix, search.signal);
    return new Parent({ ...search, artefactPath: path }, manifest, present);
  } catch (error) {
    return ignoreDamage(error);
  }
}

export class Parent {
  readonly #search: ParentSearch;
  readonly #manifest: SnapshotManifest;
  readonly #present: ReadonlyMap<string, StoredPack>;
  readonly #handles = new Map<string, PackHandle>();

  constructor(
    search: ParentSearch,
    manifest: SnapshotManifest,
    present: ReadonlyMap<string, StoredPack>,
  ) {
    this.#search = search;
    this.#manifest = manifest;
    this.#present = present;
  }

  /**
   * Adds the chunks whose packs still lie there with the right size, leaves packs of which it needs little, and adds what
   * an interrupted backup has stored since.
   */
  async learn(table: ChunkTable): Promise<void> {
    const needed = new Map<PackHandle, number>();
    for await (const item of this.items()) {
      for (const chunk of item.kind === 'chunk' ? withBase(item.chunk) : []) {
        const location = this.locate(chunk);
        // Changed pages are found by their place in a file; the table has no room for their base.
        const isNew =
          location !== undefined &&
          (location.base !== undefined || table.add(Buffer.from(chunk.id, 'hex'), location));
        if (isNew) {
          const bytes = location.stored + FOOTER_BYTES;
          needed.set(location.pack, (needed.get(location.pack) ?? 0) + bytes);
        }
      }
    }
    // What the table did not learn would be missing in the sums.
    for (const [pack, bytes] of table.isFull ? [] : needed) {
      pack.isLeft = bytes < pack.size * LEAVE_BELOW;
    }
    const unnamed = youngPacks(this.#unnamedPacks(), this.#search.now);
    await learnPacks(this.#search, unnamed, table);
  }

  /** Packs stored since it began that it does not name: those of a backup that came to no end. */
  #unnamedPacks(): readonly StoredPack[] {
    const since = Date.parse(this.#manifest.startedAt) - CLOCK_SKEW_MS;
    return [...this.#present.values()].filter(
      ({ id, modifiedAt }) => !this.#handles.has(id) && modifiedAt.getTime() >= since,
    );
  }

  /** Its index, up to the first damage. */
  async *items(): AsyncIterable<IndexItem> {
    try {
      yield* readIndex({ ...this.#search, manifest: this.#manifest });
    } catch (error) {
      ignoreDamage(error);
    }
  }

  /** Where a chunk of its index lies, if its pack is still there with the right size, and not left. */
  locate(chunk: ChunkRef): ChunkLocation | undefined {
    const { pack, at, stored, as } = chunk;
    if (this.#present.get(pack.id)?.size !== pack.size) {
      return undefined;
    }
    const handle: PackHandle = this.#handles.get(pack.id) ?? { ...pack };
    this.#handles.set(pack.id, handle);
    if (handle.isLeft === true) {
      return undefined;
    }
    const location = { pack: handle, at, stored, as };
    if (chunk.base === undefined) {
      return location;
    }
    const base = this.locate(chunk.base);
    return base && { ...location, base: { id: chunk.base.id, location: base } };
  }
}

/** @throws what is no damage of the parent */
function ignoreDamage(error: unknown): undefined {
  if (!isSnapshotError(error) && !isObjectStoreError(error, 'not-found')) {
    throw error;
  }
  return undefined;
}
