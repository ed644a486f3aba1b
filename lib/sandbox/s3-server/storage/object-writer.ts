/** Receives one body into a temporary file and publishes it by a rename. */
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { hasErrorCode, syncDirectory } from '#system';
import { replaceFile } from './deferred-removal.ts';
import { encodeFooter, type ObjectRecord } from './object-file.ts';

/** Network reads come in 64 KiB; fewer, larger writes cost less. */
const BATCH_BYTES = 1024 * 1024;

/** One body on its way to disk. Dispose of it in every case: what was not published is removed. */
export class ObjectWriter implements AsyncDisposable {
  readonly #path: string;
  readonly #handle: FileHandle;
  readonly #fsync: boolean;
  #size = 0;
  #isOpen = true;
  #isPublished = false;

  private constructor(path: string, handle: FileHandle, fsync: boolean) {
    this.#path = path;
    this.#handle = handle;
    this.#fsync = fsync;
  }

  static async create(directory: string, options: { fsync: boolean }): Promise<ObjectWriter> {
    const path = join(directory, randomBytes(12).toString('hex'));
    return new ObjectWriter(path, await open(path, 'wx', 0o600), options.fsync);
  }

  /** Bytes written so far. */
  get size(): number {
    return this.#size;
  }

  /** Writes all of `chunks`, each batch while the next one arrives. */
  async append(chunks: AsyncIterable<Buffer>): Promise<void> {
    let batch: Buffer[] = [];
    let batchBytes = 0;
    let writing: Promise<unknown> = Promise.resolve();
    try {
      for await (const chunk of chunks) {
        batch.push(chunk);
        batchBytes += chunk.length;
        if (batchBytes >= BATCH_BYTES) {
          await writing;
          writing = this.#write(batch, batchBytes);
          // Awaited above or below; until then a failure must not count as unhandled.
          writing.catch(() => undefined);
          batch = [];
          batchBytes = 0;
        }
      }
    } finally {
      await writing;
    }
    await this.#write(batch, batchBytes);
  }

  /** Completes the file. Nothing may be appended after that. */
  async seal(record: ObjectRecord): Promise<void> {
    await this.#handle.writeFile(encodeFooter(record));
    if (this.#fsync) {
      await this.#handle.sync();
    }
    this.#isOpen = false;
    await this.#handle.close();
  }

  /** Puts the sealed file in its place at once, so that the caller's checks still hold. */
  publish(path: string): void {
    try {
      replaceFile(this.#path, path);
    } catch (error) {
      if (!hasErrorCode(error, 'ENOENT')) {
        throw error;
      }
      mkdirSync(dirname(path), { recursive: true });
      replaceFile(this.#path, path);
    }
    this.#isPublished = true;
  }

  /** Makes the publication survive a power cut, where that was asked for. */
  async settle(path: string): Promise<void> {
    if (this.#fsync) {
      await syncDirectory(dirname(path));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isOpen) {
      await this.#handle.close();
    }
    if (!this.#isPublished) {
      await rm(this.#path, { force: true });
    }
  }

  async #write(batch: readonly Buffer[], bytes: number): Promise<void> {
    if (bytes === 0) {
      return;
    }
    const { bytesWritten } = await this.#handle.writev(batch);
    // A short write is rare (a full disk answers with an error at the next one); finish it plainly.
    if (bytesWritten < bytes) {
      await this.#handle.writeFile(Buffer.concat(batch).subarray(bytesWritten));
    }
    this.#size += bytes;
  }
}
