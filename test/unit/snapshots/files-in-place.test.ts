/** Files that the writer reads itself, in threads, and does not read where nothing has changed. */
import {
  appendFile,
  mkdtemp,
  rm,
  stat,
  symlink,
  truncate,
  unlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createMemoryObjectStore, type ObjectStore } from '#object-store';
import {
  comparePaths,
  type EntryFile,
  openSnapshot,
  ReadBarrier,
  type SnapshotEntry,
  type WriteSnapshotOptions,
  writeSnapshot,
} from '#snapshots';
import { newRepositoryKey } from '../../../lib/snapshots/crypto/repository-key.ts';
import * as fc from '../../helpers/fast-check.ts';
import { aClock, allKeys, CHUNK_PREFIX, readAll, someBytes } from '../../helpers/snapshots.ts';

let directory: string;
let store: ObjectStore;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'in-place-'));
  store = createMemoryObjectStore();
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

const RULES = { whenShort: 'fail', whenGone: 'fail' } as const;

async function put(name: string, content: Uint8Array): Promise<void> {
  await writeFile(join(directory, name), content);
}

/** The entry of a file as it is now. */
async function entryOf(name: string, rules: Partial<EntryFile> = {}): Promise<SnapshotEntry> {
  const path = join(directory, name);
  const { size } = await stat(path);
  return { kind: 'file', path: name, size, file: { ...RULES, ...rules, path } };
}

/** The same, as of a file whose content can be known by its fingerprint. */
async function printed(name: string, fingerprint: string): Promise<SnapshotEntry> {
  return { ...(await entryOf(name)), fingerprint };
}

async function backUp(
  job: number,
  entries: Iterable<SnapshotEntry> | AsyncIterable<SnapshotEntry>,
  options: Partial<WriteSnapshotOptions> = {},
) {
  return await writeSnapshot({
    store,
    artefactPath: `some/path/prod/db/backups/2026112${job}T000000Z-job/`,
    chunkPrefix: CHUNK_PREFIX,
    compression: true,
    attributes: {},
    clock: aClock(),
    ...options,
    entries: (async function* () {
      yield* entries;
    })(),
  });
}

async function read(job: number, path: string, key?: WriteSnapshotOptions['key']): Promise<Buffer> {
  const artefactPath = `some/path/prod/db/backups/2026112${job}T000000Z-job/`;
  const snapshot = await openSnapshot(
    store,
    artefactPath,
    key === undefined ? {} : { keys: new Map([[key.keyId, key]]) },
  );
  return await readAll(snapshot.read(path));
}

describe('files read in place', () => {
  test('come back as they were: empty, tiny, of several chunks, more than fit before threads start', async () => {
    const contents = {
      big: someBytes(23_000_001, 7, 'compressible'),
      empty: Buffer.alloc(0),
      exact: someBytes(524_288, 3),
      tiny: Buffer.from('tiny'),
    };
    for (const [name, content] of Object.entries(contents)) {
      await put(name, content);
    }

    const entries = await Promise.all(Object.keys(contents).map(async (it) => await entryOf(it)));
    const summary = await backUp(1, entries);

    expect(summary).toMatchObject({ files: 4, totalBytes: 23_524_293 });
    for (const [name, content] of Object.entries(contents)) {
      expect(Buffer.compare(await read(1, name), content)).toBe(0);
    }
  });

  test('give the very packs that the same bytes give as a stream', async () => {
    const content = someBytes(12_345_678, 5, 'compressible');
    await put('f', content);
    await backUp(1, [await entryOf('f')]);
    const inPlace = await allKeys(store, CHUNK_PREFIX);
    store = createMemoryObjectStore();

    await backUp(1, [
      {
        kind: 'file',
        path: 'f',
        open: async function* () {
          yield content;
        },
      },
    ]);

    expect(await allKeys(store, CHUNK_PREFIX)).toEqual(inPlace);
  });

  test('are encrypted in threads, too', async () => {
    const key = newRepositoryKey();
    const content = someBytes(14_000_000, 5);
    await put('f', content);

    await backUp(1, [await entryOf('f')], { key, recheckEvery: 1 });

    expect(Buffer.compare(await read(1, 'f', key), content)).toBe(0);
  });

  test('a file that has become shorter fails the backup, or is filled up with zeros', async () => {
    await put('f', someBytes(600_000));
    const [strict, lenient] = [await entryOf('f'), await entryOf('f', { whenShort: 'zeros' })];
    await truncate(join(directory, 'f'), 300_000);

    await expect(backUp(1, [strict])).rejects.toMatchObject({
      code: 'source-changed',
      message: expect.stringContaining('300000 bytes'),
    });
    await backUp(2, [lenient]);

    const back = await read(2, 'f');
    expect(back.length).toBe(600_000);
    expect(Buffer.compare(back.subarray(0, 300_000), someBytes(600_000).subarray(0, 300_000))).toBe(
      0,
    );
    expect(back.subarray(300_000).every((byte) => byte === 0)).toBe(true);
  });

  test('a file that has grown is read as far as it was said to go', async () => {
    await put('f', someBytes(1000));
    const entry = await entryOf('f');
    await appendFile(join(directory, 'f'), 'more');

    await backUp(1, [entry]);

    expect(Buffer.compare(await read(1, 'f'), someBytes(1000))).toBe(0);
  });

  test.each([1000, 3_000_000])(
    'one of %d bytes that is gone is left out, and told',
    async (size) => {
      const gone: string[] = [];
      await put('a', someBytes(10, 1));
      await put('b', someBytes(size, 2));
      await put('c', someBytes(10, 3));
      const rules = { whenGone: 'skip', onGone: () => gone.push('b') } as const;
      const entries = [await entryOf('a'), await entryOf('b', rules), await entryOf('c')];
      await unlink(join(directory, 'b'));

      const summary = await backUp(1, entries);

      expect(gone).toEqual(['b']);
      expect(summary).toMatchObject({ files: 2, totalBytes: 20 });
      expect(Buffer.compare(await read(1, 'c'), someBytes(10, 3))).toBe(0);
      await expect(read(1, 'b')).rejects.toMatchObject({ code: 'no-such-entry' });
    },
  );

  test.each([1000, 3_000_000])(
    'one of %d bytes that must not go fails the backup',
    async (size) => {
      await put('f', someBytes(size));
      const entry = await entryOf('f');
      await unlink(join(directory, 'f'));

      await expect(backUp(1, [entry])).rejects.toMatchObject({
        code: 'source-changed',
        message: expect.stringMatching(/^cannot back up ".*f": ENOENT/),
      });
      expect(await allKeys(store, 'some/path/prod/db/backups/')).toEqual([]);
    },
  );

  test('a link put in the place of a file is not followed', async () => {
    await put('f', someBytes(1000));
    await put('secret', Buffer.from('root only'));
    const entry = await entryOf('f');
    await unlink(join(directory, 'f'));
    await symlink(join(directory, 'secret'), join(directory, 'f'));

    await expect(backUp(1, [entry])).rejects.toThrow(/^cannot back up .*ELOOP/);
  });

  test('a big file replaced while it is read is read from the one that was opened', async () => {
    const content = someBytes(9_000_000, 4);
    await put('f', content);
    const entry = await entryOf('f');

    await backUp(1, [entry], {
      limitRead: async () => {
        // Before the first batch is read, and again before each other.
        await unlink(join(directory, 'f')).catch(() => undefined);
        await put('f', Buffer.from('another file'));
      },
    });

    expect(Buffer.compare(await read(1, 'f'), content)).toBe(0);
  });

  test('the source learns when all it handed out has been read', async () => {
    const reads = new ReadBarrier();
    await put('f', someBytes(5_000_000));
    const entries = (async function* () {
      yield await entryOf('f');
      await reads.settled();
      await truncate(join(directory, 'f'), 0);
    })();

    await backUp(1, entries, { reads });

    expect(Buffer.compare(await read(1, 'f'), someBytes(5_000_000))).toBe(0);
  });
});

describe('files that have not changed', () => {
  test('are taken over without being read, and the new backup stands on its own', async () => {
    await put('a', someBytes(1_000_000, 1));
    await put('b', someBytes(1_000_000, 2));
    const first = await backUp(1, [await printed('a', '1'), await printed('b', '1')]);
    const entries = [await printed('a', '1'), await printed('b', '2')];
    // Whoever reads it sees it.
    await put('a', Buffer.alloc(1_000_000));
    await put('b', someBytes(1_000_000, 3));

    const second = await backUp(2, entries);

    expect(second.totalBytes).toBe(first.totalBytes);
    expect(second.storedBytes).toBe(first.storedBytes);
    expect(second.newBytes).toBeLessThan(1_010_000);
    expect(Buffer.compare(await read(2, 'a'), someBytes(1_000_000, 1))).toBe(0);
    expect(Buffer.compare(await read(2, 'b'), someBytes(1_000_000, 3))).toBe(0);
    // And the next one can build on what was taken over.
    const third = await backUp(3, entries);
    expect(third.newBytes).toBeLessThan(5000);
  });

  test('are read where what the earlier backup stored is gone', async () => {
    await put('a', someBytes(1_000_000, 1));
    await backUp(1, [await printed('a', '1')]);
    await store.delete(await allKeys(store, CHUNK_PREFIX));

    await backUp(2, [await printed('a', '1')]);

    expect(Buffer.compare(await read(2, 'a'), someBytes(1_000_000, 1))).toBe(0);
  });

  test('are read when they cannot be known to be the same', async () => {
    await put('a', someBytes(1000, 1));
    await backUp(1, [await entryOf('a')]);
    await put('a', someBytes(1000, 2));

    await backUp(2, [await printed('a', '1')]);
    await put('a', someBytes(1000, 3));
    await backUp(3, [await entryOf('a')]);

    expect(Buffer.compare(await read(2, 'a'), someBytes(1000, 2))).toBe(0);
    expect(Buffer.compare(await read(3, 'a'), someBytes(1000, 3))).toBe(0);
  });

  test('are found among any others, and only where they are', async () => {
    const name = fc.stringMatching(/^[a-c]{1,2}(\/[a-c]){0,2}$/);
    const names = fc.uniqueArray(name, { maxLength: 12 });
    await put('content', Buffer.from('12345'));
    const entry = await entryOf('content');
    await fc.assert(
      fc.asyncProperty(names, names, async (before, now) => {
        store = createMemoryObjectStore();
        const treeOf = (all: readonly string[]): SnapshotEntry[] =>
          withoutNesting(all).map((path) => ({ ...entry, path, fingerprint: path }));
        await put('content', Buffer.from('12345'));
        await backUp(1, treeOf(before));
        await put('content', Buffer.from('abcde'));

        await backUp(2, treeOf(now));

        const old = new Set(withoutNesting(before));
        for (const path of withoutNesting(now)) {
          expect((await read(2, path)).toString()).toBe(old.has(path) ? '12345' : 'abcde');
        }
      }),
      { numRuns: 40 },
    );
  });
});

/** In order, without files below files. */
function withoutNesting(names: readonly string[]): string[] {
  return names
    .filter((it) => !names.some((other) => it.startsWith(`${other}/`)))
    .toSorted(comparePaths);
}
