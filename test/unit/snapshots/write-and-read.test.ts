import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { createMemoryObjectStore } from '#object-store';
import { draftSnapshot, openSnapshot, type SnapshotEntry, writeSnapshot } from '#snapshots';
import * as fc from '../../helpers/fast-check.ts';
import {
  aClock,
  allKeys,
  aSnapshot,
  aTree,
  CHUNK_PREFIX,
  readAll,
  someBytes,
  type TestEntry,
} from '../../helpers/snapshots.ts';

async function infosOf(snapshot: Awaited<ReturnType<typeof openSnapshot>>) {
  const infos = [];
  for await (const info of snapshot.entries()) {
    infos.push(info);
  }
  return infos;
}

function hasContent(entry: TestEntry): boolean {
  return entry.content !== undefined;
}

/** Backs up one entry; the outcome, and what is left below the artefact path. */
async function write(entry: SnapshotEntry) {
  const store = createMemoryObjectStore();
  const outcome = await writeSnapshot({
    store,
    artefactPath: 'p/m/a/backups/x',
    chunkPrefix: 'p/m/a/chunks',
    entries: (async function* () {
      yield entry;
    })(),
    compression: true,
    attributes: {},
    clock: aClock(),
  }).catch((error: unknown) => error);
  return { outcome, keys: await allKeys(store, 'p/m/a/backups') };
}

async function* open(): AsyncIterable<Uint8Array> {
  yield Buffer.from('12345');
}

async function* failing(): AsyncIterable<Uint8Array> {
  yield Buffer.alloc(1_000_000);
  throw new Error('the server went away');
}

describe('a draft', () => {
  test('writes nothing before it is told what, and then takes over what it has found', async () => {
    const { store, artefactPath: before } = await aSnapshot();
    const keys = await allKeys(store);
    const draft = await draftSnapshot({
      store,
      artefactPath: 'some/path/prod/db/backups/20261122T020304Z-job-2',
      chunkPrefix: CHUNK_PREFIX,
      compression: true,
      clock: aClock(),
    });
    expect(await allKeys(store)).toEqual(keys);

    const first = await openSnapshot(store, before);
    const { newBytes, artefactPath } = await draft.write({
      entries: (async function* () {
        yield {
          kind: 'file' as const,
          path: 'base/exact',
          size: 524_288,
          open: () => first.read('base/exact'),
        };
      })(),
      attributes: {},
    });

    expect(newBytes).toBeLessThan(2_000);
    const started = await store.get(`${artefactPath}started.json`);
    expect(JSON.parse(Buffer.from(started).toString())).toMatchObject({ parent: before });
  });
});

describe('writing and reading', () => {
  test.each([true, false])(
    'every entry comes back as it was (compression %p)',
    async (compression) => {
      const { store, artefactPath } = await aSnapshot({ compression });
      const snapshot = await openSnapshot(store, artefactPath);
      expect(await infosOf(snapshot)).toEqual(
        aTree().map(({ content, ...entry }) => ({ ...entry, size: content?.length ?? 0 })),
      );
      for (const { path, content = Buffer.alloc(0) } of aTree().filter(hasContent)) {
        expect(Buffer.compare(await readAll(snapshot.read(path)), content)).toBe(0);
      }
      expect(await snapshot.verify()).toEqual({ entries: 12, files: 8, bytes: 3_224_295 });
    },
  );

  test('arbitrary trees come back', async () => {
    const name = fc.stringMatching(/^[a-z]{1,3}$/);
    const content = fc.oneof(
      fc.uint8Array({ maxLength: 50 }),
      fc.integer({ min: 0, max: 600_000 }).map((length) => someBytes(length, length)),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.tuple(name, content), { maxLength: 8, selector: ([it]) => it }),
        fc.boolean(),
        async (files, compression) => {
          const entries = files.map(
            ([it, bytes]): TestEntry => ({ kind: 'file', path: `${it}/${it}`, content: bytes }),
          );
          const { store, artefactPath } = await aSnapshot({ entries, compression });
          const snapshot = await openSnapshot(store, artefactPath);
          for (const { path, content: expected } of entries) {
            const back = await readAll(snapshot.read(path));
            expect(Buffer.compare(back, expected ?? Buffer.alloc(0))).toBe(0);
          }
        },
      ),
      { numRuns: 25 },
    );
  });

  test('the summary counts entries, bytes and what had to be stored', async () => {
    const summary = await aSnapshot();
    expect(summary).toMatchObject({
      files: 8,
      totalBytes: 3_224_295,
      createdAt: expect.any(String),
    });
    // Two copies of one file and a megabyte of zeros cost next to nothing.
    expect(summary.storedBytes).toBeLessThan(1_300_000);
    expect(summary.newBytes).toBeGreaterThan(summary.storedBytes);
    expect(summary.newBytes).toBeLessThan(summary.storedBytes + 5000);
  });

  test('thousands of small files make few objects', async () => {
    const entries = Array.from(
      { length: 3000 },
      (_, index): TestEntry => ({
        kind: 'file',
        path: `f/${index}`,
        content: Buffer.from(`${index}`),
      }),
    );
    const { store, artefactPath } = await aSnapshot({ entries });
    expect(await allKeys(store)).toHaveLength(4);
    const snapshot = await openSnapshot(store, artefactPath);
    expect((await readAll(snapshot.read('f/2718'))).toString()).toBe('2718');
  });

  test('a snapshot without entries is a snapshot', async () => {
    const { store, artefactPath } = await aSnapshot({ entries: [] });
    const snapshot = await openSnapshot(store, artefactPath);
    expect(await infosOf(snapshot)).toEqual([]);
    expect(await snapshot.verify()).toEqual({ entries: 0, files: 0, bytes: 0 });
  });

  test('equal sources give equal packs, and each pack is named by its content', async () => {
    const [one, two] = [await aSnapshot(), await aSnapshot()];
    const packs = await allKeys(one.store, CHUNK_PREFIX);
    expect(await allKeys(two.store, CHUNK_PREFIX)).toEqual(packs);
    for (const key of packs) {
      const digest = createHash('sha256')
        .update(await one.store.get(key))
        .digest('hex');
      expect(key).toBe(`${CHUNK_PREFIX}${digest.slice(0, 2)}/${digest}`);
    }
  });

  test('the attributes and times are in the manifest', async () => {
    const attributes = { engine: 'x', nested: { list: [1, 'two', null, true] } };
    const { store, artefactPath } = await aSnapshot({ attributes });
    const { manifest } = await openSnapshot(store, ` /${artefactPath}/ `);
    expect(manifest).toMatchObject({
      formatVersion: 1,
      attributes,
      createdAt: '2026-11-21T02:03:04.000Z',
      chunks: '../../chunks/',
    });
  });

  test('progress grows to the total', async () => {
    const seen: { bytesRead: number; bytesStored: number }[] = [];
    const { totalBytes, store, artefactPath } = await aSnapshot({
      onProgress: (progress) => seen.push(progress),
    });
    expect(seen.at(-1)?.bytesRead).toBe(totalBytes);
    expect(seen.at(-1)?.bytesStored).toBeGreaterThan(1_000_000);
    const read: number[] = [];
    const snapshot = await openSnapshot(store, artefactPath);
    await snapshot.verify({ onProgress: ({ bytesVerified }) => read.push(bytesVerified) });
    expect(read.at(-1)).toBe(totalBytes);
  });

  test('reading what is not there says so', async () => {
    const { store, artefactPath } = await aSnapshot();
    const snapshot = await openSnapshot(store, artefactPath);
    for (const path of ['no/such', 'base', 'base/link']) {
      await expect(readAll(snapshot.read(path))).rejects.toMatchObject({ code: 'no-such-entry' });
    }
  });

  test('a tree copied to another place still restores', async () => {
    const { store, artefactPath } = await aSnapshot();
    const copy = createMemoryObjectStore();
    for (const key of await allKeys(store)) {
      await copy.put(`elsewhere/${key}`, await store.get(key));
    }
    const snapshot = await openSnapshot(copy, `elsewhere/${artefactPath}`);
    expect((await snapshot.verify()).files).toBe(8);
  });
});

describe('only what changed is stored again', () => {
  test('an unchanged source costs less than a thousandth', async () => {
    const entries = [{ kind: 'file' as const, path: 'big', content: someBytes(20_000_000, 7) }];
    const first = await aSnapshot({ entries });
    const second = await aSnapshot({
      store: first.store,
      entries,
      jobId: 'job-2',
      time: new Date('2026-11-22T00:00:00Z'),
    });
    expect(second.newBytes).toBeLessThan(first.newBytes / 1000);
    expect(second.storedBytes).toBe(first.storedBytes);
    const snapshot = await openSnapshot(first.store, second.artefactPath);
    expect(Buffer.compare(await readAll(snapshot.read('big')), someBytes(20_000_000, 7))).toBe(0);
  });

  test('one changed byte costs one page', async () => {
    const content = someBytes(5_000_000, 7);
    const first = await aSnapshot({ entries: [{ kind: 'file', path: 'big', content }] });
    const changed = Buffer.from(content);
    changed[2_500_000] = 1 + (changed[2_500_000] ?? 0);
    const second = await aSnapshot({
      store: first.store,
      entries: [{ kind: 'file', path: 'big', content: changed }],
      jobId: 'job-2',
    });
    expect(second.newBytes).toBeGreaterThan(8192);
    expect(second.newBytes).toBeLessThan(8192 + 5000);
    const snapshot = await openSnapshot(first.store, second.artefactPath);
    expect(Buffer.compare(await readAll(snapshot.read('big')), changed)).toBe(0);
  });

  test('chunks whose pack is gone are stored again', async () => {
    const first = await aSnapshot();
    await first.store.delete(await allKeys(first.store, CHUNK_PREFIX));
    const second = await aSnapshot({ store: first.store, jobId: 'job-2' });
    const snapshot = await openSnapshot(first.store, second.artefactPath);
    expect((await snapshot.verify()).files).toBe(8);
  });

  test('a damaged earlier snapshot does not stop a backup', async () => {
    const first = await aSnapshot();
    await first.store.put(`${first.artefactPath}index-000000.jsonl.zst`, Buffer.from('rubbish'));
    const second = await aSnapshot({ store: first.store, jobId: 'job-2' });
    expect((await (await openSnapshot(first.store, second.artefactPath)).verify()).files).toBe(8);
  });
});

describe('sources that cannot be backed up', () => {
  test.each([
    ['a path that leads out', { kind: 'file', path: '../x', open }, 'unsafe-entry'],
    ['a file shorter than announced', { kind: 'file', path: 'x', size: 6, open }, 'source-changed'],
    ['a file longer than announced', { kind: 'file', path: 'x', size: 4, open }, 'source-changed'],
    ['a file without content', { kind: 'file', path: 'x' }, 'invalid-entry'],
    ['a symlink to nowhere', { kind: 'symlink', path: 'x' }, 'invalid-entry'],
  ] as const)('%s is refused, and leaves no backup', async (_, entry, code) => {
    const { outcome, keys } = await write(entry);
    expect(outcome).toMatchObject({ code });
    expect(keys).toEqual([]);
  });

  test('a source that fails in the middle fails the backup with its own error', async () => {
    const { outcome, keys } = await write({ kind: 'file', path: 'x', open: failing });
    expect(outcome).toMatchObject({ message: 'the server went away' });
    expect(keys).toEqual([]);
  });

  test('a second backup under the same path is refused and harms nothing', async () => {
    const first = await aSnapshot();
    await expect(aSnapshot({ store: first.store })).rejects.toMatchObject({
      code: 'already-exists',
    });
    expect((await (await openSnapshot(first.store, first.artefactPath)).verify()).files).toBe(8);
  });
});
