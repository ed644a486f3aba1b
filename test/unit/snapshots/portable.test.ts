/** A snapshot as one file, and back; and what standard tools make of it. */
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createMemoryObjectStore } from '#object-store';
import {
  artefactPathFor,
  type EntryInfo,
  exportTar,
  importTar,
  openSnapshot,
  type Snapshot,
  writeSnapshot,
} from '#snapshots';
import { allKeys, aSnapshot, aTree, CHUNK_PREFIX, readAll } from '../../helpers/snapshots.ts';

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
  await writeSnapshot({
    store,
    artefactPath,
    chunkPrefix: CHUNK_PREFIX,
    entries,
    compression: true,
    attributes,
  });
  return await openSnapshot(store, artefactPath);
}

async function describeAll(one: Snapshot): Promise<Record<string, EntryInfo>> {
  const all: Record<string, EntryInfo> = {};
  for await (const entry of one.entries()) {
    all[entry.path] = entry;
  }
  return all;
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
    execFileSync('sh', ['-ec', `mkdir "$1" && zstd -dc "$2" | tar -x -C "$1"`, 'sh', target, path]);
    const files = aTree().filter(({ content }) => content !== undefined);
    for (const { path: name, content = Buffer.alloc(0) } of files) {
      expect((await readFile(join(target, name))).equals(content)).toBe(true);
    }
    expect(await readlink(join(target, 'base/link'))).toBe('../elsewhere');
    expect((await stat(join(target, 'base/tiny'))).mode & 0o777).toBe(0o640);
    const facts = JSON.parse(await readFile(join(target, '.juju-database-backup.json'), 'utf8'));
    expect(facts).toMatchObject({ attributes: { engine: 'test' }, streams: ['dump ünï.sql'] });
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
