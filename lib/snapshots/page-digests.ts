/** Reads the digests of the pages of stored chunks from the footers of their packs. FORMAT.md#packs */
import { isObjectStoreError, type ObjectStore } from '#object-store';
import type { BaseChunk } from './chunk-table.ts';
import { decodeUpTo } from './codec.ts';
import { type Coding, sealedAs } from './coding.ts';
import { packKey, sha256 } from './format.ts';
import { PACK_MAGIC, TRAILER_SIZE } from './pack-builder.ts';

export interface PageDigestsOptions {
  readonly store: ObjectStore;
  readonly chunkPrefix: string;
  readonly coding: Coding;
  readonly signal?: AbortSignal | undefined;
}

/** Most footers are smaller: one request gets them. */
const FIRST_READ = 64 * 1024;
/** A footer bigger than this is none of ours. */
const MAX_FOOTER = 16 * 1024 * 1024;
/** Neighbours in a file are neighbours in a pack. */
const PACKS_KEPT = 16;

type Digests = ReadonlyMap<string, string>;

export class PageDigests {
  readonly #options: PageDigestsOptions;
  readonly #packs = new Map<string, Promise<Digests>>();

  constructor(options: PageDigestsOptions) {
    this.#options = options;
  }

  /** The kept digests of a chunk's pages, or undefined where the pack does not tell them. */
  async of({ id, location }: BaseChunk): Promise<Uint8Array | undefined> {
    const { pack } = location;
    if (pack.id === undefined) {
      return undefined;
    }
    const digests = await this.#footer(pack.id, pack.size);
    const text = digests.get(id);
    return text === undefined ? undefined : Buffer.from(text, 'base64');
  }

  async #footer(id: string, size: number): Promise<Digests> {
    const known = this.#packs.get(id);
    if (known !== undefined) {
      return await known;
    }
    const reading = this.#read(id, size);
    // Whoever waits for it sees its failure.
    reading.catch(() => undefined);
    this.#packs.set(id, reading);
    const oldest = [...this.#packs.keys()][0];
    if (this.#packs.size > PACKS_KEPT && oldest !== undefined) {
      this.#packs.delete(oldest);
    }
    return await reading;
  }

  /** What is damaged or gone tells nothing: chunks are then stored as a whole. */
  async #read(id: string, size: number): Promise<Digests> {
    try {
      const tail = await this.#tail(id, size, Math.min(size, FIRST_READ));
      const length = footerLength(tail);
      const isWhole = length + TRAILER_SIZE <= tail.length;
      if (length > MAX_FOOTER || length + TRAILER_SIZE > size) {
        return new Map();
      }
      return this.#parse(isWhole ? tail : await this.#tail(id, size, length + TRAILER_SIZE));
    } catch (error) {
      if (isObjectStoreError(error, 'not-found') || isObjectStoreError(error, 'invalid-range')) {
        return new Map();
      }
      throw error;
    }
  }

  async #tail(id: string, size: number, length: number): Promise<Buffer> {
    const { store, chunkPrefix, signal } = this.#options;
    const range = { offset: size - length, length };
    return Buffer.from(await store.getRange(packKey(chunkPrefix, id), range, { signal }));
  }

  #parse(tail: Buffer): Digests {
    const trailer = tail.subarray(-TRAILER_SIZE);
    const length = footerLength(tail);
    const footer = tail.subarray(-TRAILER_SIZE - length, -TRAILER_SIZE);
    if (sha256(footer) !== trailer.toString('hex', 16, TRAILER_SIZE)) {
      return new Map();
    }
    const isZstd = (trailer.readUInt32LE(12) & 1) !== 0;
    try {
      const encoded = this.#options.coding.unseal(footer, sealedAs.footer);
      const text = isZstd ? decodeUpTo(encoded, MAX_FOOTER) : encoded;
      return digestsIn(JSON.parse(Buffer.from(text).toString('utf8')));
    } catch {
      return new Map();
    }
  }
}

function footerLength(tail: Buffer): number {
  const trailer = tail.subarray(-TRAILER_SIZE);
  return trailer.toString('latin1', 0, 8) === PACK_MAGIC
    ? trailer.readUInt32LE(8)
    : Number.POSITIVE_INFINITY;
}

function digestsIn(rows: unknown): Digests {
  const digests = new Map<string, string>();
  for (const row of Array.isArray(rows) ? rows : []) {
    const [id, , , as, text] = Array.isArray(row) ? row : [];
    if (typeof id === 'string' && as !== 'pages' && typeof text === 'string') {
      digests.set(id, text);
    }
  }
  return digests;
}
