import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createMemoryObjectStore, type ObjectStore, withFaults } from '#object-store';
import { openSnapshot } from '#snapshots';
import { PLAIN_CODING } from '../../../lib/snapshots/coding.ts';
import { encodeManifest } from '../../../lib/snapshots/manifest.ts';
import * as fc from '../../helpers/fast-check.ts';
import {
  allKeys,
  aSnapshot,
  aTree,
  CHUNK_PREFIX,
  someBytes,
  type TestEntry,
} from '../../helpers/snapshots.ts';

let directory: string;
let target: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'restore-'));
  target = join(directory, 'target');
});
afterEach(async () => await rm(directory, { recursive: true, force: true }));

async function restore(store: ObjectStore, artefactPath: string, options = {}) {
  const snapshot = await openSnapshot(store, artefactPath);
  return await snapshot.restoreTo({ directory: target, ...options });
}

async function filesBelow(path: string): Promise<string[]> {
  return (await readdir(path, { recursive: true })).toSorted();
}

/** What lies where the entry should be, as far as the entry says what it should be. */
async function describePath(entry: TestEntry) {
  const path = join(target, entry.path);
  const found = await lstat(path);
  const symlink = found.isSymbolicLink();
  return {
    kind: symlink ? 'symlink' : found.isDirectory() ? 'directory' : 'file',
    sha256: found.isFile() ? sha256(await readFile(path)) : undefined,
    mode: entry.mode === undefined ? undefined : found.mode & 0o7777,
    mtimeMs: entry.mtimeMs === undefined ? undefined : found.mtimeMs,
    target: symlink ? await readlink(path) : undefined,
  };
}

function idOf(flag: string, user: string): number {
  return Number(execFileSync('id', [flag, user]));
}

function sha256(data: Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

/** A sealed, consistent snapshot whose index is any text. */
async function forge(lines: readonly object[]): Promise<{ store: ObjectStore; path: string }> {
  const { store, artefactPath } = await aSnapshot({ entries: [] });
  const { manifest } = await openSnapshot(store, artefactPath);
  const index = Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  const part = {
    object: 'index-000000.jsonl',
    size: index.length,
    sha256: sha256(index),
    encoding: 'raw' as const,
    contentSize: index.length,
  };
  const entries = lines.filter((line) => 'entry' in line).length;
  const totals = { ...manifest.totals, entries };
  const forged = createMemoryObjectStore();
  await forged.put('a/b/evil/index-000000.jsonl', index);
  await forged.put(
    'a/b/evil/manifest.json',
    encodeManifest({ ...manifest, totals, index: [part] }, PLAIN_CODING),
  );
  return { store: forged, path: 'a/b/evil' };
}

describe('restoring a tree', () => {
  test('contents, modes, times, links and empty directories are as they were', async () => {
    const { store, artefactPath } = await aSnapshot();
    expect(await restore(store, artefactPath)).toEqual({
      entries: 12,
      files: 8,
      bytes: 3_224_295,
    });
    for (const entry of aTree()) {
      expect(await describePath(entry)).toEqual({
        kind: entry.kind === 'stream' ? 'file' : entry.kind,
        sha256: entry.content === undefined ? undefined : sha256(entry.content),
        mode: entry.mode,
        mtimeMs: entry.mtimeMs,
        target: entry.target,
      });
    }
    expect(await filesBelow(target)).toHaveLength(13);
  });

  test('arbitrary trees come back, also from a second, incremental snapshot', async () => {
    const name = fc.stringMatching(/^[a-c]{1,2}$/);
    const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join('/f-'));
    const file = fc.tuple(path, fc.integer({ min: 0, max: 800_000 }));
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(file, { maxLength: 10, selector: ([it]) => it }),
        async (files) => {
          const entries = files
            .filter(([it]) => !files.some(([other]) => other.startsWith(`${it}/`)))
            .map(([it, size]): TestEntry => {
              return { kind: 'file', path: it, content: someBytes(size, size) };
            });
          const first = await aSnapshot({ entries: entries.slice(1) });
          const second = await aSnapshot({ entries, store: first.store, jobId: 'job-2' });
          await rm(target, { recursive: true, force: true });
          await restore(first.store, second.artefactPath);
          for (const { path: it, content } of entries) {
            expect((await readFile(join(target, it))).equals(content ?? Buffer.alloc(0))).toBe(
              true,
            );
          }
        },
      ),
      { numRuns: 20 },
    );
  });

  test('ownership is kept where root restores, by name before number', async () => {
    expect(process.getuid?.()).toBe(0);
    const content = Buffer.from('x');
    const entries: TestEntry[] = [
      { kind: 'directory', path: 'd', uid: 1234, gid: 1235 },
      { kind: 'file', path: 'd/by-number', uid: 1236, gid: 1237, content },
      {
        kind: 'file',
        path: 'd/by-name',
        uid: 1,
        gid: 2,
        owner: 'nobody',
        group: 'daemon',
        content,
      },
      { kind: 'symlink', path: 'd/link', uid: 1238, gid: 1239, target: 'by-name' },
    ];
    const { store, artefactPath } = await aSnapshot({ entries });
    await restore(store, artefactPath);
    const owners = await Promise.all(
      entries.map(async ({ path }) => {
        const { uid, gid } = await lstat(join(target, path));
        return [uid, gid];
      }),
    );
    expect(owners).toEqual([
      [1234, 1235],
      [1236, 1237],
      [idOf('-u', 'nobody'), idOf('-g', 'daemon')],
      [1238, 1239],
    ]);
  });

  test('everything goes to one owner when asked', async () => {
    const { store, artefactPath } = await aSnapshot();
    await restore(store, artefactPath, { ownership: { uid: 4321, gid: 4322 } });
    for (const { path } of aTree()) {
      expect(await lstat(join(target, path))).toMatchObject({ uid: 4321, gid: 4322 });
    }
  });

  test('set-user-id bits survive the change of owner', async () => {
    const entries = [
      {
        kind: 'file' as const,
        path: 'f',
        mode: 0o4755,
        uid: 1234,
        gid: 1234,
        content: Buffer.of(1),
      },
    ];
    const { store, artefactPath } = await aSnapshot({ entries });
    await restore(store, artefactPath);
    expect((await stat(join(target, 'f'))).mode & 0o7777).toBe(0o4755);
  });

  test('a directory that holds something is not restored into', async () => {
    const { store, artefactPath } = await aSnapshot();
    await mkdir(target);
    await writeFile(join(target, 'precious'), 'data');
    await expect(restore(store, artefactPath)).rejects.toMatchObject({ code: 'target-not-empty' });
    expect(await filesBelow(target)).toEqual(['precious']);
  });

  test('an abort in the middle ends with its reason and no open file', async () => {
    const entries = [{ kind: 'file' as const, path: 'f', content: someBytes(60_000_000, 1) }];
    const { store, artefactPath } = await aSnapshot({ entries });
    const controller = new AbortController();
    const reason = new Error('no longer wanted');
    const before = (await readdir('/proc/self/fd')).length;
    const restoring = restore(store, artefactPath, {
      signal: controller.signal,
      onProgress: () => controller.abort(reason),
    });
    await expect(restoring).rejects.toBe(reason);
    expect((await readdir('/proc/self/fd')).length).toBe(before);
  });

  test('a damaged pack stops the restore and is named', async () => {
    const { store, artefactPath } = await aSnapshot();
    const [pack = ''] = await allKeys(store, CHUNK_PREFIX);
    const faulty = withFaults(store, ({ operation, key }) =>
      operation === 'getRange' && key === pack
        ? { kind: 'tamper', change: (data) => data.fill(0, 1000, 1010) }
        : undefined,
    );
    await expect(restore(faulty, artefactPath)).rejects.toMatchObject({
      code: 'damaged',
      object: pack,
      artefactPath,
    });
  });
});

describe('a snapshot written by an enemy', () => {
  test.each([
    ['an absolute path', [{ entry: 'file', path: '/tmp/evil' }, { end: 0 }]],
    ['a path upwards', [{ entry: 'file', path: '../evil' }, { end: 0 }]],
    ['a hidden path upwards', [{ entry: 'file', path: 'a/../../evil' }, { end: 0 }]],
    ['a directory upwards', [{ entry: 'directory', path: '..' }]],
    [
      'a file through a symlink',
      [
        { entry: 'symlink', path: 'l', target: '..' },
        { entry: 'file', path: 'l/evil' },
        { end: 0 },
      ],
    ],
    [
      'a symlink in place of a directory made before',
      [{ entry: 'file', path: 'd/f' }, { end: 0 }, { entry: 'symlink', path: 'd', target: '..' }],
    ],
    [
      'the same path twice',
      [
        { entry: 'symlink', path: 'x', target: '../evil' },
        { entry: 'file', path: 'x' },
        { end: 0 },
      ],
    ],
  ])('%s is refused, and nothing is written outside', async (_, lines) => {
    const { store, path } = await forge(lines);
    await expect(restore(store, path)).rejects.toMatchObject({ code: 'unsafe-entry' });
    expect((await filesBelow(directory)).filter((it) => it.includes('evil'))).toEqual([]);
  });

  test.each([
    ['an unknown kind', [{ entry: 'device', path: 'x' }]],
    ['chunks of nothing', [{ pack: 'a'.repeat(64), size: 9 }, { end: 0 }]],
    ['a file without an end', [{ entry: 'file', path: 'x' }]],
    [
      'an entry inside another',
      [
        { entry: 'file', path: 'x' },
        { entry: 'directory', path: 'y' },
      ],
    ],
    ['a size that lies', [{ entry: 'file', path: 'x' }, { end: 5 }]],
    ['a line of another kind', [{ hello: 1 }]],
  ])('%s is refused as damaged', async (_, lines) => {
    const { store, path } = await forge(lines);
    await expect(restore(store, path)).rejects.toMatchObject({ code: 'damaged' });
  });
});
