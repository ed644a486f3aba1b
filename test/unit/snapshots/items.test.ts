/** Looking into a snapshot and taking some of it out, with no more reading than that takes. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createMemoryObjectStore, type ObjectStore, withPrefix } from '#object-store';
import { type EntryInfo, isAtOrBelow, openSnapshot, summariseItems } from '#snapshots';
import { allKeys, aSnapshot, someBytes, type TestEntry } from '../../helpers/snapshots.ts';

const MIB = 1024 * 1024;

/** 48 MiB of which one file is asked for. */
function aCluster(): TestEntry[] {
  return [
    { kind: 'directory', path: '.', mode: 0o700 },
    { kind: 'file', path: 'PG_VERSION', mode: 0o600, content: Buffer.from('15\n') },
    { kind: 'directory', path: 'base', mode: 0o700, mtimeMs: 1_700_000_000_000 },
    ...Array.from({ length: 12 }, (_, at) => ({
      kind: 'file' as const,
      path: `base/${at}`,
      content: someBytes(4 * MIB, at + 1),
    })),
    { kind: 'directory', path: 'conf.d', mode: 0o755 },
    { kind: 'file', path: 'conf.d/one.conf', mode: 0o640, content: Buffer.from('port = 1') },
    { kind: 'symlink', path: 'conf.d/two.conf', target: 'one.conf' },
    { kind: 'file', path: 'confused', content: Buffer.from('not conf.d') },
    { kind: 'stream', path: 'dump', content: someBytes(MIB, 99) },
  ];
}

let scratch: string;
let store: ObjectStore;
let artefactPath: string;
/** What was read: the key, and the bytes that came. */
let reads: { readonly key: string; readonly bytes: number }[] = [];

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'snapshot-items-'));
  const inner = createMemoryObjectStore();
  ({ artefactPath } = await aSnapshot({ store: inner, entries: aCluster() }));
  store = counting(inner);
});

afterAll(async () => await rm(scratch, { recursive: true, force: true }));

beforeEach(() => {
  reads = [];
});

function noted(key: string, data: Uint8Array): Uint8Array {
  reads.push({ key, bytes: data.length });
  return data;
}

/** The same store, whose reads are noted. */
function counting(inner: ObjectStore): ObjectStore {
  return {
    // Its methods as own properties.
    ...withPrefix(inner, ''),
    get: async (key, options) => noted(key, await inner.get(key, options)),
    getRange: async (key, range, options) => noted(key, await inner.getRange(key, range, options)),
  };
}

async function* listed(...entries: readonly EntryInfo[]): AsyncIterable<EntryInfo> {
  yield* entries;
}

const dataReads = () => reads.filter(({ key }) => key.includes('/chunks/'));

async function paths(directory: string): Promise<readonly string[]> {
  const snapshot = await openSnapshot(store, artefactPath);
  return (await summariseItems(snapshot.entries(), directory)).map(({ path }) => path);
}

describe('looking into a snapshot', () => {
  test('tells what lies directly in a directory, and reads no data for that', async () => {
    expect(await paths('')).toEqual(['PG_VERSION', 'base', 'conf.d', 'confused', 'dump']);
    expect(await paths('conf.d')).toEqual(['conf.d/one.conf', 'conf.d/two.conf']);
    expect(await paths('conf.d/one.conf')).toEqual(['conf.d/one.conf']);
    expect(await paths('conf')).toEqual([]);
    expect(dataReads()).toEqual([]);
  });

  test('adds up what a directory holds, and tells its own time', async () => {
    const snapshot = await openSnapshot(store, artefactPath);
    const items = await summariseItems(snapshot.entries(), '');
    expect(items.find(({ path }) => path === 'base')).toEqual({
      path: 'base',
      kind: 'directory',
      bytes: 48 * MIB,
      files: 12,
      mode: 0o700,
      modifiedAt: '2023-11-14T22:13:20.000Z',
    });
  });

  test('shows directories that have no entry of their own', async () => {
    const items = await summariseItems(
      listed({ kind: 'file', path: 'a/b/c', size: 3 }, { kind: 'file', path: 'a/d', size: 4 }),
      'a',
    );
    expect(items).toEqual([
      { path: 'a/b', kind: 'directory', bytes: 3, files: 1 },
      { path: 'a/d', kind: 'file', bytes: 4, files: 1 },
    ]);
  });

  test.each([
    ['a/b', 'a', true],
    ['a', 'a', true],
    ['ab', 'a', false],
    ['a', 'a/b', false],
    ['a', '', true],
  ])('%j lies at or below %j: %j', (path, item, expected) => {
    expect(isAtOrBelow(path, item)).toBe(expected);
  });
});

describe('restoring some of it', () => {
  let count = 0;

  async function restore(...items: readonly string[]): Promise<string> {
    count += 1;
    const directory = join(scratch, String(count));
    const snapshot = await openSnapshot(store, artefactPath);
    const select = (path: string) => items.some((item) => isAtOrBelow(path, item));
    summary = await snapshot.restoreTo({ directory, select });
    return directory;
  }

  let summary: unknown;

  test('one file costs one read of its bytes', async () => {
    const directory = await restore('base/7');
    expect(await readdir(directory, { recursive: true })).toEqual(['base', 'base/7']);
    expect(await readFile(join(directory, 'base/7'))).toEqual(someBytes(4 * MIB, 8));
    expect(summary).toEqual({ entries: 1, files: 1, bytes: 4 * MIB });
    const bytes = dataReads().reduce((total, one) => total + one.bytes, 0);
    expect(bytes).toBeLessThan(4.1 * MIB);
    expect(dataReads().length).toBeLessThan(6);
  });

  test('a directory comes with its links and modes, and without its namesakes', async () => {
    const directory = await restore('conf.d');
    expect((await readdir(directory, { recursive: true })).toSorted()).toEqual([
      'conf.d',
      'conf.d/one.conf',
      'conf.d/two.conf',
    ]);
    expect(summary).toEqual({ entries: 3, files: 1, bytes: 8 });
    expect(dataReads()).toHaveLength(1);
  });

  test('what is asked for is paced', async () => {
    const paced: number[] = [];
    const snapshot = await openSnapshot(store, artefactPath);
    await snapshot.restoreTo({
      directory: join(scratch, 'paced'),
      select: (path) => path === 'dump',
      pace: async (bytes) => {
        paced.push(bytes);
      },
    });
    expect(paced.reduce((total, bytes) => total + bytes, 0)).toBe(MIB);
  });

  test('what else is gone does not keep it back', async () => {
    const copy = createMemoryObjectStore();
    const snapshot = await openSnapshot(store, artefactPath);
    for await (const { key } of store.list('')) {
      await copy.put(key, await store.get(key));
    }
    reads = [];
    await snapshot.restoreTo({
      directory: join(scratch, 'which'),
      select: (path) => path === 'dump',
    });
    const needed = new Set(dataReads().map(({ key }) => key));
    const others = (await allKeys(copy)).filter(
      (key) => key.includes('/chunks/') && !needed.has(key),
    );
    expect(others.length).toBeGreaterThan(3);
    await copy.delete(others);
    const damaged = await openSnapshot(copy, artefactPath);
    const directory = join(scratch, 'rest');
    await damaged.restoreTo({ directory, select: (path) => path === 'dump' });
    expect(await readFile(join(directory, 'dump'))).toEqual(someBytes(MIB, 99));
    await expect(damaged.restoreTo({ directory: join(scratch, 'all') })).rejects.toMatchObject({
      code: 'damaged',
    });
  });
});
