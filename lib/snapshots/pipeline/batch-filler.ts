/** Turns entries into batches: cuts contents into chunks, at fixed offsets from the start of each entry. */
import { SnapshotError, unreadable } from '../errors.ts';
import { CHUNK_SIZE } from '../format.ts';
import type { Parent } from '../parent.ts';
import { type ParentChunk, type ParentFile, ParentFiles } from '../parent-files.ts';
import { Pool } from '../pool.ts';
import { PathRegistry } from '../safe-path.ts';
import type { EntryFile, SnapshotEntry } from '../types.ts';
import { Batch, type FileState } from './batch.ts';
import type { FilePart } from './batch-work.ts';
import { OpenFile } from './open-file.ts';

export interface BatchFillerOptions {
  readonly slots: readonly Uint8Array[];
  /** Throws when the backup must stop. */
  readonly check: () => void;
  /** Takes a full batch; resolves when the next may come. Its slot comes back by `release`. */
  readonly dispatch: (batch: Batch) => Promise<void>;
}

export class BatchFiller {
  readonly #options: BatchFillerOptions;
  readonly #pool: Pool<number>;
  readonly #paths = new PathRegistry();
  #batch: Batch | undefined;
  #parent: ParentFiles | undefined;

  constructor(options: BatchFillerOptions) {
    this.#options = options;
    this.#pool = new Pool(options.slots.length, (slot) => slot);
  }

  async fill(entries: AsyncIterable<SnapshotEntry>, parent: Parent | undefined): Promise<void> {
    this.#parent = parent === undefined ? undefined : new ParentFiles(parent);
    try {
      for await (const entry of entries) {
        this.#options.check();
        await this.#addEntry(entry);
      }
      await this.flush();
    } finally {
      await this.#parent?.close();
    }
  }

  /** Sends off what has been collected so far. */
  async flush(): Promise<void> {
    const batch = this.#batch;
    if (batch !== undefined && !batch.isEmpty) {
      this.#batch = undefined;
      await this.#options.dispatch(batch);
      this.#options.check();
    }
  }

  /** The batch has been read and encoded: its memory may be used again. */
  release(batch: Batch): void {
    this.#pool.release(batch.slot);
  }

  /** After a failure: lets go of what a batch never sent holds. */
  abandon(): void {
    for (const file of this.#batch?.openFiles ?? []) {
      file[Symbol.dispose]();
    }
    this.#batch = undefined;
  }

  async #addEntry(entry: SnapshotEntry): Promise<void> {
    this.#paths.add(entry.path, entry.kind);
    if (entry.kind === 'directory' || entry.kind === 'symlink') {
      assertMetadata(entry);
      (await this.#room(0)).actions.push({ kind: 'entry', entry });
    } else if (entry.file !== undefined) {
      await this.#addFile(entry, entry.file, sizeOf(entry));
    } else {
      await this.#addStream(entry);
    }
  }

  /** The batch being filled, with room for a chunk of this size. */
  async #room(length: number): Promise<Batch> {
    if (this.#batch?.hasRoom(length) === false) {
      await this.flush();
    }
    if (this.#batch === undefined) {
      const slot = await this.#pool.acquire();
      this.#options.check();
      this.#batch = new Batch(slot, this.#options.slots[slot] ?? new Uint8Array());
    }
    return this.#batch;
  }

  async #addFile(entry: SnapshotEntry, file: EntryFile, size: number): Promise<void> {
    const parent = await this.#parent?.find(entry.path);
    const reading = new FileReading(file, size);
    using _ = reading;
    if (!reading.begin()) {
      return;
    }
    // In one batch with its first chunk, before whose reading nobody knows whether it is still there.
    const batch = await this.#room(Math.min(size, CHUNK_SIZE));
    batch.actions.push({ kind: 'entry', entry, file: reading });
    if (
      parent !== undefined &&
      entry.fingerprint !== undefined &&
      parent.fingerprint === entry.fingerprint
    ) {
      await this.#takeOver(parent.chunks, reading);
    } else {
      const before = new BeforeChunks(parent);
      await this.#addParts(reading, { from: 0, to: size }, before);
    }
    (await this.#room(0)).actions.push({ kind: 'end', size, file: reading });
  }

  /** The chunks of an unchanged file; it is read where what was stored is gone. */
  async #takeOver(chunks: AsyncIterable<ParentChunk>, reading: FileReading): Promise<void> {
    let position = 0;
    for await (const { id, size: length, location } of chunks) {
      if (location === undefined) {
        await this.#addParts(reading, { from: position, to: position + length });
      } else {
        (await this.#room(0)).actions.push({ kind: 'known', id, length, location });
      }
      position += length;
    }
  }

  async #addParts(
    reading: FileReading,
    { from, to }: { readonly from: number; readonly to: number },
    before?: BeforeChunks,
  ): Promise<void> {
    for (let position = from; position < to; position += CHUNK_SIZE) {
      const length = Math.min(CHUNK_SIZE, to - position);
      await this.#addPart(reading, { position, length, before: await before?.next(length) });
    }
  }

  async #addPart(reading: FileReading, { position, length, before }: FileChunk): Promise<void> {
    const batch = await this.#room(length);
    this.#options.check();
    batch.addChunk(length, { part: reading.part(position), file: reading, before });
    if (reading.open !== undefined && !batch.openFiles.has(reading.open)) {
      batch.openFiles.add(reading.open.retain());
    }
  }

  async #addStream(entry: SnapshotEntry): Promise<void> {
    if (entry.open === undefined) {
      throw new SnapshotError(`cannot back up ${JSON.stringify(entry.path)}: it has no content`, {
        code: 'invalid-entry',
      });
    }
    const before = new BeforeChunks(await this.#parent?.find(entry.path));
    (await this.#room(0)).actions.push({ kind: 'entry', entry });
    let size = 0;
    let filled = 0;
    for await (const piece of entry.open()) {
      this.#options.check();
      for (let taken = 0; taken < piece.length; ) {
        const batch = await this.#room(CHUNK_SIZE);
        const part = piece.subarray(taken, taken + CHUNK_SIZE - filled);
        batch.room(CHUNK_SIZE).set(part, filled);
        taken += part.length;
        filled += part.length;
        if (filled === CHUNK_SIZE) {
          batch.addChunk(filled, { before: await before.next(filled) });
          size += filled;
          filled = 0;
        }
      }
    }
    if (filled > 0) {
      const batch = await this.#room(CHUNK_SIZE);
      batch.addChunk(filled, { before: await before.next(filled) });
      size += filled;
    }
    if (entry.size !== undefined && entry.size !== size) {
      throw new SnapshotError(
        `cannot back up ${JSON.stringify(entry.path)}: the source gave ${size} bytes instead of ${entry.size}`,
        { code: 'source-changed', hint: 'make sure nothing truncates files during the backup' },
      );
    }
    (await this.#room(0)).actions.push({ kind: 'end', size });
  }
}

interface FileChunk {
  readonly position: number;
  readonly length: number;
  readonly before: ParentChunk | undefined;
}

/** What the parent has in the same places of a file that may have changed. */
class BeforeChunks {
  readonly #chunks: AsyncIterator<ParentChunk> | undefined;
  #isAligned = true;

  constructor(file: ParentFile | undefined) {
    this.#chunks = file?.chunks;
  }

  /** The chunk that begins where the next one does, if it is as long. */
  async next(length: number): Promise<ParentChunk | undefined> {
    const next = this.#isAligned ? await this.#chunks?.next() : undefined;
    const chunk = next?.done === true ? undefined : next?.value;
    this.#isAligned = chunk?.size === length;
    return this.#isAligned ? chunk : undefined;
  }
}

/** One file read in place: small ones are opened by whoever reads them, big ones are kept open between their parts. */
class FileReading implements FileState, Disposable {
  readonly #file: EntryFile;
  readonly #size: number;
  #open: OpenFile | undefined;
  #isGone = false;

  constructor(file: EntryFile, size: number) {
    this.#file = file;
    this.#size = size;
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  markGone(): void {
    this.#isGone = true;
    this.#file.onGone?.();
  }

  get open(): OpenFile | undefined {
    return this.#open;
  }

  /** @returns false when the file is gone, and may be. @throws the error of the file system */
  begin(): boolean {
    if (this.#size <= CHUNK_SIZE) {
      return true;
    }
    try {
      this.#open = new OpenFile(this.#file.path);
      return true;
    } catch (error) {
      if (this.#file.whenGone === 'skip' && (error as NodeJS.ErrnoException).code === 'ENOENT') {
        this.markGone();
        return false;
      }
      throw unreadable(this.#file.path, error);
    }
  }

  part(position: number): FilePart {
    const { path, whenShort, whenGone } = this.#file;
    return { path, fd: this.#open?.fd, position, whenShort, whenGone };
  }

  [Symbol.dispose](): void {
    this.#open?.[Symbol.dispose]();
  }
}

function sizeOf({ path, size }: SnapshotEntry): number {
  if (size === undefined) {
    throw new SnapshotError(`cannot back up ${JSON.stringify(path)}: its size is not known`, {
      code: 'invalid-entry',
    });
  }
  return size;
}

function assertMetadata(entry: SnapshotEntry): void {
  if (entry.kind === 'symlink' && (entry.target === undefined || entry.target === '')) {
    throw new SnapshotError(`cannot back up ${JSON.stringify(entry.path)}: it points nowhere`, {
      code: 'invalid-entry',
    });
  }
}
