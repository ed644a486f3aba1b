/** FORMAT.md read by other code than ours: what is stored must be what the document says. */
import { createHash } from 'node:crypto';
import { zstdDecompressSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import type { ObjectStore } from '#object-store';
import {
  allKeys,
  aSnapshot,
  aTree,
  CHUNK_PREFIX,
  type TestEntry,
} from '../../helpers/snapshots.ts';

const sha256 = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex');

/** The id of a chunk, as the document says. */
function chunkId(data: Uint8Array): string {
  const digests = [];
  for (let at = 0; at < data.length; at += 8192) {
    digests.push(
      createHash('sha256')
        .update(data.subarray(at, at + 8192))
        .digest(),
    );
  }
  return sha256(Buffer.concat(digests));
}

function keptDigests(data: Uint8Array): string {
  const digests = [];
  for (let at = 0; at < data.length; at += 8192) {
    const digest = createHash('sha256')
      .update(data.subarray(at, at + 8192))
      .digest();
    digests.push(digest.subarray(0, 16));
  }
  return Buffer.concat(digests).toString('base64');
}

async function fetchBuffer(store: ObjectStore, key: string): Promise<Buffer> {
  return Buffer.from(await store.get(key));
}

/** Step 2 of the document, for one index part that begins with an entry. */
async function restorePart(store: ObjectStore, text: string, files: Map<string, Buffer[]>) {
  const packs: string[] = [];
  let open: Buffer[] = [];
  for (const line of text
    .trimEnd()
    .split('\n')
    .map((it) => JSON.parse(it))) {
    if (line.entry !== undefined) {
      open = [];
      files.set(line.path, open);
    } else if (line.chunk !== undefined) {
      open.push(await restoreChunk(store, packs, line));
    } else if (line.pack !== undefined) {
      packs.push(line.pack);
    }
  }
}

interface ChunkPlace {
  readonly pack: number;
  readonly at: number;
  readonly stored: number;
  readonly as: string;
}

interface ChunkLine extends ChunkPlace {
  readonly chunk: string;
  readonly size: number;
  readonly base?: ChunkPlace;
}

async function decodePlace(
  store: ObjectStore,
  packs: readonly string[],
  place: ChunkPlace,
): Promise<Buffer> {
  const pack = packs[place.pack] ?? '';
  const key = `${CHUNK_PREFIX}${pack.slice(0, 2)}/${pack}`;
  const bytes = (await fetchBuffer(store, key)).subarray(place.at, place.at + place.stored);
  return place.as === 'raw' ? bytes : zstdDecompressSync(bytes);
}

async function restoreChunk(
  store: ObjectStore,
  packs: readonly string[],
  line: ChunkLine,
): Promise<Buffer> {
  let plain = await decodePlace(store, packs, line);
  if (line.as === 'pages' && line.base !== undefined) {
    const delta = plain;
    plain = Buffer.from(await decodePlace(store, packs, line.base));
    let at = Math.ceil(Math.ceil(line.size / 8192) / 8);
    for (let page = 0; page * 8192 < line.size; page += 1) {
      if ((((delta[page >> 3] ?? 0) >> (page & 7)) & 1) === 1) {
        const length = Math.min(8192, line.size - page * 8192);
        delta.copy(plain, page * 8192, at, at + length);
        at += length;
      }
    }
    expect(at).toBe(delta.length);
  }
  expect(chunkId(plain)).toBe(line.chunk);
  return plain;
}

async function expectTree(store: ObjectStore, artefactPath: string, tree: readonly TestEntry[]) {
  const manifest = JSON.parse(
    (await fetchBuffer(store, `${artefactPath}manifest.json`)).toString('utf8'),
  );
  const files = new Map<string, Buffer[]>();
  for (const part of manifest.index) {
    const stored = await fetchBuffer(store, artefactPath + part.object);
    expect(sha256(stored)).toBe(part.sha256);
    await restorePart(store, zstdDecompressSync(stored).toString('utf8'), files);
  }
  for (const { path, content } of tree) {
    expect(Buffer.concat(files.get(path) ?? []).equals(content ?? Buffer.alloc(0))).toBe(true);
  }
}

describe('the stored format', () => {
  test('the manifest is JSON, and all but its last 83 bytes are sealed by its checksum', async () => {
    const { store, artefactPath } = await aSnapshot();
    const data = await fetchBuffer(store, `${artefactPath}manifest.json`);
    const manifest = JSON.parse(data.toString('utf8'));
    expect(manifest.sha256).toBe(sha256(data.subarray(0, -83)));
    expect(Object.keys(manifest)).toEqual([
      'format',
      'version',
      'requires',
      'started-at',
      'created-at',
      'attributes',
      'totals',
      'chunk-ids',
      'cutting',
      'chunks',
      'index',
      'sha256',
    ]);
    expect(manifest).toMatchObject({
      format: 'juju-database-backup/snapshot',
      version: 1,
      requires: ['pages'],
      'chunk-ids': 'sha-256-pages',
      cutting: { kind: 'fixed', size: 262_144, page: 8192 },
    });
  });

  test('restoring by hand, step by step as the document says, gives every file', async () => {
    const { store, artefactPath } = await aSnapshot();
    await expectTree(store, artefactPath, aTree());
  });

  test('so does what has changed in some pages', async () => {
    const { store } = await aSnapshot();
    const changed = aTree().map((entry) => ({ ...entry }));
    for (const { content } of changed.filter((entry) => (entry.content?.length ?? 0) > 1000)) {
      content?.subarray(content.length >> 1).fill(7, 0, 100);
    }
    const time = new Date('2026-11-22T02:03:04Z');

    const second = await aSnapshot({ store, entries: changed, jobId: 'job-2', time });

    expect(second.newBytes).toBeLessThan(100_000);
    await expectTree(store, second.artefactPath, changed);
  });

  test('each pack ends in a footer that says what it holds', async () => {
    const { store } = await aSnapshot();
    for (const key of await allKeys(store, CHUNK_PREFIX)) {
      const pack = await fetchBuffer(store, key);
      const trailer = pack.subarray(-48);
      expect(trailer.toString('latin1', 0, 8)).toBe('JDBPACK1');
      const start = pack.length - 48 - trailer.readUInt32LE(8);
      const footer = pack.subarray(start, -48);
      expect(sha256(footer)).toBe(trailer.toString('hex', 16));
      const text = trailer.readUInt32LE(12) === 1 ? zstdDecompressSync(footer) : footer;
      let at = 0;
      for (const [id, size, stored, as, kept] of JSON.parse(text.toString('utf8'))) {
        const bytes = pack.subarray(at, at + stored);
        const plain = as === 'zstd' ? zstdDecompressSync(bytes) : bytes;
        expect([chunkId(plain), plain.length]).toEqual([id, size]);
        expect(kept).toEqual(size > 32_768 ? keptDigests(plain) : undefined);
        at += stored;
      }
      expect(at).toBe(start);
    }
  });

  test('started.json says what began', async () => {
    const { store, artefactPath } = await aSnapshot();
    const marker = JSON.parse(
      (await fetchBuffer(store, `${artefactPath}started.json`)).toString('utf8'),
    );
    expect(marker).toEqual({
      format: 'juju-database-backup/started',
      version: 1,
      'started-at': '2026-11-21T02:03:04.000Z',
      attributes: { engine: 'test', 'job-id': 'job-1' },
    });
  });
});
