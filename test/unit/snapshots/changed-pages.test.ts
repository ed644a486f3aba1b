/** A page that changes in a database file costs itself, whatever its chunk is; and what is restored is proved all the same. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { createMemoryObjectStore, type ObjectStore } from '#object-store';
import { openSnapshot, type SnapshotEntry, sweep, verifySnapshot, writeSnapshot } from '#snapshots';
import {
  newRepositoryKey,
  type RepositoryKey,
} from '../../../lib/snapshots/crypto/repository-key.ts';
import { PAGE_SIZE } from '../../../lib/snapshots/format.ts';
import {
  applyPages,
  changedPages,
  cutPages,
  encodePages,
} from '../../../lib/snapshots/page-delta.ts';
import * as fc from '../../helpers/fast-check.ts';
import { aClock, allKeys, CHUNK_PREFIX, readAll, someBytes } from '../../helpers/snapshots.ts';

let store: ObjectStore;
let key: RepositoryKey | undefined;

beforeEach(() => {
  store = createMemoryObjectStore();
  key = undefined;
});

const SIZE = 3_000_000;

/** Bytes of which the pages with these numbers differ from those of the seed alone. */
function withPages(pages: readonly number[], version: number, size = SIZE): Buffer {
  const content = Buffer.from(someBytes(size, 1));
  for (const page of pages) {
    const target = content.subarray(page * PAGE_SIZE, (page + 1) * PAGE_SIZE);
    target.set(someBytes(target.length, 1000 * version + page + 2));
  }
  return content;
}

const pathOf = (job: number): string =>
  `some/path/prod/db/backups/202611${10 + job}T000000Z-job-${job}/`;

async function backUp(job: number, files: Readonly<Record<string, Buffer>>, compression = true) {
  return await writeSnapshot({
    store,
    artefactPath: pathOf(job),
    chunkPrefix: CHUNK_PREFIX,
    compression,
    key,
    recheckEvery: 1,
    attributes: {},
    clock: aClock(new Date(`2026-11-${10 + job}T00:00:00Z`)),
    entries: (async function* (): AsyncIterable<SnapshotEntry> {
      for (const [path, content] of Object.entries(files)) {
        yield {
          kind: 'file',
          path,
          open: async function* () {
            yield content;
          },
        };
      }
    })(),
  });
}

async function read(job: number, path = 'f'): Promise<Buffer> {
  const options = key === undefined ? {} : { keys: new Map([[key.keyId, key]]) };
  return await readAll((await openSnapshot(store, pathOf(job), options)).read(path));
}

/** Kept digests of a chunk of 32 pages. */
function digests(pages: readonly number[]): Buffer {
  const all = Buffer.alloc(32 * 16);
  for (const page of pages) {
    all.fill(1, page * 16, page * 16 + 1);
  }
  return all;
}

describe('a delta of pages', () => {
  test('gives the chunk back, whatever its size and whichever pages have changed', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 300_000 }),
        fc.array(fc.nat(36), { maxLength: 12 }),
        (size, some) => {
          const pages = [...new Set(some.map((it) => it % Math.ceil(size / PAGE_SIZE)))].toSorted(
            (a, b) => a - b,
          );
          const [base, chunk] = [withPages([], 0, size), withPages(pages, 1, size)];
          const encoded = encodePages(cutPages(chunk, pages), 3);
          expect(Buffer.compare(applyPages(base, encoded), chunk)).toBe(0);
        },
      ),
    );
  });

  test('is refused where it does not belong to the chunk', () => {
    const chunk = withPages([1], 1, 100_000);
    const encoded = encodePages(cutPages(chunk, [1]), 3);
    const [short, long] = [cutPages(chunk, [1]).subarray(0, 5000), Buffer.alloc(200_000)];
    expect(() => applyPages(withPages([], 0, 5000), encoded)).toThrow(/./);
    expect(() => applyPages(withPages([], 0, 100_000), encodePages(short, 3))).toThrow('cut short');
    expect(() => applyPages(withPages([], 0, 100_000), encodePages(long, 3))).toThrow(/./);
    expect(() => applyPages(chunk, encoded.subarray(0, -3))).toThrow(/./);
  });

  test('is not worth it for more than half of the pages, nor for chunks of other sizes', () => {
    expect(changedPages(digests([3, 31]), digests([]))).toEqual([3, 31]);
    expect(changedPages(digests([...Array(16).keys()]), digests([]))).toHaveLength(16);
    expect(changedPages(digests([...Array(17).keys()]), digests([]))).toBeUndefined();
    expect(changedPages(digests([]), Buffer.alloc(31 * 16))).toBeUndefined();
  });
});

describe('pages that change from backup to backup', () => {
  test.each([
    ['plain', true],
    ['plain, not compressed', false],
    ['encrypted', true],
  ])('cost themselves (%s)', async (kind, compression) => {
    key = kind === 'encrypted' ? newRepositoryKey() : undefined;
    await backUp(1, { f: withPages([], 0) }, compression);
    const second = await backUp(2, { f: withPages([0, 7, 100, 366], 1) }, compression);
    // Of the pages that had changed before one changes back, one stays, and one more comes.
    const third = await backUp(3, { f: withPages([7, 100, 200], 1) }, compression);

    // Pages of random bytes, and 3 kB of index, manifest and footers.
    expect(second.newBytes).toBeLessThan(4 * PAGE_SIZE + 8000);
    expect(third.newBytes).toBeLessThan(4 * PAGE_SIZE + 8000);
    expect(Buffer.compare(await read(1), withPages([], 0))).toBe(0);
    expect(Buffer.compare(await read(2), withPages([0, 7, 100, 366], 1))).toBe(0);
    expect(Buffer.compare(await read(3), withPages([7, 100, 200], 1))).toBe(0);
  });

  test('need nothing again when nothing more has changed', async () => {
    await backUp(1, { f: withPages([], 0) });
    await backUp(2, { f: withPages([5, 50], 1) });

    const third = await backUp(3, { f: withPages([5, 50], 1) });

    expect(third.newBytes).toBeLessThan(4000);
    expect(Buffer.compare(await read(3), withPages([5, 50], 1))).toBe(0);
  });

  test('make a chunk of its own of one in which most have', async () => {
    const most = [...Array(20).keys()];
    await backUp(1, { f: withPages([], 0) });
    const second = await backUp(2, { f: withPages(most, 1) });
    const third = await backUp(3, { f: withPages([...most, 21], 1) });

    expect(second.newBytes).toBeGreaterThan(250_000);
    expect(third.newBytes).toBeLessThan(PAGE_SIZE + 8000);
    expect(Buffer.compare(await read(3), withPages([...most, 21], 1))).toBe(0);
  });

  test('keep what they belong into from being swept, and stand when their own backup is the last', async () => {
    await backUp(1, { f: withPages([], 0) });
    await backUp(2, { f: withPages([9], 1) });
    await store.delete([`${pathOf(1)}manifest.json`, `${pathOf(1)}started.json`]);

    await sweep(store, 'some/path/prod/db/', {
      clock: aClock(new Date('2027-11-28T00:00:00Z')),
    });

    expect(Buffer.compare(await read(2), withPages([9], 1))).toBe(0);
    await verifySnapshot(store, pathOf(2), { level: 'full' });
  });

  test.each([
    ['here', 1_500_000, undefined],
    ['in threads', 20_000_000, undefined],
    ['in threads, encrypted', 20_000_000, newRepositoryKey()],
  ])('are put together when a tree is restored (%s)', async (_, size, withKey) => {
    key = withKey;
    const pages = [0, 3, 31, 32, 33, 150];
    await backUp(1, { e: withPages([], 0, 40_000), f: withPages([], 0, size) });
    await backUp(2, { e: withPages([2], 1, 40_000), f: withPages(pages, 1, size) });
    const directory = await mkdtemp(join(tmpdir(), 'changed-pages-'));
    try {
      const keys = key === undefined ? {} : { keys: new Map([[key.keyId, key]]) };

      await (await openSnapshot(store, pathOf(2), keys)).restoreTo({ directory });

      const [e, f] = [await readFile(join(directory, 'e')), await readFile(join(directory, 'f'))];
      expect(Buffer.compare(e, withPages([2], 1, 40_000))).toBe(0);
      expect(Buffer.compare(f, withPages(pages, 1, size))).toBe(0);
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  test('are stored whole where the digests of what was there are lost', async () => {
    await backUp(1, { f: withPages([], 0) });
    for (const pack of await allKeys(store, CHUNK_PREFIX)) {
      const data = Buffer.from(await store.get(pack));
      // In the footer; chunks need it no more than the index does.
      data[data.length - 60] = (data[data.length - 60] ?? 0) ^ 1;
      await store.put(pack, data);
    }

    const second = await backUp(2, { f: withPages([9], 1) });

    expect(second.newBytes).toBeGreaterThan(250_000);
    expect(Buffer.compare(await read(2), withPages([9], 1))).toBe(0);
  });

  test('wherever a byte is altered, verifying finds it and names the pack, and what needs it is not read', async () => {
    await backUp(1, { f: withPages([], 0, 600_000) });
    await backUp(2, { f: withPages([3, 40], 1, 600_000) });
    for (const pack of await allKeys(store, CHUNK_PREFIX)) {
      const sound = Buffer.from(await store.get(pack));
      const alter = async (at: number): Promise<void> => {
        const altered = Buffer.from(sound);
        altered[at] = (altered[at] ?? 0) ^ 0x10;
        await store.put(pack, altered);
      };
      const damage = { code: 'damaged', object: pack };
      for (const at of [10, Math.floor(sound.length / 3), sound.length - 10]) {
        await alter(at);
        await expect(verifySnapshot(store, pathOf(2), { level: 'full' })).rejects.toMatchObject(
          damage,
        );
      }
      // In the first chunk, which is whole in one pack and changed pages in the other.
      await alter(10);
      await expect(read(2)).rejects.toMatchObject(damage);
      await store.put(pack, sound);
    }
    expect(Buffer.compare(await read(2), withPages([3, 40], 1, 600_000))).toBe(0);
  });

  test('histories of any changes, growth and other files come back, each version', async () => {
    const change = fc.array(fc.nat(140), { maxLength: 60 });
    const size = fc.integer({ min: 1, max: 1_150_000 });
    const version = fc.record({ a: change, b: change, sizeOfA: size, hasB: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(
        fc.array(version, { minLength: 2, maxLength: 5 }),
        fc.boolean(),
        async (versions, isEncrypted) => {
          store = createMemoryObjectStore();
          key = isEncrypted ? newRepositoryKey() : undefined;
          const trees = versions.map(({ a, b, sizeOfA, hasB }, job) => {
            const pages = a.filter((page) => page * PAGE_SIZE < sizeOfA);
            return {
              a: withPages(pages, job + 1, sizeOfA),
              ...(hasB ? { b: withPages(b, job + 1, 1_150_000) } : {}),
            };
          });
          for (const [job, tree] of trees.entries()) {
            await backUp(job, tree);
          }
          for (const [job, tree] of trees.entries()) {
            for (const [path, content] of Object.entries(tree)) {
              expect(Buffer.compare(await read(job, path), content)).toBe(0);
            }
          }
        },
      ),
      { numRuns: 12 },
    );
  }, 120_000);
});
