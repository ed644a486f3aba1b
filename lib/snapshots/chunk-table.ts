/**
 * The chunks a writer knows: id to location, some 60 bytes each, so that a million of them (256 GiB of
 * content) fit the worker's memory. Beyond its capacity it forgets to learn: chunks are then stored again,
 * which costs space and never correctness.
 */
import type { Encoding } from './format.ts';

/** A pack whose id is known once it is complete. */
export interface PackHandle {
  id: string | undefined;
  size: number;
  /** Whether new snapshots no longer refer to it: see docs/decisions/0011-compaction.md. */
  isLeft?: boolean;
}

export interface ChunkLocation {
  readonly pack: PackHandle;
  readonly at: number;
  readonly stored: number;
  readonly as: Encoding;
  /** Where `as` is `pages`: the chunk they belong into. */
  readonly base?: BaseChunk | undefined;
}

/** A chunk that stands on its own, as the base of others. */
export interface BaseChunk {
  readonly id: string;
  readonly location: ChunkLocation;
}

export interface KnownChunk extends ChunkLocation {
  /** Whether this snapshot refers to it already. */
  readonly used: boolean;
}

const ID_BYTES = 32;
/** id, pack number, offset, stored length, flags. */
const RECORD_BYTES = ID_BYTES + 4 + 4 + 4 + 4;
const RECORDS_PER_PAGE = 16_384;
const DEFAULT_CAPACITY = 1_200_000;
const ZSTD = 1;
const USED = 2;

export class ChunkTable {
  readonly #capacity: number;
  readonly #pages: Buffer[] = [];
  readonly #packs: PackHandle[] = [];
  readonly #packNumbers = new Map<PackHandle, number>();
  /** Open addressing, linear probing; 0 is free, else record number + 1. */
  #slots = new Int32Array(1 << 12);
  #count = 0;

  constructor(capacity: number = DEFAULT_CAPACITY) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#count;
  }

  /** Whether it has begun to forget. */
  get isFull(): boolean {
    return this.#count >= this.#capacity;
  }

  /** A chunk in a pack that is left counts as not known. */
  find(id: Buffer): KnownChunk | undefined {
    const record = this.#recordAt(this.#slots[this.#probe(id)] ?? 0);
    if (record === undefined) {
      return undefined;
    }
    const flags = record.readUInt32LE(ID_BYTES + 12);
    const pack = this.#packs[record.readUInt32LE(ID_BYTES)];
    return pack === undefined || pack.isLeft === true
      ? undefined
      : {
          pack,
          at: record.readUInt32LE(ID_BYTES + 4),
          stored: record.readUInt32LE(ID_BYTES + 8),
          as: (flags & ZSTD) === 0 ? 'raw' : 'zstd',
          used: (flags & USED) !== 0,
        };
  }

  /** Notes that this snapshot refers to the chunk. */
  markUsed(id: Buffer): void {
    const record = this.#recordAt(this.#slots[this.#probe(id)] ?? 0);
    record?.writeUInt32LE(record.readUInt32LE(ID_BYTES + 12) | USED, ID_BYTES + 12);
  }

  /**
   * Learns a chunk, or its new place where it lay in a pack that is left; one known already, one that needs a base, or one too
   * many, changes nothing.
   * @returns whether it was learnt
   */
  add(id: Buffer, location: ChunkLocation): boolean {
    if (location.base !== undefined) {
      return false;
    }
    const known = this.#recordAt(this.#slots[this.#probe(id)] ?? 0);
    if (known !== undefined) {
      const isLeft = this.#packs[known.readUInt32LE(ID_BYTES)]?.isLeft === true;
      if (isLeft) {
        this.#write(known, location);
      }
      return isLeft;
    }
    if (this.isFull) {
      return false;
    }
    if (this.#count * 2 >= this.#slots.length) {
      this.#grow();
    }
    this.#count += 1;
    this.#slots[this.#probe(id)] = this.#count;
    const record = this.#newRecord();
    id.copy(record, 0);
    this.#write(record, location);
    return true;
  }

  #write(record: Buffer, location: ChunkLocation): void {
    record.writeUInt32LE(this.#numberOf(location.pack), ID_BYTES);
    record.writeUInt32LE(location.at, ID_BYTES + 4);
    record.writeUInt32LE(location.stored, ID_BYTES + 8);
    record.writeUInt32LE(location.as === 'zstd' ? ZSTD : 0, ID_BYTES + 12);
  }

  #newRecord(): Buffer {
    if ((this.#count - 1) % RECORDS_PER_PAGE === 0) {
      this.#pages.push(Buffer.alloc(RECORDS_PER_PAGE * RECORD_BYTES));
    }
    return this.#recordAt(this.#count) ?? Buffer.alloc(RECORD_BYTES);
  }

  #recordAt(reference: number): Buffer | undefined {
    if (reference === 0) {
      return undefined;
    }
    const number = reference - 1;
    const offset = (number % RECORDS_PER_PAGE) * RECORD_BYTES;
    return this.#pages[Math.floor(number / RECORDS_PER_PAGE)]?.subarray(
      offset,
      offset + RECORD_BYTES,
    );
  }

  /** The slot of this id, or the free one where it belongs. */
  #probe(id: Buffer): number {
    const mask = this.#slots.length - 1;
    // An id is a hash already: its first bytes are as good as any hash of it.
    let slot = id.readUInt32LE(0) & mask;
    for (;;) {
      const record = this.#recordAt(this.#slots[slot] ?? 0);
      if (record === undefined || id.compare(record, 0, ID_BYTES) === 0) {
        return slot;
      }
      slot = (slot + 1) & mask;
    }
  }

  #grow(): void {
    this.#slots = new Int32Array(this.#slots.length * 2);
    for (let reference = 1; reference <= this.#count; reference += 1) {
      const record = this.#recordAt(reference);
      if (record !== undefined) {
        this.#slots[this.#probe(record.subarray(0, ID_BYTES))] = reference;
      }
    }
  }

  #numberOf(pack: PackHandle): number {
    const known = this.#packNumbers.get(pack);
    if (known !== undefined) {
      return known;
    }
    this.#packs.push(pack);
    this.#packNumbers.set(pack, this.#packs.length - 1);
    return this.#packs.length - 1;
  }
}
