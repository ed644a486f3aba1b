/**
 * Puts what has been written on its way to the disk while more is being fetched: Linux would leave up to a tenth of the
 * memory for the sync at the end, which then waits for all of it.
 */
import type { FileHandle } from 'node:fs/promises';

/** Less is not worth a commit of the file system's journal. */
const WORTHWHILE_BYTES = 32 * 1024 * 1024;

/** One for all files of a restore: one disk writes one thing at a time. */
export class WriteBack {
  #isBusy = false;

  /** Of one file. */
  begin(handle: FileHandle): FileWriteBack {
    return new FileWriteBack(async () => await this.#flush(handle));
  }

  /** Nothing where another one is under way. @returns whether it was done */
  async #flush(handle: FileHandle): Promise<boolean> {
    if (this.#isBusy) {
      return false;
    }
    this.#isBusy = true;
    try {
      await handle.datasync();
      return true;
    } finally {
      this.#isBusy = false;
    }
  }
}

export class FileWriteBack {
  readonly #flush: () => Promise<boolean>;
  #bytes = 0;
  #running: Promise<void> = Promise.resolve();

  constructor(flush: () => Promise<boolean>) {
    this.#flush = flush;
  }

  /** So many bytes more have been written. Waits for nothing. */
  written(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes >= WORTHWHILE_BYTES) {
      this.#running = this.#next(this.#running);
      // Its failure is that of `settled`.
      this.#running.catch(() => undefined);
    }
  }

  /** Nothing is under way any more. @throws what the disk refused */
  async settled(): Promise<void> {
    await this.#running;
  }

  async #next(before: Promise<void>): Promise<void> {
    await before;
    const bytes = this.#bytes;
    if (bytes >= WORTHWHILE_BYTES && (await this.#flush())) {
      this.#bytes -= bytes;
    }
  }
}
