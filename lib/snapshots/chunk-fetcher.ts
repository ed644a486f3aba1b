/**
 * Gets chunks from their packs with few requests: neighbours are read together, several reads go side by side,
 * and what comes back is decoded and compared with its id before anybody sees it.
 */
import type { OwnEncoding } from './codec.ts';
import {
  type DecodeOrder,
  decodeOrder,
  type StoredAt,
  type Stretches,
  type WriteTarget,
} from './decoding/decode-work.ts';
import { Decoder } from './decoding/decoder.ts';
import { damagedError, type SnapshotError } from './errors.ts';
import { type ChunkRef, type PackName, packKey } from './format.ts';
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

/** What becomes of chunks that came and are proved. */
export interface ChunkSink<C> {
  /** Where the bytes go; nowhere unless told. Asked for again when a chunk is read again. */
  readonly targetOf?: (item: FetchItem<C>) => WriteTarget | Promise<WriteTarget>;
  /** The chunk is where it belongs. */
  readonly onDone: (item: FetchItem<C>) => void | Promise<void>;
}

/** Reads are planned over so many bytes as stored and so many chunks… */
const WINDOW = { bytes: 4 * 1024 * 1024, chunks: 1024 };
/** …of which so many reads are under way, being decoded or written: they bound the memory of a restore. */
const READS_IN_FLIGHT = 6;
/** The same where a read is of a whole pack. */
export const PACK_READS_IN_FLIGHT = 4;
/** A file read in order is handed out decoded, so its windows are counted in plain bytes. */
const PLAIN_WINDOW = { bytes: 8 * 1024 * 1024, chunks: 512 };
/** Reading a gap of this size costs less than another request (measured: 2 ms, at 400 MB/s). */
const MAX_GAP = 256 * 1024;
/** Packs of other writers may be bigger than ours. */
const MAX_READ = 16 * 1024 * 1024;

/** How packs are read, and how many reads are under way. */
export interface Reading {
  readonly read: PackReader;
  readonly limit: number;
}

/** Gets every chunk, proved, to where it belongs; in no particular order. @throws SnapshotError `damaged` */
export async function fetchChunks<C>(
  source: ChunkSource,
  items: AsyncIterable<FetchItem<C>>,
  sink: ChunkSink<C>,
  { read, limit }: Reading = { read: createRangeReader(source), limit: READS_IN_FLIGHT },
): Promise<void> {
  await using decoder = new Decoder(source.coding, source.manifest.totals.bytes);
  const done = orderedMap(inRuns(items), limit, async (run) => {
    await fetchRun(source, run, { sink, read, decoder });
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
  const windows = inWindows(items, PLAIN_WINDOW, ({ size }) => size);
  yield* orderedMap(windows, 2, async (window) => {
    const pieces = new Map<FetchItem<undefined>, Uint8Array>();
    for (const run of planRuns(window)) {
      source.signal?.throwIfAborted();
      const { stretches, orders } = await readRun(source, run);
      for (const [index, order] of orders.entries()) {
        const item = run.items[index];
        if (item !== undefined) {
          const plain = decodeOrder(stretches, order, source.coding);
          pieces.set(item, plain ?? (await readAgain(source, item)));
        }
      }
    }
    return window.flatMap((item) => pieces.get(item) ?? []);
  });
}

async function* inRuns<C>(items: AsyncIterable<FetchItem<C>>): AsyncIterable<Run<C>> {
  for await (const window of inWindows(items, WINDOW, storedBytes)) {
    yield* planRuns(window);
  }
}

async function* inWindows<C>(
  items: AsyncIterable<FetchItem<C>>,
  limit: { readonly bytes: number; readonly chunks: number },
  cost: (ref: ChunkRef) => number,
): AsyncIterable<FetchItem<C>[]> {
  let window: FetchItem<C>[] = [];
  let bytes = 0;
  for await (const item of items) {
    if (
      window.length > 0 &&
      (bytes + cost(item.ref) > limit.bytes || window.length >= limit.chunks)
    ) {
      yield window;
      window = [];
      bytes = 0;
    }
    window.push(item);
    bytes += cost(item.ref);
  }
  if (window.length > 0) {
    yield window;
  }
}

/** Chunks that are read with one request; of those that are pages of a base, the bases. */
interface Run<C> {
  readonly pack: PackName;
  readonly items: FetchItem<C>[];
  readonly offset: number;
  end: number;
}

/** Where a run finds most of a chunk. */
function placeOf(ref: ChunkRef): ChunkRef {
  return ref.base ?? ref;
}

function storedBytes({ stored, base }: ChunkRef): number {
  return stored + (base?.stored ?? 0);
}

interface RunBytes {
  /** First that of the run itself. */
  readonly stretches: Stretches;
  /** In the order of the run's items, without targets. */
  readonly orders: readonly DecodeOrder[];
}

async function readRun<C>(
  source: ChunkSource,
  run: Run<C>,
  read: PackReader = createRangeReader(source),
): Promise<RunBytes> {
  const deltas = run.items.filter(({ ref }) => ref.base !== undefined);
  const deltaRuns = [...planRuns(deltas, (ref) => ref)];
  const changed = new Map<ChunkRef, StoredAt & { readonly id: string }>();
  for (const [index, { items, offset }] of deltaRuns.entries()) {
    for (const { ref } of items) {
      const at = ref.at - offset;
      changed.set(ref, { id: ref.id, stretch: index + 1, at, stored: ref.stored });
    }
  }
  const orders = run.items.map(({ ref }) => {
    const { id, as, size, at, stored } = placeOf(ref);
    const own = { id, as: ownEncoding(as), size, stretch: 0, at: at - run.offset, stored };
    const pages = changed.get(ref);
    return pages === undefined ? own : { ...own, changed: pages };
  });
  // All of them settle: after a failure nothing may be under way.
  const reads = await Promise.allSettled(
    [run, ...deltaRuns].map(async (it) => await read(it.pack, it)),
  );
  return { stretches: reads.map(valueOf), orders };
}

function valueOf<T>(settled: PromiseSettledResult<T>): T {
  if (settled.status === 'rejected') {
    throw settled.reason;
  }
  return settled.value;
}

/** The index reader lets no base be of that kind. */
function ownEncoding(as: ChunkRef['as']): OwnEncoding {
  if (as === 'pages') {
    throw new Error('a chunk of changed pages has no base');
  }
  return as;
}

async function fetchRun<C>(
  source: ChunkSource,
  run: Run<C>,
  means: {
    readonly sink: ChunkSink<C>;
    readonly read: PackReader;
    readonly decoder: Decoder;
    /** What came altered the first time: bytes get altered on the way, too. */
    readonly suspect?: FetchItem<C> | undefined;
  },
): Promise<void> {
  source.signal?.throwIfAborted();
  const { sink, read, decoder, suspect } = means;
  const { stretches, orders } = await readRun(source, run, read);
  const targeted: DecodeOrder[] = [];
  for (const [index, item] of run.items.entries()) {
    const [order, target] = [orders[index], await sink.targetOf?.(item)];
    if (order !== undefined) {
      targeted.push(target === undefined ? order : { ...order, target });
    }
  }
  const good = await decoder.decode(stretches, targeted);
  for (const item of run.items.slice(0, good)) {
    await sink.onDone(item);
  }
  const [bad, ...others] = run.items.slice(good);
  if (bad === undefined) {
    return;
  }
  if (bad === suspect) {
    throw await damagedChunk(source, bad.ref);
  }
  const rest = { ...run, items: [bad, ...others], offset: placeOf(bad.ref).at };
  await fetchRun(source, rest, { ...means, suspect: bad });
}

/** Bytes get altered on the way, too: only what comes altered twice lies altered. @throws SnapshotError `damaged` */
async function readAgain<C>(source: ChunkSource, item: FetchItem<C>): Promise<Uint8Array> {
  const plain = await readOne(source, item.ref);
  if (plain === undefined) {
    throw await damagedChunk(source, item.ref);
  }
  return plain;
}

async function readOne(source: ChunkSource, ref: ChunkRef): Promise<Uint8Array | undefined> {
  const { pack, at, stored } = placeOf(ref);
  const items = [{ ref, context: undefined }];
  const run = { pack, items, offset: at, end: at + stored };
  const { stretches, orders } = await readRun(source, run);
  const order = orders[0];
  return order && decodeOrder(stretches, order, source.coding);
}

/** Names the pack that is to blame. */
async function damagedChunk(source: ChunkSource, ref: ChunkRef): Promise<SnapshotError> {
  const isBaseSound =
    ref.base !== undefined &&
    (await readOne(source, ref.base).catch(() => undefined)) !== undefined;
  const { pack, at } = isBaseSound ? ref : placeOf(ref);
  const key = packKey(source.chunkPrefix, pack.id);
  return damagedError(source.artefactPath, key, `holds a damaged chunk at offset ${at}`);
}

/** The fewest reads that get all chunks of a window. */
function planRuns<C>(
  window: readonly FetchItem<C>[],
  placed: (ref: ChunkRef) => ChunkRef = placeOf,
): Iterable<Run<C>> {
  const packs = Map.groupBy(window, (item) => placed(item.ref).pack.id);
  const runs: Run<C>[] = [];
  for (const items of packs.values()) {
    let run: Run<C> | undefined;
    for (const item of items.toSorted((a, b) => placed(a.ref).at - placed(b.ref).at)) {
      const { pack, at, stored } = placed(item.ref);
      if (run === undefined || at > run.end + MAX_GAP || at + stored > run.offset + MAX_READ) {
        run = { pack, items: [], offset: at, end: at };
        runs.push(run);
      }
      run.items.push(item);
      run.end = Math.max(run.end, at + stored);
    }
  }
  return runs;
}
