/** Builds sources, stores and snapshots for tests of lib/snapshots. */
import { createMemoryObjectStore, type ObjectStore } from '#object-store';
import {
  artefactPathFor,
  chunkPrefixFor,
  type SnapshotEntry,
  type SnapshotSummary,
  type WriteSnapshotOptions,
  writeSnapshot,
} from '#snapshots';
import type { Clock } from '#system';

/** A thing to back up, with its content at hand. */
export type TestEntry = Omit<SnapshotEntry, 'open'> & { readonly content?: Uint8Array };

const LOCATION = { path: 'some/path', model: 'prod', app: 'db' } as const;
export const CHUNK_PREFIX = chunkPrefixFor(LOCATION);

/** Bytes that depend only on the seed: `compressible` ones shrink to about half. */
export function someBytes(
  length: number,
  seed = 1,
  kind: 'random' | 'compressible' = 'random',
): Buffer {
  const words = new Uint32Array(Math.ceil(length / 4));
  let state = (seed * 2_654_435_761) >>> 0 || 1;
  for (let index = 0; index < words.length; index += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[index] = kind === 'random' || index % 2 === 0 ? state : 0x61_62_63_64;
  }
  return Buffer.from(words.buffer, 0, length);
}

/** The entries as a source gives them: in pieces of odd sizes, from one buffer that is used again. */
async function* sourceOf(entries: Iterable<TestEntry>): AsyncIterable<SnapshotEntry> {
  for (const { content, ...entry } of entries) {
    yield content === undefined ? entry : { ...entry, open: () => inPieces(content) };
  }
}

async function* inPieces(content: Uint8Array): AsyncIterable<Uint8Array> {
  const buffer = Buffer.alloc(70_001);
  for (let start = 0; start < content.length; start += buffer.length) {
    const piece = content.subarray(start, start + buffer.length);
    buffer.set(piece);
    yield buffer.subarray(0, piece.length);
    // Whoever kept the piece without copying it shall notice.
    buffer.fill(0xee);
  }
}

/** Some of everything: nested, empty, tiny, chunk-sized, odd, repeated, incompressible. */
export function aTree(): TestEntry[] {
  return [
    { kind: 'directory', path: '.', mode: 0o750 },
    { kind: 'directory', path: 'base', mode: 0o700, mtimeMs: 1_700_000_000_000 },
    { kind: 'directory', path: 'base/empty', mode: 0o711 },
    { kind: 'file', path: 'base/zero', mode: 0o600, content: Buffer.alloc(0) },
    { kind: 'file', path: 'base/tiny', mode: 0o640, content: Buffer.from('tiny') },
    { kind: 'file', path: 'base/odd', mode: 0o600, content: someBytes(700_001, 2, 'compressible') },
    { kind: 'file', path: 'base/exact', mode: 0o600, content: someBytes(524_288, 3) },
    { kind: 'file', path: 'base/zeros', mode: 0o600, content: Buffer.alloc(1_000_000) },
    { kind: 'symlink', path: 'base/link', target: '../elsewhere' },
    {
      kind: 'file',
      path: 'implied/deep/file',
      mtimeMs: 1_600_000_000_123,
      content: Buffer.from('x'),
    },
    { kind: 'stream', path: 'dump ünï.sql', content: someBytes(300_000, 4, 'compressible') },
    { kind: 'file', path: 'copy of odd', content: someBytes(700_001, 2, 'compressible') },
  ];
}

/** A clock whose time is told and whose pauses take none. */
export function aClock(time = new Date('2026-11-21T02:03:04.567Z')): Clock {
  return { now: () => time, sleep: async () => undefined };
}

/** Writes entries as the snapshot of a job. */
export async function aSnapshot(
  options: Partial<Omit<WriteSnapshotOptions, 'entries'>> & {
    readonly store?: ObjectStore;
    readonly entries?: Iterable<TestEntry>;
    readonly jobId?: string;
    readonly time?: Date;
  } = {},
): Promise<SnapshotSummary & { readonly store: ObjectStore }> {
  const { entries = aTree(), jobId = 'job-1', time = new Date('2026-11-21T02:03:04Z') } = options;
  const { store = createMemoryObjectStore(), ...rest } = options;
  const summary = await writeSnapshot({
    artefactPath: artefactPathFor({ ...LOCATION, jobId, time }),
    chunkPrefix: CHUNK_PREFIX,
    compression: true,
    attributes: { engine: 'test', 'job-id': jobId },
    clock: aClock(time),
    ...rest,
    store,
    entries: sourceOf(entries),
  });
  return { ...summary, store };
}

/** All keys of a store. */
export async function allKeys(store: ObjectStore, prefix = ''): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(prefix)) {
    keys.push(key);
  }
  return keys;
}

/** Everything an async sequence of bytes holds. */
export async function readAll(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) {
    all.push(piece);
  }
  return Buffer.concat(all);
}
