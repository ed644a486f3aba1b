/** A stretch of the backup: entries and chunks in the order of the source, with the chunks' bytes in one slot of memory. */
import type { ChunkLocation } from '../chunk-table.ts';
import type { ParentChunk } from '../parent-files.ts';
import type { SnapshotEntry } from '../types.ts';
import type { Extent, FilePart } from './batch-work.ts';
import type { OpenFile } from './open-file.ts';

/** A file read in place. */
export interface FileState {
  /** Nobody finds it any more; it is left out of the backup. */
  readonly isGone: boolean;
  markGone(): void;
}

export type Action =
  | { readonly kind: 'entry'; readonly entry: SnapshotEntry; readonly file?: FileState | undefined }
  /** The next of the batch's extents. */
  | {
      readonly kind: 'chunk';
      readonly extent: number;
      readonly length: number;
      readonly file?: FileState | undefined;
      /** What the parent had in its place. */
      readonly before?: ParentChunk | undefined;
    }
  /** A chunk that an earlier backup has stored, of a file that has not changed. */
  | {
      readonly kind: 'known';
      readonly id: string;
      readonly length: number;
      readonly location: ChunkLocation;
    }
  | { readonly kind: 'end'; readonly size: number; readonly file?: FileState | undefined };

export interface ChunkOrigin {
  readonly part?: FilePart;
  readonly file?: FileState;
  readonly before?: ParentChunk | undefined;
}

/** Index lines waiting for their turn cost memory, too: for trees of countless empty files. */
const MAX_ACTIONS = 2048;

export class Batch {
  readonly actions: Action[] = [];
  readonly extents: Extent[] = [];
  /** To be released when the batch has been read. */
  readonly openFiles = new Set<OpenFile>();
  readonly slot: number;
  readonly #memory: Uint8Array;
  #filled = 0;

  constructor(slot: number, memory: Uint8Array) {
    this.slot = slot;
    this.#memory = memory;
  }

  get isEmpty(): boolean {
    return this.actions.length === 0;
  }

  /** Bytes of content in it. */
  get bytes(): number {
    return this.#filled;
  }

  hasRoom(length: number): boolean {
    return this.#filled + length <= this.#memory.length && this.actions.length < MAX_ACTIONS;
  }

  /** Where the next chunk's bytes go; its length is told by `addChunk`. */
  room(length: number): Uint8Array {
    return this.#memory.subarray(this.#filled, this.#filled + length);
  }

  /** A chunk whose bytes lie in `room`, or will be read from a file. */
  addChunk(length: number, origin: ChunkOrigin = {}): void {
    const { part, file, before } = origin;
    this.actions.push({ kind: 'chunk', extent: this.extents.length, length, file, before });
    this.extents.push({ at: this.#filled, length, file: part });
    this.#filled += length;
  }
}
