/**
 * The pipeline of a backup: read and cut → hash → (known?) → compress → pack → upload, with index lines beside.
 * Chunks are hashed and compressed side by side, but placed in order, so that equal sources give equal packs.
 */
import type { ObjectStore } from '#object-store';
import { BufferPool } from './buffer-pool.ts';
import { type CutChunk, cutChunks } from './chunk-cutter.ts';
import { decodeChunk } from './chunk-fetcher.ts';
import { type ChunkLocation, ChunkTable, type PackHandle } from './chunk-table.ts';
import { type Encoded, encode } from './codec.ts';
import { type Coding, sealedAs } from './coding.ts';
import { SnapshotError } from './errors.ts';
import { CHUNK_SIZE, type PackName, packKey } from './format.ts';
import { freeMemory } from './free-memory.ts';
import { IndexBuilder } from './index-builder.ts';
import { type CompletePack, PackBuilder } from './pack-builder.ts';
import { PathRegistry } from './safe-path.ts';
import type { BackupProgress, IndexPart, SnapshotEntry, SnapshotTotals } from './types.ts';

/** Chunks being read, compressed or placed: enough to keep four compressing threads busy. */
const CHUNK_BUFFERS = 12;
/** Packs in memory: one being filled, three on their way. */
const PACK_BUFFERS = 4;
/** Steps may wait for their turn; so many at most, for trees of countless empty files. */
const MAX_WAITING_STEPS = 512;

export interface SnapshotWriterOptions {
  readonly store: ObjectStore;
  readonly artefactPath: string;
  readonly chunkPrefix: string;
  readonly entries: AsyncIterable<SnapshotEntry>;
  readonly level: number | undefined;
  readonly coding: Coding;
  /** Of so many chunks stored one is decoded again first; 0 for none. */
  readonly recheckEvery: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: BackupProgress) => void) | undefined;
}

export interface WrittenContent {
  readonly totals: SnapshotTotals;
  readonly index: readonly IndexPart[];
  /** Every pack the index names. */
  readonly packs: ReadonlySet<PackName>;
}

export class SnapshotWriter {
  /** Chunks that need not be stored again. */
  readonly known = new ChunkTable();
  readonly indexObjects: string[] = [];
  readonly #options: SnapshotWriterOptions;
  readonly #buffers = new BufferPool(CHUNK_BUFFERS, CHUNK_SIZE);
  readonly #paths = new PathRegistry();
  readonly #packs: PackBuilder;
  readonly #index: IndexBuilder;
  readonly #named = new Set<PackHandle>();
  readonly #totals = { entries: 0, files: 0, bytes: 0, chunks: 0, newBytes: 0, storedBytes: 0 };
  /** Steps run one after the other, in the order of the source. */
  #steps: Promise<void> = Promise.resolve();
  #waitingSteps = 0;
  #encoded = 0;
  #failure: { readonly error: unknown } | undefined;

  constructor(options: SnapshotWriterOptions) {
    this.#options = options;
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
  async write(): Promise<WrittenContent> {
    try {
      for await (const entry of this.#options.entries) {
        this.#check();
        await this.#writeEntry(entry);
      }
      await this.#steps;
      this.#check();
      await this.#packs.finish();
      const index = await this.#index.finish();
      return { totals: { ...this.#totals }, index, packs: this.#packNames() };
    } finally {
      await this.#steps;
      await this.#packs.settle();
    }
  }

  async #writeEntry(entry: SnapshotEntry): Promise<void> {
    this.#paths.add(entry.path, entry.kind);
    this.#totals.entries += 1;
    await this.#step(async () => this.#index.entry(entry));
    if (entry.kind === 'directory' || entry.kind === 'symlink') {
      assertMetadata(entry);
      return;
    }
    this.#totals.files += 1;
    const size = await this.#writeContent(entry);
    if (entry.size !== undefined && entry.size !== size) {
      throw new SnapshotError(
        `cannot back up ${JSON.stringify(entry.path)}: the source gave ${size} bytes instead of ${entry.size}`,
        { code: 'source-changed', hint: 'make sure nothing truncates files during the backup' },
      );
    }
    await this.#step(async () => this.#index.end(size));
  }

  async #writeContent(entry: SnapshotEntry): Promise<number> {
    if (entry.open === undefined) {
      throw new SnapshotError(`cannot back up ${JSON.stringify(entry.path)}: it has no content`, {
        code: 'invalid-entry',
      });
    }
    let size = 0;
    for await (const chunk of cutChunks(entry.open(), this.#buffers)) {
      try {
        this.#check();
      } catch (error) {
        this.#buffers.release(chunk.buffer);
        throw error;
      }
      size += chunk.length;
      this.#totals.bytes += chunk.length;
      this.#totals.chunks += 1;
      await this.#writeChunk(chunk);
      this.#report();
    }
    return size;
  }

  async #writeChunk(chunk: CutChunk): Promise<void> {
    const data = chunk.buffer.subarray(0, chunk.length);
    const id = this.#options.coding.idOf(data);
    const encoded = this.known.find(id) === undefined ? this.#encode(id, data) : undefined;
    // Its failure is seen by the step; until then it must not count as unhandled.
    encoded?.catch(() => undefined);
    await this.#step(async () => {
      try {
        await this.#place(id, chunk.length, await encoded);
      } finally {
        this.#buffers.release(chunk.buffer);
      }
    });
  }

  /** As it will be stored. @throws SnapshotError `damaged` when it would not come back */
  async #encode(id: Buffer, data: Buffer): Promise<Encoded> {
    const { coding, level, recheckEvery } = this.#options;
    const { as, data: encoded } = await encode(data, level);
    const text = id.toString('hex');
    const sealed = coding.seal(encoded, sealedAs.chunk(text));
    if (sealed !== encoded && encoded !== data) {
      freeMemory(encoded);
    }
    this.#encoded += 1;
    if (recheckEvery > 0 && this.#encoded % recheckEvery === 0) {
      await recheck({ id: text, as, size: data.length }, sealed, coding);
    }
    return { as, data: sealed };
  }

  async #place(id: Buffer, size: number, encoded: Encoded | undefined): Promise<void> {
    const text = id.toString('hex');
    const known = this.known.find(id);
    const location = known ?? (await this.#append(text, size, encoded));
    if (known === undefined) {
      this.known.add(id, location);
    }
    if (known?.used !== true) {
      this.#totals.storedBytes += location.stored;
      this.known.markUsed(id);
    }
    this.#named.add(location.pack);
    this.#index.chunk(text, size, location);
    if (known !== undefined && this.#index.waiting >= MAX_WAITING_STEPS) {
      await this.#index.flush();
    }
  }

  async #append(id: string, size: number, encoded: Encoded | undefined): Promise<ChunkLocation> {
    if (encoded === undefined) {
      throw new Error(`chunk ${id} was known and is not any more`);
    }
    const location = await this.#packs.append(id, size, encoded);
    if (encoded.as !== 'raw' || this.#options.coding.overhead > 0) {
      freeMemory(encoded.data);
    }
    // The first chunk of a pack means the one before is complete, and the lines that waited for it can go.
    if (location.at === 0) {
      await this.#index.flush();
    }
    return location;
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

  /** Appends work to the ordered part of the pipeline; waits only when too much of it waits already. */
  async #step(work: () => Promise<void>): Promise<void> {
    this.#waitingSteps += 1;
    this.#steps = this.#after(this.#steps, work);
    if (this.#waitingSteps > MAX_WAITING_STEPS) {
      await this.#steps;
    }
  }

  async #after(before: Promise<void>, work: () => Promise<void>): Promise<void> {
    await before;
    try {
      // After a failure the rest still runs, to release its buffers.
      await work();
    } catch (error) {
      this.#failure ??= { error };
    } finally {
      this.#waitingSteps -= 1;
    }
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

/** Memory and processors fail, too: what could not be read back must not be believed. */
async function recheck(
  ref: { readonly id: string; readonly as: Encoded['as']; readonly size: number },
  stored: Uint8Array,
  coding: Coding,
): Promise<void> {
  if ((await decodeChunk(ref, stored, coding)) === undefined) {
    throw new SnapshotError(
      `cannot back up: chunk ${ref.id} did not come back the same when it was decoded for a test`,
      { code: 'damaged', hint: 'test the memory of this machine, then run the backup again' },
    );
  }
}

function assertMetadata(entry: SnapshotEntry): void {
  if (entry.kind === 'symlink' && (entry.target === undefined || entry.target === '')) {
    throw new SnapshotError(`cannot back up ${JSON.stringify(entry.path)}: it points nowhere`, {
      code: 'invalid-entry',
    });
  }
}
