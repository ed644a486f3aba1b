/** A backup that was interrupted is gone on with by the next one. */
import { describe, expect, test } from '@jest/globals';
import {
  createMemoryObjectStore,
  type ObjectStore,
  ObjectStoreError,
  withFaults,
} from '#object-store';
import { ensureKey, openSnapshot, type RepositoryKey } from '#snapshots';
import {
  aClock,
  allKeys,
  aSnapshot,
  CHUNK_PREFIX,
  someBytes,
  type TestEntry,
} from '../../helpers/snapshots.ts';

const SIZE = 30_000_000;
const ENTRIES: readonly TestEntry[] = [{ kind: 'file', path: 'f', content: someBytes(SIZE, 7) }];
const gone = new ObjectStoreError('cannot talk to the store: gone', { code: 'unreachable' });

async function aKey(): Promise<RepositoryKey> {
  const place = { store: createMemoryObjectStore(), chunkPrefix: CHUNK_PREFIX };
  return (await ensureKey(place, 'a passphrase of some length')).current;
}

/** Ends when three packs are there, as if the machine had been switched off. */
async function interrupted(store: ObjectStore, key?: RepositoryKey): Promise<void> {
  let packs = 0;
  const dying = withFaults(store, ({ operation, key: object }) => {
    packs += operation === 'put' && object.startsWith(CHUNK_PREFIX) ? 1 : 0;
    return packs > 3 ? { kind: 'fail', error: gone } : undefined;
  });
  await expect(backUp(dying, 'job-dead', 1, key)).rejects.toBe(gone);
  expect((await allKeys(store, CHUNK_PREFIX)).length).toBeGreaterThanOrEqual(3);
}

async function backUp(store: ObjectStore, jobId: string, hours: number, key?: RepositoryKey) {
  const time = new Date(Date.now() + hours * 3_600_000);
  return await aSnapshot({ store, entries: ENTRIES, jobId, time, clock: aClock(time), key });
}

describe('after a backup that was interrupted', () => {
  test.each(['plain', 'encrypted'])('the next stores only what is missing: %s', async (kind) => {
    const key = kind === 'plain' ? undefined : await aKey();
    const store = createMemoryObjectStore();
    await interrupted(store, key);
    const { newBytes, artefactPath } = await backUp(store, 'job-2', 2, key);
    expect(newBytes).toBeLessThan(8_000_000);
    const keys = key === undefined ? new Map() : new Map([[key.keyId, key]]);
    const { bytes } = await (await openSnapshot(store, artefactPath, { keys })).verify();
    expect(bytes).toBe(SIZE);
  });

  test('beside a complete one of other data, too', async () => {
    const store = createMemoryObjectStore();
    const time = new Date(Date.now() - 60_000);
    const other: TestEntry[] = [{ kind: 'file', path: 'g', content: someBytes(100_000, 8) }];
    await aSnapshot({ store, entries: other, jobId: 'job-1', time, clock: aClock(time) });
    await interrupted(store);
    expect((await backUp(store, 'job-2', 2)).newBytes).toBeLessThan(8_000_000);
  });

  test('a day later nothing is relied on that no snapshot names, as a sweep may come', async () => {
    const store = createMemoryObjectStore();
    await interrupted(store);
    expect((await backUp(store, 'job-2', 25)).newBytes).toBeGreaterThan(SIZE);
  });

  test.each([
    ['footer', -60],
    ['trailer', -5],
    ['magic', -47],
  ])('a pack whose %s is damaged is not used', async (_, at) => {
    const store = createMemoryObjectStore();
    await interrupted(store);
    const [pack = ''] = await allKeys(store, CHUNK_PREFIX);
    const data = Buffer.from(await store.get(pack));
    data.writeUInt8(data.readUInt8(data.length + at) ^ 1, data.length + at);
    await store.put(pack, data);
    const { newBytes, artefactPath } = await backUp(store, 'job-2', 2);
    expect(newBytes).toBeGreaterThan(8_000_000);
    expect(newBytes).toBeLessThan(17_000_000);
    expect((await (await openSnapshot(store, artefactPath)).verify()).bytes).toBe(SIZE);
  });

  test('packs sealed with another key are not used', async () => {
    const store = createMemoryObjectStore();
    await interrupted(store, await aKey());
    expect((await backUp(store, 'job-2', 2)).newBytes).toBeGreaterThan(SIZE);
  });
});
