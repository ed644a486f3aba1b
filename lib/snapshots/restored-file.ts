/** One file being restored: chunks may come in any order; complete, it gets its metadata and is closed. */
import { type FileHandle, open } from 'node:fs/promises';
import type { Ownership } from './ownership.ts';
import type { EntryMetadata } from './types.ts';

export interface RestoredFileOptions {
  readonly owner: Ownership | undefined;
  /** Whether this file is made durable by itself. */
  readonly isSynced: boolean;
  readonly onClosed: () => void;
}

export class RestoredFile {
  readonly #path: string;
  readonly #entry: EntryMetadata;
  readonly #options: RestoredFileOptions;
  #handle: Promise<FileHandle> | undefined;
  #written = 0;
  #size: number | undefined;
  #finished = false;

  constructor(path: string, entry: EntryMetadata, options: RestoredFileOptions) {
    this.#path = path;
    this.#entry = entry;
    this.#options = options;
  }

  async write(data: Uint8Array, offset: number): Promise<void> {
    const handle = await this.#open();
    for (let done = 0; done < data.length; ) {
      const { bytesWritten } = await handle.write(data, done, data.length - done, offset + done);
      done += bytesWritten;
    }
    this.#written += data.length;
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
    await handle?.close().catch(() => undefined);
  }

  async #finishIfComplete(): Promise<void> {
    if (this.#written !== this.#size || this.#finished) {
      return;
    }
    this.#finished = true;
    const handle = await this.#open();
    const { mode, mtimeMs } = this.#entry;
    const { owner } = this.#options;
    if (owner !== undefined) {
      await handle.chown(owner.uid, owner.gid);
    }
    if (mode !== undefined) {
      // After chown, which clears set-user-id bits.
      await handle.chmod(mode & 0o7777);
    }
    if (mtimeMs !== undefined) {
      await handle.utimes(mtimeMs / 1000, mtimeMs / 1000);
    }
    if (this.#options.isSynced) {
      await handle.sync();
    }
    await handle.close();
    this.#options.onClosed();
  }

  async #open(): Promise<FileHandle> {
    // Exclusive: never writes into, or through, anything that exists.
    this.#handle ??= open(this.#path, 'wx', 0o600);
    return await this.#handle;
  }
}
