/** Verifying, deleting, bringing back and sweeping, and that none of it costs a snapshot that counts. */
import { describe, expect, test } from '@jest/globals';
import {
  createMemoryObjectStore,
  type ObjectStore,
  ObjectStoreError,
  withFaults,
} from '#object-store';
import {
  deleteSnapshot,
  listSnapshots,
  openSnapshot,
  pinSnapshot,
  setKept,
  sweep,
  undeleteSnapshot,
  verifySnapshot,
} from '#snapshots';
import { allKeys, aSnapshot, someBytes, type TestEntry } from '../../../helpers/snapshots.ts';

const APP = 'some/path/prod/db/';
const HOUR = 3_600_000;

/** A store whose clock, and everybody's, is set by hand. */
function aWorld() {
  let now = Date.parse('2026-11-22T00:00:00Z');
  const clock = { now: () => new Date(now), sleep: async () => undefined };
  const store = createMemoryObjectStore({ now: () => new Date(now) });
  let jobs = 0;
  return {
    store,
    clock,
    pass: (hours: number): void => {
      now += hours * HOUR;
    },
    backUp: async (entries: Iterable<TestEntry>): Promise<string> => {
      jobs += 1;
      now += 1000;
      const made = await aSnapshot({
        store,
        entries,
        jobId: `job-${jobs}`,
        time: new Date(now),
        clock,
      });
      return made.artefactPath;
    },
  };
}

const file = (path: string, seed: number, size = 600_000): TestEntry => ({
  kind: 'file',
  path,
  content: someBytes(size, seed),
});

async function isSound(store: ObjectStore, path: string): Promise<boolean> {
  await (await openSnapshot(store, path)).verify();
  return true;
}

async function packKeys(store: ObjectStore): Promise<string[]> {
  return await allKeys(store, `${APP}chunks/`);
}

describe('verifying', () => {
  test('leaves a mark that listings show, except when only the structure was looked at', async () => {
    const { store, clock, backUp, pass } = aWorld();
    const path = await backUp([file('a', 1)]);

    const structure = await verifySnapshot(store, path, { level: 'structure', clock });
    expect(structure).toMatchObject({ packs: 1, readBytes: 0 });
    expect((await listSnapshots(store, '')).snapshots[0]?.marks.verifiedAt).toBeUndefined();

    pass(1);
    const full = await verifySnapshot(store, path, { level: 'full', clock });
    expect(full.readBytes).toBe(full.storedBytes);
    expect((await listSnapshots(store, '')).snapshots[0]?.marks).toEqual({
      verifiedAt: '2026-11-22T01:00:01.000Z',
      isKept: false,
      isPinned: false,
    });
  });

  test('a sample reads some packs, at least one, and finds damage there', async () => {
    const { store, clock, backUp } = aWorld();
    const path = await backUp([file('a', 1, 30_000_000)]);
    const options = { level: 'sample', clock, random: () => 0.5 } as const;

    const small = await verifySnapshot(store, path, { ...options, sampleFraction: 0.001 });
    const half = await verifySnapshot(store, path, { ...options, sampleFraction: 0.5 });
    expect(small.packs).toBe(4);
    expect(small.readBytes).toBeGreaterThan(5_000_000);
    expect(half.readBytes).toBeGreaterThan(small.readBytes);
    expect(half.readBytes).toBeLessThan(half.storedBytes);

    const [first = ''] = await packKeys(store);
    const data = await store.get(first);
    data[100] = (data[100] ?? 0) ^ 1;
    await store.put(first, data);
    const all = verifySnapshot(store, path, { ...options, sampleFraction: 1 });
    await expect(all).rejects.toMatchObject({ code: 'damaged', object: first });
  });

  test('what is damaged is marked so, until it passes again', async () => {
    const { store, clock, backUp, pass } = aWorld();
    const path = await backUp([file('a', 1)]);
    await verifySnapshot(store, path, { level: 'full', clock });
    const [pack = ''] = await packKeys(store);
    const data = await store.get(pack);
    await store.delete([pack]);
    pass(1);

    await expect(verifySnapshot(store, path, { level: 'structure', clock })).rejects.toMatchObject({
      code: 'damaged',
      object: pack,
    });
    const [info] = (await listSnapshots(store, '')).snapshots;
    expect(info?.marks).toMatchObject({ damagedAt: '2026-11-22T01:00:01.000Z' });
    expect(info?.marks.verifiedAt).toBeUndefined();

    await store.put(pack, data);
    pass(1);
    await verifySnapshot(store, path, { level: 'full', clock });
    expect((await listSnapshots(store, '')).snapshots[0]?.marks.damagedAt).toBeUndefined();
  });

  test('trouble with the store says nothing about the snapshot', async () => {
    const { store, clock, backUp } = aWorld();
    const path = await backUp([file('a', 1)]);
    const down = new ObjectStoreError('cannot read: down', { code: 'unavailable' });
    const faulty = withFaults(store, ({ operation, key }) =>
      operation === 'get' && key.includes('/chunks/') ? { kind: 'fail', error: down } : undefined,
    );

    await expect(verifySnapshot(faulty, path, { level: 'full', clock })).rejects.toBe(down);
    expect((await listSnapshots(store, '')).snapshots[0]?.marks.damagedAt).toBeUndefined();
  });
});

describe('deleting', () => {
  test('takes it out of the list; its data stay for a while, and it can be brought back', async () => {
    const { store, clock, backUp } = aWorld();
    const path = await backUp([file('a', 1)]);

    await deleteSnapshot(store, path, { clock });

    const listing = await listSnapshots(store, '');
    expect(listing).toMatchObject({
      snapshots: [],
      unusable: [],
      deleted: [{ artefactPath: path }],
    });
    await expect(openSnapshot(store, path)).rejects.toMatchObject({ code: 'deleted' });
    await expect(deleteSnapshot(store, path, { clock })).rejects.toMatchObject({ code: 'deleted' });

    await undeleteSnapshot(store, path);
    expect(await isSound(store, path)).toBe(true);
    expect((await listSnapshots(store, '')).deleted).toEqual([]);
    await expect(undeleteSnapshot(store, path)).rejects.toMatchObject({ code: 'not-found' });
  });

  test('is refused while it is marked or read, unless forced', async () => {
    const { store, clock, backUp, pass } = aWorld();
    const path = await backUp([file('a', 1)]);

    await setKept(store, path, { isKept: true });
    await expect(deleteSnapshot(store, path, { clock })).rejects.toMatchObject({ code: 'kept' });
    await setKept(store, path, { isKept: false });

    const pin = await pinSnapshot(store, path, { who: 'restore of job-9' });
    expect(pin.isHeld).toBe(true);
    await expect(deleteSnapshot(store, path, { clock })).rejects.toMatchObject({ code: 'in-use' });
    expect((await listSnapshots(store, '', { clock })).snapshots[0]?.marks.isPinned).toBe(true);
    await pin[Symbol.asyncDispose]();
    expect((await allKeys(store)).filter((key) => key.includes('pin-'))).toEqual([]);

    const dead = await pinSnapshot(store, path, { who: 'somebody who dies' });
    pass(7);
    await deleteSnapshot(store, path, { clock });
    await undeleteSnapshot(store, path);
    await dead[Symbol.asyncDispose]();
    await setKept(store, path, { isKept: true });
    await deleteSnapshot(store, path, { clock, force: true });
    expect((await listSnapshots(store, '')).snapshots).toEqual([]);
  });

  test('a reader that may not write is told that nothing protects it', async () => {
    const { store, backUp } = aWorld();
    const path = await backUp([file('a', 1)]);
    const denied = new ObjectStoreError('access denied', { code: 'access-denied' });
    const readOnly = withFaults(store, ({ operation }) =>
      operation === 'put' ? { kind: 'fail', error: denied } : undefined,
    );
    await using pin = await pinSnapshot(readOnly, path, { who: 'reader' });
    expect(pin.isHeld).toBe(false);
  });

  test('broken off half-way, it is still a backup, and can be finished', async () => {
    const { store, clock, backUp } = aWorld();
    const path = await backUp([file('a', 1)]);
    const down = new ObjectStoreError('down', { code: 'unavailable' });
    const faulty = withFaults(store, ({ operation }) =>
      operation === 'delete' ? { kind: 'fail', error: down } : undefined,
    );
    await expect(deleteSnapshot(faulty, path, { clock })).rejects.toBe(down);
    expect(await isSound(store, path)).toBe(true);
    expect((await listSnapshots(store, '')).deleted).toEqual([]);
    await deleteSnapshot(store, path, { clock });
    expect((await listSnapshots(store, '')).snapshots).toEqual([]);
  });
});

describe('sweeping', () => {
  test('removes packs nobody needs once the grace is over, and what is left of the deleted', async () => {
    const { store, clock, backUp, pass } = aWorld();
    const first = await backUp([file('same', 1), file('gone', 2)]);
    const second = await backUp([file('same', 1), file('new', 3)]);
    expect(await packKeys(store)).toHaveLength(2);
    const third = await backUp([file('new', 3)]);
    pass(100);
    await deleteSnapshot(store, first, { clock });
    await deleteSnapshot(store, second, { clock });

    expect(await sweep(store, APP, { clock })).toMatchObject({
      snapshots: 3,
      removedPacks: 0,
      removedArtefacts: [],
    });
    pass(73);
    const plan = await sweep(store, APP, { clock, dryRun: true });
    expect(plan).toMatchObject({ snapshots: 1, packs: 2, removedPacks: 1 });
    expect(await packKeys(store)).toHaveLength(2);

    const report = await sweep(store, APP, { clock });
    expect(report).toEqual({ ...plan, removedArtefacts: expect.anything() });
    expect(report.removedArtefacts.toSorted()).toEqual([first, second].toSorted());
    expect(await packKeys(store)).toHaveLength(1);
    expect((await allKeys(store, `${APP}backups/`)).every((key) => key.startsWith(third))).toBe(
      true,
    );
    expect(await isSound(store, third)).toBe(true);
    await expect(undeleteSnapshot(store, first)).rejects.toMatchObject({ code: 'not-found' });
  });

  test('leaves young packs, other applications, foreign objects and other folders alone', async () => {
    const { store, clock, backUp, pass } = aWorld();
    await backUp([file('a', 1)]);
    await store.put(`${APP}chunks/ab/${'ab'.repeat(32)}`, Buffer.from('young'));
    await store.put('some/path/prod/db-2/chunks/cd/old', Buffer.from('of another application'));
    await store.put(`${APP}backups/notes.txt`, Buffer.from('foreign'));
    await store.put(`${APP}backups/mine/readme`, Buffer.from('foreign'));
    const before = await allKeys(store);

    expect(await sweep(store, APP, { clock })).toMatchObject({ youngPacks: 1, removedPacks: 0 });
    expect(await allKeys(store)).toEqual(before);
    pass(100);
    expect(await sweep(store, APP, { clock })).toMatchObject({ youngPacks: 0, removedPacks: 1 });
    expect((await allKeys(store)).length).toBe(before.length - 1);
  });

  test('what a snapshot moved elsewhere in the application needs is kept', async () => {
    const { store, clock, backUp, pass } = aWorld();
    const path = await backUp([file('a', 1)]);
    const moved = path.replace('/backups/', '/archive/');
    for (const key of await allKeys(store, path)) {
      await store.put(key.replace(path, moved), await store.get(key));
      await store.delete([key]);
    }
    pass(1000);
    expect(await sweep(store, APP, { clock })).toMatchObject({ snapshots: 1, removedPacks: 0 });
    expect(await isSound(store, moved)).toBe(true);
  });

  test('removes nothing when it cannot tell what a snapshot needs', async () => {
    const { store, clock, backUp, pass } = aWorld();
    const broken = await backUp([file('a', 1)]);
    await backUp([file('b', 2)]);
    await store.put(`${APP}chunks/ab/${'ab'.repeat(32)}`, Buffer.from('unneeded'));
    await store.delete([`${broken}index-000000.jsonl.zst`]);
    pass(1000);
    const before = await allKeys(store);

    await expect(sweep(store, APP, { clock })).rejects.toMatchObject({
      code: 'damaged',
      message: expect.stringContaining(broken),
      hint: expect.stringContaining('nothing was removed'),
    });
    expect(await allKeys(store)).toEqual(before);

    await deleteSnapshot(store, broken, { clock });
    pass(100);
    expect(await sweep(store, APP, { clock })).toMatchObject({ removedPacks: 2 });
  });

  test('what the store does not let go is reported as retained', async () => {
    const { store, clock, backUp, pass } = aWorld();
    await backUp([file('a', 1)]);
    await store.put(`${APP}chunks/ab/${'ab'.repeat(32)}`, Buffer.from('locked'));
    pass(1000);
    const locked = new ObjectStoreError('the object is locked', { code: 'access-denied' });
    const worm = withFaults(store, ({ operation }) =>
      operation === 'delete' ? { kind: 'fail', error: locked } : undefined,
    );
    expect(await sweep(worm, APP, { clock })).toMatchObject({
      retainedObjects: 1,
      retainedReason: 'the object is locked',
    });
  });

  test('a snapshot brought back while the sweep runs keeps its packs', async () => {
    const { store, clock, backUp, pass } = aWorld();
    const path = await backUp([file('a', 1)]);
    await backUp([file('b', 2)]);
    await deleteSnapshot(store, path, { clock });
    pass(100);
    // The very moment before the sweep takes the name away.
    let isDone = false;
    const racing = withFaults(store, ({ operation }) => {
      if (operation === 'delete' && !isDone) {
        isDone = true;
        return {
          kind: 'wait',
          until: async () => {
            await undeleteSnapshot(store, path);
          },
        };
      }
      return undefined;
    });
    await sweep(racing, APP, { clock });
    expect(isDone).toBe(true);
    expect(await isSound(store, path)).toBe(true);
  });
});
