/**
 * What backups promise whatever their store does: they end restorable or reported as failed, and damage is found before
 * anything is handed out. Each implementation of ObjectStore runs this suite.
 */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  type Fault,
  type FaultPlan,
  isObjectStoreError,
  type ObjectStore,
  ObjectStoreError,
  type StoreCall,
  withFaults,
  withPrefix,
  withRetries,
} from '#object-store';
import { isSnapshotError, listSnapshots, openSnapshot, type Snapshot } from '#snapshots';
import { allKeys, aSnapshot, someBytes, type TestEntry } from '../helpers/snapshots.ts';

export interface StoreFaultsContractOptions {
  readonly name: string;
  /** An empty store; called once. */
  readonly create: () => Promise<{ store: ObjectStore; close?: () => Promise<void> }>;
}

/** Small, but with more than one chunk. */
export const SMALL: readonly TestEntry[] = [
  { kind: 'directory', path: 'd' },
  { kind: 'file', path: 'd/a', content: someBytes(40_000, 1) },
  { kind: 'file', path: 'd/b', content: someBytes(20_000, 2, 'compressible') },
  { kind: 'stream', path: 'dump', content: someBytes(10_000, 3, 'compressible') },
];

const failing = (
  reason: string,
  details: ConstructorParameters<typeof ObjectStoreError>[1],
): ObjectStoreError => new ObjectStoreError(`cannot talk to the store: ${reason}`, details);

const internalError = failing('500', { code: 'unavailable', transient: true });
const slowDown = failing('503 SlowDown', { code: 'unavailable', transient: true });
const timeout = failing('no answer in time', {
  code: 'unreachable',
  transient: true,
  unanswered: true,
});
const reset = failing('reset', { code: 'unreachable', transient: true, unanswered: true });
const denied = failing('403', { code: 'access-denied' });
const deniedForNow = failing('403 for now', { code: 'access-denied', transient: true });
const expired = failing('expired', { code: 'wrong-credentials' });

export type Ending = 'restorable' | 'failed';

/** What may go wrong with one call, and how backups end then, whichever call it is. */
export const FAULTS: readonly {
  readonly name: string;
  readonly endings: readonly Ending[];
  /** Of restores, where they differ. */
  readonly restoreEndings?: readonly Ending[];
  readonly fault: (call: StoreCall) => Fault;
}[] = [
  { name: '500', endings: ['restorable'], fault: () => ({ kind: 'fail', error: internalError }) },
  {
    name: '503 SlowDown',
    endings: ['restorable'],
    fault: () => ({ kind: 'fail', error: slowDown }),
  },
  { name: 'a timeout', endings: ['restorable'], fault: () => ({ kind: 'fail', error: timeout }) },
  {
    name: 'a reset',
    endings: ['restorable'],
    fault: () => ({ kind: 'lose-answer', error: reset }),
  },
  {
    name: '403 and then fine',
    endings: ['restorable'],
    fault: () => ({ kind: 'fail', error: deniedForNow }),
  },
  {
    name: '403 for good',
    endings: ['failed'],
    // A restore can do without listing.
    restoreEndings: ['failed', 'restorable'],
    fault: () => ({ kind: 'fail', error: denied }),
  },
  {
    name: 'an expired token',
    endings: ['failed'],
    fault: () => ({ kind: 'fail', error: expired }),
  },
  {
    name: 'a truncated body',
    endings: ['failed', 'restorable'],
    fault: () => ({ kind: 'tamper', change: (data) => data.subarray(0, data.length / 2) }),
  },
  {
    name: 'a wrong body',
    endings: ['failed', 'restorable'],
    fault: () => ({ kind: 'tamper', change: withFlippedBit }),
  },
  {
    name: 'a lost listing',
    endings: ['restorable'],
    fault: () => ({ kind: 'hide', isHidden: () => true }),
  },
];

function withFlippedBit(data: Uint8Array): Uint8Array {
  const middle = Math.floor(data.length / 2);
  data.set([(data[middle] ?? 0) ^ 4], middle);
  return data;
}

const instantly = { now: () => new Date(), sleep: async () => undefined };

/** Patient with passing failures, without taking the time. */
export function patient(store: ObjectStore): ObjectStore {
  return withRetries(store, { clock: instantly, maxFirstAttempts: 8 });
}

/** A backup made through a store with faults: its path, or why it was reported as failed. */
export interface Attempt {
  readonly jobId: string;
  readonly entries: readonly TestEntry[];
  readonly outcome: string | Error;
}

export async function attempt(
  faulty: ObjectStore,
  jobId: string,
  entries: readonly TestEntry[] = SMALL,
): Promise<Attempt> {
  const outcome = await aSnapshot({ store: faulty, entries, jobId }).then(
    ({ artefactPath }) => artefactPath,
    (error: Error) => error,
  );
  return { jobId, entries, outcome };
}

/**
 * Looks at what an attempt said with the eyes of `sound`, the same store without faults.
 * @throws when a success cannot be restored, or a failed one is listed as complete without being so
 */
export async function judge(
  sound: ObjectStore,
  { jobId, entries, outcome }: Attempt,
): Promise<Ending> {
  if (typeof outcome !== 'string') {
    if (!isObjectStoreError(outcome) && !isSnapshotError(outcome)) {
      throw outcome;
    }
    for (const { artefactPath } of (await listSnapshots(sound, '')).snapshots) {
      if (artefactPath.endsWith(`-${jobId}/`)) {
        await (await openSnapshot(sound, artefactPath)).verify();
      }
    }
    return 'failed';
  }
  const expected = entries.reduce((sum, { content }) => sum + (content?.length ?? 0), 0);
  const { bytes } = await (await openSnapshot(sound, outcome)).verify();
  if (bytes !== expected) {
    throw new Error(`${outcome}: ${bytes} bytes of ${expected}`);
  }
  return 'restorable';
}

/** Ways to damage one object of a backup; `other` is another object of the same backup. */
const DAMAGES: Readonly<
  Record<string, (store: ObjectStore, key: string, other: string) => Promise<void>>
> = {
  'with a bit flipped': async (store, key) => {
    await store.put(key, withFlippedBit(new Uint8Array(await store.get(key))));
  },
  missing: async (store, key) => await store.delete([key]),
  empty: async (store, key) => await store.put(key, new Uint8Array(0)),
  'cut in half': async (store, key) => {
    const data = await store.get(key);
    await store.put(key, data.subarray(0, data.length / 2));
  },
  'cut by its last byte': async (store, key) => {
    const data = await store.get(key);
    await store.put(key, data.subarray(0, -1));
  },
  'twice in a row': async (store, key) => {
    const data = await store.get(key);
    await store.put(key, Buffer.concat([data, data]));
  },
  'with a byte appended': async (store, key) => {
    await store.put(key, Buffer.concat([await store.get(key), Buffer.from([0])]));
  },
  'replaced by a duplicate of another': async (store, key, other) => {
    await store.put(key, await store.get(other));
  },
  'swapped with another': async (store, key, other) => {
    const [left, right] = [await store.get(key), await store.get(other)];
    await store.put(key, right);
    await store.put(other, left);
  },
};

/** Declares the suite. */
export function describeStoreFaultsContract(options: StoreFaultsContractOptions): void {
  let root: ObjectStore;
  let close: (() => Promise<void>) | undefined;
  let directory: string;
  let caseNumber = 0;
  const aStore = (): ObjectStore => {
    caseNumber += 1;
    return withPrefix(root, `fault-${caseNumber}/`);
  };

  describe(`backups on a failing store: ${options.name}`, () => {
    beforeAll(async () => {
      directory = await mkdtemp(join(tmpdir(), 'store-faults-'));
      ({ store: root, close } = await options.create());
    }, 60_000);
    afterAll(async () => {
      await close?.();
      await rm(directory, { recursive: true, force: true });
    });

    test.each(FAULTS)('$name at any one call', async ({ fault, endings: expected }) => {
      const calls = await countCalls(aStore());
      expect(calls).toBeGreaterThanOrEqual(7);
      const endings = new Set<Ending>();
      for (let bad = 1; bad <= calls; bad += 1) {
        const store = aStore();
        const plan: FaultPlan = (call) => (call.number === bad ? fault(call) : undefined);
        endings.add(await judge(store, await attempt(patient(withFaults(store, plan)), 'job-1')));
      }
      expect([...endings].toSorted()).toEqual(expected);
    });

    test.each(FAULTS)('$name at any one call of a restore', async (it) => {
      const store = aStore();
      const { artefactPath } = await aSnapshot({ store, entries: SMALL });
      const restore = async (plan: FaultPlan, target: string): Promise<Ending> => {
        const snapshot = openSnapshot(patient(withFaults(store, plan)), artefactPath);
        return await snapshot
          .then(async (opened) => await opened.restoreTo({ directory: target }))
          .then(() => 'restorable' as const, asFailed);
      };
      let calls = 0;
      const counting: FaultPlan = ({ number }) => {
        calls = number;
        return undefined;
      };
      const target = join(directory, `hit-${caseNumber}`);
      expect(await restore(counting, target)).toBe('restorable');
      expect(calls).toBeGreaterThanOrEqual(5);
      const endings = new Set<Ending>();
      for (let bad = 1; bad <= calls; bad += 1) {
        const plan: FaultPlan = (call) => (call.number === bad ? it.fault(call) : undefined);
        const ending = await restore(plan, `${target}-${bad}`);
        endings.add(ending);
        const restored = await filesBelow(`${target}-${bad}`);
        expect(ending === 'failed' || isDeepStrictEqual(restored, wholeFiles())).toBe(true);
      }
      expect([...endings].toSorted()).toEqual(it.restoreEndings ?? it.endings);
    });

    test.each(Object.keys(DAMAGES))(
      'any object %s is found, and refused before anything is handed out',
      async (name) => {
        const store = aStore();
        const { artefactPath } = await aSnapshot({ store, entries: SMALL });
        const originals = await contentsOf(store);
        const parts = [...originals.keys()].filter((key) => !key.endsWith('/started.json'));
        expect(parts).toHaveLength(3);
        for (const [index, key] of parts.entries()) {
          await DAMAGES[name]?.(store, key, parts[(index + 1) % parts.length] ?? '');
          expect(await refusalOf(store, artefactPath, async (it) => await it.verify())).toContain(
            artefactPath.slice(0, -1),
          );
          const target = join(directory, `restored-${caseNumber}-${index}`);
          const refusal = await refusalOf(
            store,
            artefactPath,
            async (it) => await it.restoreTo({ directory: target }),
          );
          expect(refusal).toContain(artefactPath.slice(0, -1));
          expect(await filesBelow(target)).toEqual(new Map());
          for (const [part, data] of originals) {
            await store.put(part, data);
          }
        }
        expect(await refusalOf(store, artefactPath, async (it) => await it.verify())).toBe('none');
      },
    );
  });
}

async function countCalls(store: ObjectStore): Promise<number> {
  let calls = 0;
  const counting = withFaults(store, ({ number }) => {
    calls = number;
    return undefined;
  });
  await aSnapshot({ store: counting, entries: SMALL });
  return calls;
}

/** What a damaged backup is refused with; `none` when it is not. */
async function refusalOf(
  store: ObjectStore,
  artefactPath: string,
  use: (snapshot: Snapshot) => Promise<unknown>,
): Promise<string> {
  try {
    await use(await openSnapshot(store, artefactPath));
    return 'none';
  } catch (error) {
    return isSnapshotError(error) ? error.message : `not a refusal: ${String(error)}`;
  }
}

function asFailed(error: unknown): Ending {
  if (!isObjectStoreError(error) && !isSnapshotError(error)) {
    throw error;
  }
  return 'failed';
}

async function contentsOf(store: ObjectStore): Promise<ReadonlyMap<string, Uint8Array>> {
  const contents = new Map<string, Uint8Array>();
  for (const key of await allKeys(store)) {
    contents.set(key, await store.get(key));
  }
  return contents;
}

function wholeFiles(): Map<string, string> {
  return new Map(
    SMALL.flatMap(({ path, content }) =>
      content === undefined ? [] : [[path, Buffer.from(content).toString('base64')] as const],
    ),
  );
}

async function filesBelow(directory: string): Promise<Map<string, string>> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(
    () => [],
  );
  const files = new Map<string, string>();
  for (const entry of entries.filter((it) => it.isFile())) {
    const path = join(entry.parentPath, entry.name);
    files.set(relative(directory, path), await readFile(path, 'base64'));
  }
  return files;
}
