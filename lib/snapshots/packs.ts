/** What packs lie in the store, and whether they are the ones an index names. */
import { isObjectStoreError, type ObjectStore } from '#object-store';
import { damagedError } from './errors.ts';
import { type PackName, packKey, sha256 } from './format.ts';
import { forEachConcurrently } from './ordered-map.ts';
import { PACK_MAGIC, TRAILER_SIZE } from './pack-builder.ts';

type Signal = AbortSignal | undefined;

/** Ids and sizes of all packs below a chunk prefix. */
export async function listPacks(
  store: ObjectStore,
  chunkPrefix: string,
  signal: Signal,
): Promise<ReadonlyMap<string, number>> {
  const packs = new Map<string, number>();
  for await (const { key, size } of store.list(chunkPrefix, { signal })) {
    packs.set(key.slice(key.lastIndexOf('/') + 1), size);
  }
  return packs;
}

export interface PackSearch {
  readonly store: ObjectStore;
  readonly artefactPath: string;
  readonly chunkPrefix: string;
  readonly signal?: AbortSignal | undefined;
}

/** @throws SnapshotError `damaged` naming the first pack that is missing or has another size */
export async function assertPacksPresent(
  search: PackSearch,
  packs: Iterable<PackName>,
): Promise<void> {
  const present = await listPacks(search.store, search.chunkPrefix, search.signal);
  for (const { id, size } of packs) {
    const key = packKey(search.chunkPrefix, id);
    // Some servers list late: ask for the object itself before believing that it is gone.
    const found =
      present.get(id) ?? (await search.store.head(key, { signal: search.signal }))?.size;
    if (found === undefined) {
      throw damagedError(search.artefactPath, key, 'is missing');
    }
    if (found !== size) {
      throw damagedError(search.artefactPath, key, `has ${found} bytes instead of ${size}`);
    }
  }
}

/** Checks footers and trailers, which restoring does not need. @throws SnapshotError `damaged` */
export async function verifyPackFooters(
  search: PackSearch,
  packs: Iterable<PackName>,
): Promise<void> {
  await forEachConcurrently(packs, 4, async (pack) => {
    const key = packKey(search.chunkPrefix, pack.id);
    const sound = await readFooter(search, key, pack).catch((error: unknown) => {
      if (isObjectStoreError(error, 'not-found')) {
        throw damagedError(search.artefactPath, key, 'is missing');
      }
      if (isObjectStoreError(error, 'invalid-range')) {
        throw damagedError(search.artefactPath, key, 'is cut short');
      }
      throw error;
    });
    if (!sound) {
      throw damagedError(search.artefactPath, key, 'was altered: its footer is not valid');
    }
  });
}

async function readFooter(search: PackSearch, key: string, pack: PackName): Promise<boolean> {
  const options = { signal: search.signal };
  const start = pack.size - TRAILER_SIZE;
  if (start < 0) {
    return false;
  }
  const trailer = Buffer.from(
    await search.store.getRange(key, { offset: start, length: TRAILER_SIZE }, options),
  );
  const length = trailer.readUInt32LE(8);
  const encoding = trailer.readUInt32LE(12);
  if (trailer.toString('latin1', 0, 8) !== PACK_MAGIC || length > start || encoding > 1) {
    return false;
  }
  const footer = await search.store.getRange(key, { offset: start - length, length }, options);
  return sha256(footer) === trailer.toString('hex', 16);
}
