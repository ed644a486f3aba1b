import { describe, expect, test } from '@jest/globals';
import {
  createMemoryObjectStore,
  type FaultPlan,
  isObjectStoreError,
  type ObjectStore,
  ObjectStoreError,
  withFaults,
  withRetries,
} from '#object-store';
import { listSnapshots, openSnapshot } from '#snapshots';
import { aClock, allKeys, aSnapshot, someBytes, type TestEntry } from '../../helpers/snapshots.ts';

/** Big enough for several packs, small enough to be written hundreds of times. */
const ENTRIES: readonly TestEntry[] = [
  { kind: 'directory', path: 'd' },
  { kind: 'file', path: 'd/a', content: someBytes(9_000_000, 1) },
  { kind: 'file', path: 'd/b', content: someBytes(500_000, 2, 'compressible') },
];

const refused = new ObjectStoreError('refused for good', { code: 'access-denied' });

async function attempt(
  inner: ObjectStore,
  plan: FaultPlan,
  signal?: AbortSignal,
): Promise<unknown> {
  const store = withFaults(inner, plan);
  return await aSnapshot({ store, entries: ENTRIES, ...(signal === undefined ? {} : { signal }) })
    .then(() => 'success')
    .catch((error: unknown) => error);
}

async function countCalls(): Promise<number> {
  let calls = 0;
  await attempt(createMemoryObjectStore(), ({ number }) => {
    calls = number;
    return undefined;
  });
  return calls;
}

describe('a store that fails', () => {
  test('whichever call fails for good, the backup fails and leaves no manifest', async () => {
    const calls = await countCalls();
    expect(calls).toBeGreaterThanOrEqual(8);
    for (let bad = 1; bad <= calls; bad += 1) {
      const store = createMemoryObjectStore();
      const outcome = await attempt(store, ({ number }) =>
        number === bad ? { kind: 'fail', error: refused } : undefined,
      );
      expect(outcome).toBe(refused);
      const keys = await allKeys(store);
      expect(keys.filter((key) => key.includes('/backups/'))).toEqual([]);
    }
  });

  test('from whichever call on the store is gone, no complete backup is ever listed', async () => {
    const calls = await countCalls();
    for (let bad = 1; bad <= calls; bad += 1) {
      const store = createMemoryObjectStore();
      const outcome = await attempt(store, ({ number }) =>
        number >= bad ? { kind: 'fail', error: refused } : undefined,
      );
      expect(outcome).toBe(refused);
      const { snapshots } = await listSnapshots(store, '');
      // The very last calls read the manifest back: it may be there, complete and sound.
      for (const { artefactPath } of snapshots) {
        await (await openSnapshot(store, artefactPath)).verify();
      }
      expect(snapshots.length).toBeLessThanOrEqual(bad >= calls ? 1 : 0);
    }
  });

  test('with one call in ten failing or losing its answer, retries bring every backup home', async () => {
    let seed = 1;
    const random = (): number => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed / 2_147_483_647;
    };
    for (let round = 0; round < 30; round += 1) {
      const inner = createMemoryObjectStore();
      const faulty = withFaults(inner, () =>
        random() < 0.1 ? { kind: random() < 0.5 ? 'fail' : 'lose-answer' } : undefined,
      );
      const store = withRetries(faulty, { clock: aClock(), maxFirstAttempts: 8 });
      const { artefactPath } = await aSnapshot({ store, entries: ENTRIES });
      const summary = await (await openSnapshot(store, artefactPath)).verify();
      expect(summary.bytes).toBe(9_500_000);
    }
  });

  test('a pack that vanishes before the end fails the backup', async () => {
    const inner = createMemoryObjectStore();
    const outcome = await attempt(inner, ({ operation, key }) =>
      operation === 'list' && key.endsWith('/chunks/')
        ? {
            kind: 'wait',
            until: async () => await inner.delete((await allKeys(inner, key)).slice(0, 1)),
          }
        : undefined,
    );
    expect(outcome).toMatchObject({ code: 'damaged' });
    expect((await allKeys(inner)).filter((key) => key.includes('manifest'))).toEqual([]);
  });

  test('a manifest that reads back different fails the backup and is removed', async () => {
    const inner = createMemoryObjectStore();
    const outcome = await attempt(inner, ({ operation, key }) =>
      operation === 'get' && key.endsWith('manifest.json')
        ? { kind: 'tamper', change: (data) => data.subarray(1) }
        : undefined,
    );
    expect(outcome).toMatchObject({ code: 'damaged' });
    expect((await allKeys(inner)).filter((key) => key.includes('/backups/'))).toEqual([]);
  });
});

describe('an aborted backup', () => {
  test('at whichever call, ends with the reason and leaves no manifest', async () => {
    const calls = await countCalls();
    for (let bad = 1; bad <= calls; bad += 1) {
      const store = createMemoryObjectStore();
      const controller = new AbortController();
      const reason = new Error('no longer wanted');
      const outcome = await attempt(
        store,
        ({ number }) =>
          number === bad
            ? { kind: 'wait', until: async () => controller.abort(reason) }
            : undefined,
        controller.signal,
      );
      expect(outcome).toBe(reason);
      expect((await allKeys(store)).filter((key) => key.includes('manifest'))).toEqual([]);
    }
  });

  test('an aborted verification ends with the reason', async () => {
    const { store, artefactPath } = await aSnapshot({ entries: ENTRIES });
    const snapshot = await openSnapshot(store, artefactPath);
    const controller = new AbortController();
    const reason = new Error('no longer wanted');
    const verification = snapshot.verify({
      signal: controller.signal,
      onProgress: () => controller.abort(reason),
    });
    await expect(verification).rejects.toBe(reason);
  });

  test('a store that cannot be reached while reading is told as that, not as damage', async () => {
    const { store, artefactPath } = await aSnapshot({ entries: ENTRIES });
    const faulty = withFaults(store, ({ key }) =>
      key.includes('/chunks/') ? { kind: 'fail' } : undefined,
    );
    const snapshot = await openSnapshot(faulty, artefactPath);
    const error = await snapshot.verify().catch((it: unknown) => it);
    expect(isObjectStoreError(error, 'unavailable')).toBe(true);
  });
});
