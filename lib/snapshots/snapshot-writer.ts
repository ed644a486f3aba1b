/**
 * The pipeline of a backup: batches of chunks are read and hashed, then those nobody knows are compressed and sealed,
 * several batches side by side; placed in packs and in the index in the order of the source, so that equal sources give
 * equal packs; and uploaded while the next ones are read.
 */
import type { ObjectStore } from '#object-store';
import type { ChunkLocation, ChunkTable, PackHandle } from './chunk-table.ts';
import type { Coding } from './coding.ts';
import type { RepositoryKey } from './crypto/repository-key.ts';
import { SnapshotError, unreadable } from './errors.ts';
import { type PackName, packKey } from './format.ts';
import { freeMemory } from './free-memory.ts';
import { IndexBuilder } from './index-builder.ts';
import { type CompletePack, PackBuilder, type StoredChunk } from './pack-builder.ts';
import type { Parent } from './parent.ts';
import type { Action, Batch } from './pipeline/batch.ts';
import { BatchFiller } from './pipeline/batch-filler.ts';
import {
  type EncodedBatch,
  type EncodeOrder,
  type Hashed,
  RecheckError,
  ShortFileError,
} from './pipeline/batch-work.ts';
import { type ChunkPlan, ChunkPlanner, idAt, isSame } from './pipeline/chunk-planner.ts';
import { Encoder } from './pipeline/encoder.ts';
import type { BackupProgress, IndexPart, SnapshotEntry, SnapshotTotals } from './types.ts';

/** Eight chunks: the work on it costs far more than the two messages that order it. */
const SLOT_SIZE = 2 * 1024 * 1024;
/** For each thread one batch at work and one waiting, one being filled, and one whose answer is on its way. */
const SLOTS = 6;
/** Packs in memory: one being filled, three on their way. */
const PACK_BUFFERS = 4;
/** Batches that are ready but wait for their turn, while packs are on their way. */
const MAX_WAITING_BATCHES = 8;

export interface SnapshotWriterOptions {
  readonly store: ObjectStore;
  readonly artefactPath: string;
  readonly chunkPrefix: string;
  /** Chunks that need not be stored again. */
  readonly known: ChunkTable;
  readonly level: number | undefined;
  readonly coding: Coding;
  readonly key?: RepositoryKey | undefined;
  /** Of so many chunks stored one is decoded again first; 0 for none. */
  readonly recheckEvery: number;
  /** Waits until so many bytes may be read. */
  readonly limitRead?: ((bytes: number) => Promise<void>) | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: BackupProgress) => void) | undefined;
}

export interface WrittenContent {
  readonly totals: SnapshotTotals;
  readonly index: readonly IndexPart[];
  /** Every pack the index names. */
  readonly packs: ReadonlySet<PackName>;
}

/** A batch whose chunks have ids and, where nobody knew them, encoded bytes. */
interface ReadyBatch {
  readonly batch: Batch;
  readonly ids: Uint8Array;
  /** By extent: those to be stored. */
  readonly encoded: ReadonlyMap<number, StoredChunk>;
  readonly memory: EncodedBatch | undefined;
}

export class SnapshotWriter {
  readonly indexObjects: string[] = [];
  readonly #options: SnapshotWriterOptions;
  readonly #encoder: Encoder;
  readonly #filler: BatchFiller;
  readonly #packs: PackBuilder;
  readonly #index: IndexBuilder;
  readonly #planner: ChunkPlanner;
  readonly #named = new Set<PackHandle>();
  readonly #totals = { entries: 0, files: 0, bytes: 0, chunks: 0, newBytes: 0, storedBytes: 0 };
  /** Batches are placed one after the other, in the order of the source. */
  #placed: Promise<void> = Promise.resolve();
  readonly #reading = new Set<Promise<unknown>>();
  /** The latest of them. */
  readonly #waiting: Promise<void>[] = [];
  #failure: { readonly error: unknown } | undefined;

  constructor(options: SnapshotWriterOptions) {
    this.#options = options;
    this.#encoder = new Encoder({
      slotCount: SLOTS,
      slotSize: SLOT_SIZE,
      coding: options.coding,
      key: options.key,
      level: options.level,
    });
    this.#filler = new BatchFiller({
      slots: this.#encoder.slots,
      check: () => this.#check(),
      dispatch: async (batch) => await this.#dispatch(batch),
    });
    this.#planner = new ChunkPlanner(options);
    this.#packs = new PackBuilder({
      buffers: PACK_BUFFERS,
      coding: options.coding,
      upload: async (pack) => await this.#uploadPack(pack),
    });
    this.#index = new IndexBuilder({
      level: options.level,
      coding: options.coding,
      store: async (object, data, sha256) => await this.#storeIndex(object, data, sha256),
    });
  }

  /** Reads all entries and stores everything but the manifest. Nothing is under way once it has settled. */
  async write(entries: AsyncIterable<SnapshotEntry>, parent?: Parent): Promise<WrittenContent> {
    try {
      await this.#filler.fill(entries, parent);
      await this.#placed;
      this.#check();
      await this.#packs.finish();
      const index = await this.#index.finish();
      return { totals: { ...this.#totals }, index, packs: this.#packNames() };
    } finally {
      this.#filler.abandon();
      await this.#placed;
      await this.#packs.settle();
      await this.#encoder.close();
    }
  }

  /** Resolves when all files handed out so far have been read. @throws whatever stopped the backup */
  async settleReads(): Promise<void> {
    await this.#filler.flush();
    await Promise.allSettled(this.#reading);
    this.#check();
  }

  /** Has a batch worked on; waits only while too many wait for their turn. */
  async #dispatch(batch: Batch): Promise<void> {
    await this.#options.limitRead?.(batch.bytes);
    const ready = this.#prepare(batch);
    // Its failure is seen when its turn comes; until then it must not count as unhandled.
    ready.catch(() => undefined);
    this.#placed = this.#placeAfter(this.#placed, ready);
    this.#waiting.push(this.#placed);
    if (this.#waiting.length > MAX_WAITING_BATCHES) {
      await this.#waiting.shift();
    }
  }

  /** Reads, hashes and encodes; gives the slot back. */
  async #prepare(batch: Batch): Promise<ReadyBatch> {
    try {
      const reading = this.#read(batch);
      this.#reading.add(reading);
      const hashed = await reading.finally(() => this.#reading.delete(reading));
      const plans = await this.#planner.plan(batch, hashed);
      if (plans.length === 0) {
        return { batch, ids: hashed.ids, encoded: new Map(), memory: undefined };
      }
      const memory = await this.#encoder.encode(batch.slot, plans.map(orderOf));
      const encoded = new Map<number, StoredChunk>();
      for (const [index, { as, at, length }] of memory.parts.entries()) {
        const plan = plans[index];
        if (plan !== undefined) {
          const { id, length: size, digests, base } = plan;
          const data = memory.output.subarray(at, at + length);
          encoded.set(plan.extent, { id, size, as, data, digests, base });
        }
      }
      return { batch, ids: hashed.ids, encoded, memory };
    } catch (error) {
      throw explain(error);
    } finally {
      this.#filler.release(batch);
    }
  }

  async #read({ slot, extents, actions, openFiles }: Batch): Promise<Hashed> {
    if (extents.length === 0) {
      return { ids: new Uint8Array(), digests: new Uint8Array(), gone: [] };
    }
    try {
      const hashed = await this.#encoder.hash(slot, extents);
      for (const action of actions) {
        if (action.kind === 'chunk' && hashed.gone.includes(action.extent)) {
          action.file?.markGone();
        }
      }
      return hashed;
    } finally {
      for (const file of openFiles) {
        file[Symbol.dispose]();
      }
    }
  }

  async #placeAfter(before: Promise<void>, ready: Promise<ReadyBatch>): Promise<void> {
    await before;
    try {
      const batch = await ready;
      if (this.#failure === undefined) {
        await this.#place(batch);
      }
      if (batch.memory !== undefined) {
        freeMemory(batch.memory.output);
      }
    } catch (error) {
      this.#failure ??= { error };
    }
  }

  async #place(ready: ReadyBatch): Promise<void> {
    for (const action of ready.batch.actions) {
      await this.#perform(action, ready);
    }
    // What waits for no pack can go; otherwise a long unchanged part would pile up.
    await this.#index.flush();
    this.#report();
  }

  async #perform(action: Action, ready: ReadyBatch): Promise<void> {
    if ('file' in action && action.file?.isGone === true) {
      return;
    }
    switch (action.kind) {
      case 'entry':
        this.#totals.entries += 1;
        this.#totals.files += isContent(action.entry) ? 1 : 0;
        this.#index.entry(action.entry);
        break;
      case 'chunk':
        await this.#placeChunk(action, ready);
        break;
      case 'known':
        this.#count(action.length);
        this.#refer(Buffer.from(action.id, 'hex'), action.length, action.location);
        break;
      case 'end':
        this.#index.end(action.size);
        break;
    }
  }

  async #placeChunk(
    { extent, length, before }: Extract<Action, { kind: 'chunk' }>,
    ready: ReadyBatch,
  ): Promise<void> {
    const id = idAt(ready.ids, extent);
    const text = id.toString('hex');
    this.#count(length);
    const known = isSame(before, text) ? before.location : this.#options.known.find(id);
    if (known !== undefined) {
      this.#refer(id, length, known);
      return;
    }
    const stored = ready.encoded.get(extent);
    if (stored === undefined) {
      throw new Error(`chunk ${text} was known and is not any more`);
    }
    this.#refer(id, length, await this.#packs.append(stored));
  }

  #count(length: number): void {
    this.#totals.bytes += length;
    this.#totals.chunks += 1;
  }

  /** An index line for a chunk that is stored, or will be with its pack. */
  #refer(id: Buffer, length: number, location: ChunkLocation): void {
    this.#use(id, location);
    if (location.base !== undefined) {
      this.#use(Buffer.from(location.base.id, 'hex'), location.base.location);
    }
    this.#index.chunk(id.toString('hex'), length, location);
  }

  #use(id: Buffer, location: ChunkLocation): void {
    // Full tables forget: then a chunk used twice counts twice.
    this.#options.known.add(id, location);
    if (this.#options.known.find(id)?.used !== true) {
      this.#totals.storedBytes += location.stored;
      this.#options.known.markUsed(id);
    }
    this.#named.add(location.pack);
  }

  async #uploadPack({ id, data }: CompletePack): Promise<void> {
    const { store, chunkPrefix, signal } = this.#options;
    await store.put(packKey(chunkPrefix, id), data, { sha256: id, signal });
    this.#totals.newBytes += data.length;
    this.#report();
  }

  async #storeIndex(object: string, data: Uint8Array, sha256: string): Promise<void> {
    const { store, artefactPath, signal } = this.#options;
    this.indexObjects.push(object);
    await store.put(`${artefactPath}${object}`, data, { sha256, signal });
    this.#totals.newBytes += data.length;
  }

  #check(): void {
    this.#options.signal?.throwIfAborted();
    if (this.#failure !== undefined) {
      throw this.#failure.error;
    }
  }

  #report(): void {
    this.#options.onProgress?.({
      bytesRead: this.#totals.bytes,
      bytesStored: this.#totals.newBytes,
    });
  }

  #packNames(): ReadonlySet<PackName> {
    const names = new Set<PackName>();
    for (const { id, size } of this.#named) {
      if (id !== undefined) {
        names.add({ id, size });
      }
    }
    return names;
  }
}

function orderOf({ id, at, length, recheck, pages }: ChunkPlan): EncodeOrder {
  return { id, at, length, recheck, pages };
}

function isContent({ kind }: SnapshotEntry): boolean {
  return kind === 'file' || kind === 'stream';
}

function explain(error: unknown): unknown {
  const { path, syscall } = Error.isError(error) ? (error as NodeJS.ErrnoException) : {};
  if (path !== undefined && syscall !== undefined) {
    return unreadable(path, error);
  }
  if (error instanceof ShortFileError) {
    return new SnapshotError(
      `cannot back up ${JSON.stringify(error.path)}: it ended after ${error.found} bytes, fewer than it had`,
      { code: 'source-changed', hint: 'make sure nothing truncates files during the backup' },
    );
  }
  if (error instanceof RecheckError) {
    // Memory and processors fail, too: what could not be read back must not be believed.
    return new SnapshotError(`cannot back up: ${error.message}`, {
      code: 'damaged',
      hint: 'test the memory of this machine, then run the backup again',
    });
  }
  return error;
}
