/**
 * Gets chunks from their packs with few requests: neighbours are read together, several reads go side by side,
 * and what comes back is decoded and compared with its id before anybody sees it.
 */
import { decode } from './codec.ts';
import { type Coding, sealedAs } from './coding.ts';
import { damagedError } from './errors.ts';
import { type ChunkRef, type PackName, packKey } from './format.ts';
import { freeMemory } from './free-memory.ts';
import type { IndexSource } from './index-reader.ts';
import { orderedMap } from './ordered-map.ts';
import { createRangeReader, type PackReader } from './pack-reader.ts';

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
const WINDOWS_IN_FLIGHT = 3;
/** Reading a gap of this size costs less than another request. */
const MAX_GAP = 64 * 1024;

/** The data are valid until the call has settled. */
type Handler<C> = (item: FetchItem<C>, data: Uint8Array) => void | Promise<void>;

/** Hands every chunk, verified, to `handle`; in no particular order. @throws SnapshotError `damaged` */
export async function fetchChunks<C>(
  source: ChunkSource,
  items: AsyncIterable<FetchItem<C>>,
  handle: Handler<C>,
  read: PackReader = createRangeReader(source),
): Promise<void> {
  const done = orderedMap(inWindows(items), WINDOWS_IN_FLIGHT, async (window) => {
    await fetchWindow(source, window, { handle, read });
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
  const read = createRangeReader(source);
  yield* orderedMap(inWindows(items), 2, async (window) => {
    const pieces = new Map<FetchItem<undefined>, Uint8Array>();
    // Copied, because the bytes end with the call.
    const handle = (item: FetchItem<undefined>, data: Uint8Array): void => {
      pieces.set(item, new Uint8Array(data));
    };
    await fetchWindow(source, window, { handle, read });
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
  readonly pack: PackName;
  readonly items: FetchItem<C>[];
  readonly offset: number;
  end: number;
}

async function fetchWindow<C>(
  source: ChunkSource,
  window: readonly FetchItem<C>[],
  { handle, read }: { readonly handle: Handler<C>; readonly read: PackReader },
): Promise<void> {
  for (const run of planRuns(window)) {
    source.signal?.throwIfAborted();
    const { data, release } = await read(run.pack, run);
    for (const item of run.items) {
      const at = item.ref.at - run.offset;
      const stored = data.subarray(at, at + item.ref.stored);
      const plain =
        (await decodeChunk(item.ref, stored, source.coding)) ?? (await readAgain(source, item.ref));
      await handle(item, plain);
      if (item.ref.as !== 'raw') {
        freeMemory(plain);
      }
    }
    release();
  }
}

/** Bytes get altered on the way, too: only what comes altered twice lies altered. @throws SnapshotError `damaged` */
async function readAgain(source: ChunkSource, ref: ChunkRef): Promise<Uint8Array> {
  const range = { offset: ref.at, end: ref.at + ref.stored };
  const { data } = await createRangeReader(source)(ref.pack, range);
  const plain = await decodeChunk(ref, data, source.coding);
  if (plain === undefined) {
    const key = packKey(source.chunkPrefix, ref.pack.id);
    throw damagedError(source.artefactPath, key, `holds a damaged chunk at offset ${ref.at}`);
  }
  return plain;
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
        run = { pack: item.ref.pack, items: [], offset: at, end: at };
        runs.push(run);
      }
      run.items.push(item);
      run.end = Math.max(run.end, at + stored);
    }
  }
  return runs;
}

/** The chunk's bytes, or undefined when they are not what its id says. */
async function decodeChunk(
  ref: Pick<ChunkRef, 'id' | 'as' | 'size'>,
  stored: Uint8Array,
  coding: Coding,
): Promise<Uint8Array | undefined> {
  try {
    const encoded = coding.unseal(stored, sealedAs.chunk(ref.id));
    const data = await decode(ref.as, encoded, ref.size);
    return coding.idOf(data).toString('hex') === ref.id ? data : undefined;
  } catch {
    return undefined;
  }
}
