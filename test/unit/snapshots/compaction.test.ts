/** Packs that are hardly used are left by the next backup, and go with the last snapshot that names them. */
import { describe, expect, test } from '@jest/globals';
import { createMemoryObjectStore, type ObjectStore } from '#object-store';
import { deleteSnapshot, openSnapshot, sweep } from '#snapshots';
import {
  aClock,
  allKeys,
  aSnapshot,
  CHUNK_PREFIX,
  readAll,
  someBytes,
  type TestEntry,
} from '../../helpers/snapshots.ts';

const CHUNKS = 20;

function aFile(number: number, seed: number): TestEntry {
  return { kind: 'file', path: `f${number}`, content: someBytes(50_000, seed) };
}

/** Twenty files of one chunk each, of which those below `changed` have another content each day. */
function aDay(day: number, changed: number): TestEntry[] {
  return Array.from({ length: CHUNKS }, (_, number) =>
    aFile(number, number < changed ? 1000 * day + number + 1 : number + 1),
  );
}

async function backUp(store: ObjectStore, day: number, entries: readonly TestEntry[]) {
  const time = new Date(Date.UTC(2026, 0, day));
  return await aSnapshot({ store, entries, jobId: `job-${day}`, time });
}

async function packs(store: ObjectStore): Promise<string[]> {
  return await allKeys(store, CHUNK_PREFIX);
}

describe('compaction', () => {
  test('a pack of which the parent needs three eighths or more is used on', async () => {
    const store = createMemoryObjectStore();
    await backUp(store, 1, aDay(1, 0));
    await backUp(store, 2, aDay(2, 12));
    const { newBytes } = await backUp(store, 3, aDay(2, 12));
    expect(newBytes).toBeLessThan(10_000);
    expect(await packs(store)).toHaveLength(2);
  });

  test('a pack of which the parent needs less is left, once, and the snapshot is whole', async () => {
    const store = createMemoryObjectStore();
    await backUp(store, 1, aDay(1, 0));
    await backUp(store, 2, aDay(2, 17));
    const [first] = (await packs(store)).toSorted();
    expect(first).toBeDefined();
    // Three chunks are stored again, and only those.
    const third = await backUp(store, 3, aDay(2, 17));
    expect(third.newBytes).toBeGreaterThan(150_000);
    expect(third.newBytes).toBeLessThan(160_000);
    const snapshot = await openSnapshot(store, third.artefactPath);
    expect((await snapshot.verify()).bytes).toBe(CHUNKS * 50_000);
    expect(await readAll(snapshot.read('f19'))).toEqual(someBytes(50_000, 20));
    // Their new pack is full of what is needed: nothing is left any more.
    const fourth = await backUp(store, 4, aDay(2, 17));
    expect(fourth.newBytes).toBeLessThan(10_000);
  });

  test('when the snapshots that need a left pack are deleted, the sweep frees it; without leaving it would stay', async () => {
    const store = createMemoryObjectStore();
    const one = await backUp(store, 1, aDay(1, 0));
    const two = await backUp(store, 2, aDay(2, 17));
    const three = await backUp(store, 3, aDay(2, 17));
    const before = (await packs(store)).length;
    for (const { artefactPath } of [one, two]) {
      await deleteSnapshot(store, artefactPath, { clock: aClock() });
    }
    const later = aClock(new Date(Date.now() + 30 * 86_400_000));
    const prefix = CHUNK_PREFIX.replace(/chunks\/$/, '');
    const report = await sweep(store, prefix, { clock: later });
    expect(report.removedPacks).toBe(1);
    expect(await packs(store)).toHaveLength(before - 1);
    expect((await (await openSnapshot(store, three.artefactPath)).verify()).files).toBe(CHUNKS);
  });
});
