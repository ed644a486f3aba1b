/**
 * Turns what a backup consists of into entries, for both kinds of readers: those who take one entry after
 * the other, and those who read files themselves, later and side by side.
 */
import type { FileHandle } from 'node:fs/promises';
import { HintError } from '#system';
import type { EngineEntry, EntryFile } from '../../engine.ts';
import { openIfThere, readPieces } from './in-place.ts';

export interface HandOutOptions {
  /** Who owns restored files, user and group; numeric ids mean nothing on another machine. */
  readonly owner: string;
  /** Entries carry `file`, and may be read later. */
  readonly isDeferred: boolean;
  readonly signal: AbortSignal;
}

/** A file of this machine on its way into the backup. */
export interface InPlace {
  readonly path: string;
  readonly mode: number;
  readonly mtimeMs: number;
  readonly size: number;
  readonly file: EntryFile;
  readonly fingerprint?: string;
}

type Entries = AsyncGenerator<EngineEntry, void, undefined>;

export class HandOut {
  readonly #options: HandOutOptions;

  constructor(options: HandOutOptions) {
    this.#options = options;
  }

  directory(path: string, mode: number, mtimeMs: number): EngineEntry {
    return { kind: 'directory', path, mode, mtimeMs, ...this.#ownership() };
  }

  /** A small file whose bytes are at hand. */
  async *content(
    path: string,
    content: Uint8Array,
    { mode, mtimeMs }: { mode: number; mtimeMs: number },
  ): Entries {
    const pieces = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
      yield content;
    };
    yield* this.pieces({ path, mode, mtimeMs, size: content.length }, pieces);
  }

  /** A file made by us: `pieces` gives `size` bytes, whenever it is called. */
  async *pieces(
    about: Omit<InPlace, 'file' | 'fingerprint'>,
    pieces: () => AsyncIterable<Uint8Array>,
  ): Entries {
    yield* this.#watched({ kind: 'file', ...about, ...this.#ownership(), open: pieces });
  }

  /** `onListed` is called when, as far as known, the file is there. */
  async *inPlace(item: InPlace, onListed: () => Promise<void>): Entries {
    const { file, ...about } = item;
    const entry = { kind: 'file' as const, ...about, ...this.#ownership() };
    if (this.#options.isDeferred) {
      await onListed();
      yield { ...entry, file, open: () => this.#readLater(item) };
      return;
    }
    const handle = await openIfThere(file);
    if (handle === undefined) {
      return;
    }
    try {
      await onListed();
      yield* this.#watched({ ...entry, open: () => this.#read(handle, item) });
    } finally {
      await handle.close();
    }
  }

  #ownership(): { owner: string; group: string } {
    return { owner: this.#options.owner, group: this.#options.owner };
  }

  async *#readLater(item: InPlace): AsyncGenerator<Uint8Array, void, undefined> {
    const handle = await openIfThere(item.file);
    if (handle === undefined) {
      throw entryError('file-gone', item.path, 'the database has dropped it meanwhile');
    }
    try {
      yield* this.#read(handle, item);
    } finally {
      await handle.close();
    }
  }

  async *#read(handle: FileHandle, item: InPlace): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const piece of readPieces(handle, item.file, item.size)) {
      this.#options.signal.throwIfAborted();
      yield piece;
    }
  }

  /** Hands out an entry; whoever goes on without having read it made a hole in the backup. */
  async *#watched(entry: EngineEntry & { open(): AsyncIterable<Uint8Array> }): Entries {
    let state: 'unopened' | 'open' | 'ended' = 'unopened';
    const open = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
      if (state !== 'unopened') {
        throw entryError('entry-not-read', entry.path, 'it was opened twice');
      }
      state = 'open';
      yield* entry.open();
      state = 'ended';
    };
    yield { ...entry, open };
    // Read as a property: the type checker does not see that the reader changes it.
    const isRead = (): boolean => state === 'ended';
    if (!this.#options.isDeferred && (entry.size ?? 0) > 0 && !isRead()) {
      throw entryError('entry-not-read', entry.path, 'the next entry was asked for too early');
    }
  }
}

function entryError(code: string, path: string, reason: string): HintError {
  return new HintError(`cannot back up ${path}: ${reason}`, { code, hint: 'try again' });
}
