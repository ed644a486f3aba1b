/** A snapshot as one file, and back; and what standard tools make of it. */
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createMemoryObjectStore, withFaults } from '#object-store';
import {
  artefactPathFor,
  type EntryInfo,
  exportTar,
  importTar,
  openSnapshot,
  type Snapshot,
  writeSnapshot,
} from '#snapshots';
import {
  allKeys,
  aSnapshot,
  aTree,
  CHUNK_PREFIX,
  readAll,
  someBytes,
  type TestEntry,
} from '../../helpers/snapshots.ts';

let directory: string;
let snapshot: Snapshot;
let file: Buffer;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'portable-'));
  const { store, artefactPath } = await aSnapshot();
  snapshot = await openSnapshot(store, artefactPath);
  file = await readAll(exportTar(snapshot));
});
afterAll(async () => await rm(directory, { recursive: true, force: true }));

async function* inPieces(data: Uint8Array, size = 10_000): AsyncIterable<Uint8Array> {
  for (let at = 0; at < data.length; at += size) {
    yield data.subarray(at, at + size);
  }
}

async function importInto(data: Uint8Array): Promise<Snapshot> {
  const store = createMemoryObjectStore();
  const { attributes, entries } = await importTar(inPieces(data));
  const location = { model: 'm', app: 'a', jobId: 'imported', time: new Date() };
  const artefactPath = artefactPathFor(location);
  const writing = writeSnapshot({
    store,
    artefactPath,
    chunkPrefix: CHUNK_PREFIX,
    entries,
    compression: true,
    attributes,
  });
  const outcome = await writing.then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  const manifests = (await allKeys(store)).filter((key) => key.endsWith('manifest.json'));
  expect(manifests).toHaveLength(outcome === undefined ? 1 : 0);
  await writing;
  return await openSnapshot(store, artefactPath);
}

async function describeAll(one: Snapshot): Promise<Record<string, EntryInfo>> {
  const all: Record<string, EntryInfo> = {};
  for await (const entry of one.entries()) {
    all[entry.path] = entry;
  }
  return all;
}

/** How many requests it takes to export these. */
async function requestsFor(entries: TestEntry[]): Promise<number> {
  const { store, artefactPath } = await aSnapshot({ entries });
  let requests = 0;
  const counting = withFaults(store, () => {
    requests += 1;
    return undefined;
  });
  await readAll(exportTar(await openSnapshot(counting, artefactPath)));
  return requests;
}

describe('a portable file', () => {
  test('becomes the same snapshot again', async () => {
    const back = await importInto(file);

    expect(back.manifest.attributes).toEqual(snapshot.manifest.attributes);
    const [was, is] = [await describeAll(snapshot), await describeAll(back)];
    expect(Object.keys(is)).toEqual(Object.keys(was));
    for (const [path, entry] of Object.entries(was)) {
      expect(is[path]).toMatchObject(entry);
    }
    const files = aTree().filter(({ content }) => content !== undefined);
    for (const { path, content } of files) {
      expect((await readAll(back.read(path))).equals(content ?? Buffer.alloc(0))).toBe(true);
    }
  });

  test('is the same for the same snapshot', async () => {
    expect((await readAll(exportTar(snapshot))).equals(file)).toBe(true);
  });

  test('opens with tar', async () => {
    const path = join(directory, 'backup.tar.zst');
    await writeFile(path, file);
    const target = join(directory, 'out');
    execFileSync('sh', ['-ec', `mkdir "$1" && tar --zstd -xf "$2" -C "$1"`, 'sh', target, path]);
    const files = aTree().filter(({ content }) => content !== undefined);
    for (const { path: name, content = Buffer.alloc(0) } of files) {
      expect((await readFile(join(target, name))).equals(content)).toBe(true);
    }
    expect(await readlink(join(target, 'base/link'))).toBe('../elsewhere');
    expect((await stat(join(target, 'base/tiny'))).mode & 0o777).toBe(0o640);
    const facts = JSON.parse(await readFile(join(target, '.juju-database-backup.json'), 'utf8'));
    expect(facts).toMatchObject({ attributes: { engine: 'test' }, streams: ['dump ünï.sql'] });
    const proved = execFileSync('sha256sum', ['-c', '.juju-database-backup.sha256'], {
      cwd: target,
      encoding: 'utf8',
    });
    expect(proved.match(/: OK$/gm)).toHaveLength(files.length);
  });

  test('needs as many requests for many small files as for one of their size', async () => {
    const many = Array.from({ length: 500 }, (_, index) => ({
      kind: 'file' as const,
      path: `f${index}`,
      content: someBytes(2000, index),
    }));
    const one = { kind: 'file' as const, path: 'f', content: someBytes(1_000_000, 1) };
    expect(await requestsFor(many)).toBeLessThanOrEqual((await requestsFor([one])) + 2);
  });

  test('tells how far it is', async () => {
    let last = 0;
    const onProgress = ({ bytesVerified }: { readonly bytesVerified: number }): void => {
      expect(bytesVerified).toBeGreaterThan(last);
      last = bytesVerified;
    };
    await readAll(exportTar(snapshot, { onProgress }));
    expect(last).toBe(snapshot.manifest.totals.bytes);
  });

  test.each([
    [
      'with a file that was changed',
      'echo evil > "$1/base/tiny"',
      'base/tiny',
      'is not what it was',
    ],
    ['without a file', 'rm "$1/base/tiny"', 'base/tiny', 'is missing'],
    ['without a link', 'rm "$1/base/link"', '.', 'should hold 12 entries, and holds 11'],
    ['with a file too many', 'echo new > "$1/base/new"', 'base/new', 'has no checksum'],
    ['without its checksums', 'rm "$1"/.juju*.sha256', '.sha256', 'it is cut short'],
    ['with half of its checksums', 'truncate -s -70 "$1"/.juju*.sha256', '.sha256', 'cut short'],
  ])('%s makes no snapshot, however well it is packed', async (_, spoil, path, problem) => {
    const target = await mkdtemp(join(directory, 'spoilt-'));
    const packed = join(directory, 'spoilt.tar.zst');
    await writeFile(packed, file);
    const script = [
      'tar --zstd -tf "$2" > "$1.list" && tar --zstd -xf "$2" -C "$1"',
      spoil,
      // In the order of the file, the new one before the checksums.
      'cd "$1" && { grep -v sha256 "$1.list"; ls -d base/new; ls .juju*.sha256; } > "$1.now" 2>&1 || true',
      'grep -v "^ls: " "$1.now" | tar --no-recursion --ignore-failed-read --zstd -cf "$2" -T - 2> /dev/null',
    ];
    execFileSync('sh', ['-ec', script.join('\n'), 'sh', target, packed]);
    await expect(importInto(await readFile(packed))).rejects.toMatchObject({
      code: 'damaged',
      message: expect.stringMatching(new RegExp(`${path}.*${problem}`)),
    });
  });

  test('of the first version, without checksums, is still taken in', async () => {
    const target = await mkdtemp(join(directory, 'first-'));
    const facts = {
      format: 'juju-database-backup/portable',
      version: 1,
      attributes: { engine: 'test' },
      streams: ['dump'],
    };
    await writeFile(join(target, '.juju-database-backup.json'), JSON.stringify(facts));
    await writeFile(join(target, 'dump'), 'text');
    const packed = execFileSync('tar', ['-c', '-C', target, '.juju-database-backup.json', 'dump']);
    const back = await importInto(packed);
    expect(back.manifest.attributes).toEqual({ engine: 'test' });
    expect(await describeAll(back)).toMatchObject({ dump: { kind: 'stream', size: 4 } });
  });

  test('with a name that lines do not hold is proved as well, also by sha256sum', async () => {
    const long = `${'d'.repeat(150)}/${'f'.repeat(200)}`;
    const names = ['a\\b', 'c\nd', 'e\rf', '\\', ' g ', 'ü', long];
    const entries = names.map((path, index) => ({
      kind: 'file' as const,
      path,
      content: someBytes(100, index),
    }));
    const { store, artefactPath } = await aSnapshot({ entries });
    const bytes = await readAll(exportTar(await openSnapshot(store, artefactPath)));
    expect(Object.keys(await describeAll(await importInto(bytes)))).toEqual(names);

    const target = await mkdtemp(join(directory, 'names-'));
    execFileSync('tar', ['--zstd', '-x', '-C', target], { input: bytes });
    execFileSync('sha256sum', ['--quiet', '-c', '.juju-database-backup.sha256'], { cwd: target });
  });

  test.each([
    ['cut short', (data: Buffer) => data.subarray(0, data.length >> 1)],
    ['damaged', (data: Buffer) => flipped(data, data.length >> 1)],
    ['empty', () => Buffer.alloc(0)],
  ])('that is %s makes no snapshot', async (_, spoil) => {
    await expect(importInto(spoil(file))).rejects.toThrow('cannot');
  });

  test('of a damaged snapshot is not finished', async () => {
    const { store, artefactPath } = await aSnapshot();
    const [pack = ''] = await allKeys(store, CHUNK_PREFIX);
    await store.put(pack, flipped(Buffer.from(await store.get(pack)), 5000));
    const damaged = await openSnapshot(store, artefactPath);
    await expect(readAll(exportTar(damaged))).rejects.toMatchObject({
      code: 'damaged',
      object: pack,
    });
  });
});

test('a tar of somebody else can be taken in, but for what snapshots cannot hold', async () => {
  const made = join(directory, 'foreign');
  execFileSync('sh', ['-ec', 'mkdir -p "$1/sub" && echo hello > "$1/sub/file"', 'sh', made]);
  const tar = execFileSync('tar', ['-c', '-C', made, '.']);
  const back = await importInto(tar);
  expect((await readAll(back.read('sub/file'))).toString()).toBe('hello\n');
  expect(back.manifest.attributes).toEqual({});

  execFileSync('mkfifo', [join(made, 'sub/pipe')]);
  const odd = execFileSync('tar', ['-c', '-C', made, '.']);
  await expect(importInto(odd)).rejects.toMatchObject({
    code: 'invalid-entry',
    message: expect.stringContaining('sub/pipe'),
  });
});

function flipped(data: Buffer, at: number): Buffer {
  const copy = Buffer.from(data);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}
