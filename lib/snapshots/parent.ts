/** Learns the chunks of the application's latest complete snapshot, so that only what changed is stored. */
import { isObjectStoreError, type ObjectStore } from '#object-store';
import type { ChunkTable, PackHandle } from './chunk-table.ts';
import type { Coding } from './coding.ts';
import { isSnapshotError } from './errors.ts';
import { MANIFEST_OBJECT } from './format.ts';
import { readIndex } from './index-reader.ts';
import { resolveChunkPrefix } from './manifest.ts';
import { loadManifest } from './open-snapshot.ts';
import { listPacks } from './packs.ts';

export interface ParentSearch {
  readonly store: ObjectStore;
  readonly artefactPath: string;
  readonly chunkPrefix: string;
  readonly coding: Coding;
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
 * Adds the chunks of `parent` whose packs still lie there with the right size.
 * A damaged parent is no reason to refuse a backup: it is then simply not used.
 */
export async function learnParent(
  search: ParentSearch,
  parent: string,
  table: ChunkTable,
): Promise<void> {
  try {
    const manifest = await loadManifest(search.store, parent, search);
    const isElsewhere = resolveChunkPrefix(parent, manifest.chunks) !== search.chunkPrefix;
    if (isElsewhere || manifest.keyId !== search.coding.keyId) {
      return;
    }
    const present = await listPacks(search.store, search.chunkPrefix, search.signal);
    const handles = new Map<string, PackHandle>();
    for await (const item of readIndex({ ...search, artefactPath: parent, manifest })) {
      if (item.kind !== 'chunk') {
        continue;
      }
      const { id, pack, at, stored, as } = item.chunk;
      if (present.get(pack.id) === pack.size) {
        const handle = handles.get(pack.id) ?? { id: pack.id, size: pack.size };
        handles.set(pack.id, handle);
        table.add(Buffer.from(id, 'hex'), { pack: handle, at, stored, as });
      }
    }
  } catch (error) {
    if (!isSnapshotError(error) && !isObjectStoreError(error, 'not-found')) {
      throw error;
    }
  }
}
