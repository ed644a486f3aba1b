/** What packs lie in the store, and whether they are the ones an index names. */
import { isObjectStoreError, type ObjectStore } from '#object-store';
import { damagedError } from './errors.ts';
import { type PackName, packKey } from './format.ts';

type Signal = AbortSignal | undefined;

/** A pack as the store has it. */
export interface StoredPack {
  readonly id: string;
  readonly size: number;
  readonly modifiedAt: Date;
}

/** All packs below a chunk prefix, by their ids. */
export async function listPacks(
  store: ObjectStore,
  chunkPrefix: string,
  signal: Signal,
): Promise<ReadonlyMap<string, StoredPack>> {
  const packs = new Map<string, StoredPack>();
  for await (const { key, size, modifiedAt } of store.list(chunkPrefix, { signal })) {
    const id = key.slice(key.lastIndexOf('/') + 1);
    packs.set(id, { id, size, modifiedAt });
  }
  return packs;
}

export interface PackSearch {
  readonly store: ObjectStore;
  readonly artefactPath: string;
  readonly chunkPrefix: string;
  readonly signal?: AbortSignal | undefined;
  readonly mayNotList?: boolean;
}

/**
 * @param search With `mayNotList`, credentials that may read but not list do: each pack is then asked for by itself.
 * @throws SnapshotError `damaged` naming the first pack that is missing or has another size
 */
export async function assertPacksPresent(
  search: PackSearch,
  packs: Iterable<PackName>,
): Promise<void> {
  const present = await listIfAllowed(search);
  for (const { id, size } of packs) {
    const key = packKey(search.chunkPrefix, id);
    // Some servers list late: ask for the object itself before believing that it is gone.
    const found = (present.get(id) ?? (await search.store.head(key, { signal: search.signal })))
      ?.size;
    if (found === undefined) {
      throw damagedError(search.artefactPath, key, 'is missing');
    }
    if (found !== size) {
      throw damagedError(search.artefactPath, key, `has ${found} bytes instead of ${size}`);
    }
  }
}

async function listIfAllowed(search: PackSearch): Promise<ReadonlyMap<string, StoredPack>> {
  try {
    return await listPacks(search.store, search.chunkPrefix, search.signal);
  } catch (error) {
    if (search.mayNotList === true && isObjectStoreError(error, 'access-denied')) {
      return new Map();
    }
    throw error;
  }
}
