/**
 * Gets chunks from their packs with few requests: neighbours are read together, several reads go side by side,
 * and what comes back is decoded and compared with its id before anybody sees it.
 */
import { isObjectStoreError } from '#object-store';
import { decode } from './codec.ts';
import { damagedError, type SnapshotError } from './errors.ts';
import { type ChunkRef, packKey, sha256 } from './format.ts';
import type { IndexSource } from './index-reader.ts';
import { orderedMap } from './ordered-map.ts';

export interface ChunkSource extends IndexSource {
  readonly chunkPrefix: string;
}

/** A chunk wanted, with whatever its reader needs to know when it comes. */
export interface FetchItem<C> {
  readonly ref: ChunkRef;
  readonly context: C;
}

/** Chunks are fetched in windows of at most so many plain bytes and references… */
const WINDOW_BYTES = 8 * 1024 * 1024;
const WINDOW_CHUNKS = 512;
/** …of which so many are under way at a time: their product bounds the memory of a restore. */
const WINDOWS_IN_FLIGHT = 4;
/** Reading a gap of this size costs less than another request. */
const MAX_GAP = 64 * 1024;

type Handler<C> = (item: FetchItem<C>, data: Uint8Array) => void | Promise<void>;

/** Hands every chunk, verified, to `handle`; in no particular order. @throws SnapshotError `damaged` */
export async function fetchChunks<C>(
  source: ChunkSource,
  items: AsyncIterable<FetchItem<C>>,
  handle: Handler<C>,
): Promise<void> {
  const done = orderedMap(inWindows(items), WINDOWS_IN_FLIGHT, async (window) => {
    await fetchWindow(source, window, handle);
  });
  for await (const _ of done) {
    source.signal?.throwIfAborted();
  }
}

/** The chunks of each window in the order asked for. */
export async function* fetchChunksInOrder(
  source: ChunkSource,
  items: AsyncIterable<FetchItem<undefined>>,
): AsyncIterable<Uint8Array[]> {
  yield* orderedMap(inWindows(items), 2, async (window) => {
    const pieces = new Map<FetchItem<undefined>, Uint8Array>();
    await fetchWindow(source, window, (item, data) => {
      pieces.set(item, data);
    });
    return window.flatMap((item) => pieces.get(item) ?? []);
  });
}

async function* inWindows<C>(items: AsyncIterable<FetchItem<C>>): AsyncIterable<FetchItem<C>[]> {
  let window: FetchItem<C>[] = [];
  let bytes = 0;
  for await (const item of items) {
    if (bytes + item.ref.size > WINDOW_BYTES || window.length >= WINDOW_CHUNKS) {
      yield window;
      window = [];
      bytes = 0;
    }
    window.push(item);
    bytes += item.ref.size;
  }
  if (window.length > 0) {
    yield window;
  }
}

interface Run<C> {
  readonly items: FetchItem<C>[];
  readonly offset: number;
  end: number;
}

async function fetchWindow<C>(
  source: ChunkSource,
  window: readonly FetchItem<C>[],
  handle: Handler<C>,
): Promise<void> {
  for (const run of planRuns(window)) {
    const first = run.items[0]?.ref;
    if (first === undefined) {
      continue;
    }
    source.signal?.throwIfAborted();
    const key = packKey(source.chunkPrefix, first.pack.id);
    const bytes = await readRange(source, key, run);
    for (const item of run.items) {
      const at = item.ref.at - run.offset;
      const data = await decodeChunk(item.ref, bytes.subarray(at, at + item.ref.stored));
      if (data === undefined) {
        throw damaged(source, key, `holds a damaged chunk at offset ${item.ref.at}`);
      }
      await handle(item, data);
    }
  }
}

/** The fewest reads that get all chunks of a window. */
function planRuns<C>(window: readonly FetchItem<C>[]): Iterable<Run<C>> {
  const packs = Map.groupBy(window, (item) => item.ref.pack.id);
  const runs: Run<C>[] = [];
  for (const items of packs.values()) {
    let run: Run<C> | undefined;
    for (const item of items.toSorted((left, right) => left.ref.at - right.ref.at)) {
      const { at, stored } = item.ref;
      if (run === undefined || at > run.end + MAX_GAP) {
        run = { items: [], offset: at, end: at };
        runs.push(run);
      }
      run.items.push(item);
      run.end = Math.max(run.end, at + stored);
    }
  }
  return runs;
}

async function readRange(
  source: ChunkSource,
  key: string,
  run: { readonly offset: number; readonly end: number },
): Promise<Uint8Array> {
  const range = { offset: run.offset, length: run.end - run.offset };
  try {
    return await source.store.getRange(key, range, { signal: source.signal });
  } catch (error) {
    if (isObjectStoreError(error, 'not-found')) {
      throw damaged(source, key, 'is missing');
    }
    if (isObjectStoreError(error, 'invalid-range')) {
      throw damaged(source, key, 'is cut short');
    }
    throw error;
  }
}

/** The chunk's bytes, or undefined when they are not what its id says. */
async function decodeChunk(ref: ChunkRef, stored: Uint8Array): Promise<Uint8Array | undefined> {
  try {
    const data = await decode(ref.as, stored, ref.size);
    return sha256(data) === ref.id ? data : undefined;
  } catch {
    return undefined;
  }
}

function damaged(source: ChunkSource, key: string, reason: string): SnapshotError {
  return damagedError(source.artefactPath, key, reason);
}
