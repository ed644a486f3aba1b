/**
 * Packs that no complete snapshot names: what a backup had stored when it was interrupted. Their footers tell what they
 * hold, so that the next backup goes on where that one ended. FORMAT.md#packs
 */
import type { ChunkTable } from './chunk-table.ts';
import { forEachConcurrently } from './ordered-map.ts';
import { type PackSource, readFooter } from './pack-footer.ts';
import type { StoredPack } from './packs.ts';

/**
 * Older ones are not relied on, as a sweep may remove what nobody names when its grace of 72 h is over: this leaves the
 * backup that relies on them two days.
 */
const MAX_AGE_MS = 24 * 60 * 60_000;
const READS_AT_ONCE = 8;

/** Of the packs those that a backup may rely on without a snapshot that names them. */
export function youngPacks(packs: Iterable<StoredPack>, now: Date): readonly StoredPack[] {
  const horizon = now.getTime() - MAX_AGE_MS;
  return [...packs].filter(({ modifiedAt }) => modifiedAt.getTime() >= horizon);
}

/** Adds what the packs hold. One that is gone, damaged or sealed with another key is not used. */
export async function learnPacks(
  search: PackSource,
  packs: Iterable<StoredPack>,
  table: ChunkTable,
): Promise<void> {
  await forEachConcurrently(packs, READS_AT_ONCE, async ({ id, size }) => {
    const pack = { id, size };
    let at = 0;
    for (const { chunk, stored, as } of (await readFooter(search, pack)) ?? []) {
      // Changed pages are of no use without their base.
      if (as !== 'pages') {
        table.add(Buffer.from(chunk, 'hex'), { pack, at, stored, as });
      }
      at += stored;
    }
  });
}
