/** One file being restored in several chunks, which come in any order; complete, it gets its metadata and is closed. */
import { type FileHandle, open } from 'node:fs/promises';
import { type FileFinish, finishFile, type WriteTarget } from './decoding/decode-work.ts';
import type { FileWriteBack, WriteBack } from './write-back.ts';

export interface RestoredFileOptions {
  readonly path: string;
  readonly finish: FileFinish;
  readonly writeBack: WriteBack;
  readonly onClosed: () => void;
}

export class RestoredFile {
  readonly #options: RestoredFileOptions;
  #handle: Promise<FileHandle> | undefined;
  #writeBack: FileWriteBack | undefined;
  #written = 0;
  #size: number | undefined;
  #finished = false;

  constructor(options: RestoredFileOptions) {
    this.#options = options;
  }

  /** Where the bytes at this position go. */
  async target(position: number): Promise<WriteTarget> {
    // Exclusive: never writes into, or through, anything that exists.
    this.#handle ??= open(this.#options.path, 'wx', 0o600);
    const handle = await this.#handle;
    this.#writeBack ??= this.#options.writeBack.begin(handle);
    return { kind: 'open', fd: handle.fd, position };
  }

  /** So many bytes more have been written. */
  async written(bytes: number): Promise<void> {
    this.#written += bytes;
    this.#writeBack?.written(bytes);
    await this.#finishIfComplete();
  }

  /** The size is known: completes the file when all of it is there already, else the last chunk will. */
  async expect(size: number): Promise<void> {
    this.#size = size;
    await this.#finishIfComplete();
  }

  /** Closes a file that was not completed. */
  async discard(): Promise<void> {
    const handle = await this.#handle?.catch(() => undefined);
    await this.#writeBack?.settled().catch(() => undefined);
    await handle?.close().catch(() => undefined);
  }

  async #finishIfComplete(): Promise<void> {
    const handle = await this.#handle;
    if (this.#written !== this.#size || this.#finished || handle === undefined) {
      return;
    }
    this.#finished = true;
    await this.#writeBack?.settled();
    finishFile(handle.fd, { ...this.#options.finish, isSynced: false });
    if (this.#options.finish.isSynced) {
      await handle.sync();
    }
    await handle.close();
    this.#options.onClosed();
  }
}
