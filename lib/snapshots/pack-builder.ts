/** Fills one pack after the other in pooled memory, and hands complete ones to an upload. FORMAT.md#packs */
import type { BaseChunk, ChunkLocation, PackHandle } from './chunk-table.ts';
import { encode } from './codec.ts';
import { type Coding, sealedAs } from './coding.ts';
import {
  type Encoding,
  MAX_PACK_CHUNKS,
  PACK_MAGIC,
  PACK_PAYLOAD_SIZE,
  sha256,
  TRAILER_SIZE,
} from './format.ts';
import { Pool } from './pool.ts';

/** A footer line takes at most some 110 bytes before compression. */
const FOOTER_ROOM = MAX_PACK_CHUNKS * 110 + TRAILER_SIZE + 28;

export interface CompletePack {
  readonly id: string;
  readonly data: Uint8Array;
}

/** A chunk in its stored form. */
export interface StoredChunk {
  readonly id: string;
  readonly size: number;
  readonly as: Encoding;
  readonly data: Uint8Array;
  /** The kept digests of its pages, so that a later backup can tell which of them have changed. */
  readonly digests?: Uint8Array | undefined;
  readonly base?: BaseChunk | undefined;
}

export interface PackBuilderOptions {
  /** Stores a pack; the data are reused once this has settled. */
  readonly upload: (pack: CompletePack) => Promise<void>;
  /** Packs in memory: one being filled, the others on their way. */
  readonly buffers: number;
  readonly payloadSize?: number;
  readonly coding: Coding;
}

export class PackBuilder {
  readonly #options: PackBuilderOptions;
  readonly #payloadSize: number;
  readonly #pool: Pool<Buffer>;
  readonly #uploads = new Set<Promise<void>>();
  #failure: { readonly error: unknown } | undefined;
  #open: OpenPack | undefined;

  constructor(options: PackBuilderOptions) {
    this.#options = options;
    this.#payloadSize = options.payloadSize ?? PACK_PAYLOAD_SIZE;
    const size = this.#payloadSize + FOOTER_ROOM;
    this.#pool = new Pool<Buffer>(options.buffers, () => Buffer.allocUnsafeSlow(size));
  }

  /** Copies an encoded chunk into the open pack; waits while all packs are on their way. */
  async append(chunk: StoredChunk): Promise<ChunkLocation> {
    if (this.#open?.hasRoom(roomFor(chunk), this.#payloadSize) === false) {
      await this.seal();
    }
    this.#throwIfFailed();
    this.#open ??= new OpenPack(await this.#pool.acquire());
    this.#throwIfFailed();
    return this.#open.append(chunk);
  }

  /** Completes the open pack, if any, gives it its id, and starts its upload. */
  async seal(): Promise<void> {
    const open = this.#open;
    if (open === undefined) {
      return;
    }
    this.#open = undefined;
    const data = await open.finish(this.#options.coding);
    const id = sha256(data);
    open.handle.id = id;
    open.handle.size = data.length;
    const upload = this.#upload({ id, data }, open.buffer);
    this.#uploads.add(upload);
    void upload.finally(() => this.#uploads.delete(upload));
  }

  /** Resolves when every pack is stored; rejects with the first failure, once nothing is under way. */
  async finish(): Promise<void> {
    await this.seal();
    await this.settle();
    this.#throwIfFailed();
  }

  /** Waits until no upload is under way, whatever became of it. */
  async settle(): Promise<void> {
    await Promise.allSettled(this.#uploads);
  }

  async #upload(pack: CompletePack, buffer: Buffer): Promise<void> {
    try {
      this.#throwIfFailed();
      await this.#options.upload(pack);
    } catch (error) {
      this.#failure ??= { error };
    } finally {
      this.#pool.release(buffer);
    }
  }

  #throwIfFailed(): void {
    if (this.#failure !== undefined) {
      throw this.#failure.error;
    }
  }
}

/** What the footer tells of a chunk besides what every reader needs. */
function footnote({ base, digests }: StoredChunk): readonly string[] {
  if (base !== undefined) {
    return [base.id];
  }
  return digests === undefined ? [] : [Buffer.from(digests).toString('base64')];
}

function roomFor(chunk: StoredChunk): number {
  return footnote(chunk).reduce((sum, { length }) => sum + length + 3, chunk.data.length);
}

class OpenPack {
  readonly buffer: Buffer;
  readonly handle: PackHandle = { id: undefined, size: 0 };
  readonly #footer: (readonly (string | number)[])[] = [];
  #filled = 0;
  /** What the footer will take of the room of chunks. */
  #reserved = 0;

  constructor(buffer: Buffer) {
    this.buffer = buffer;
  }

  hasRoom(length: number, payloadSize: number): boolean {
    const isFull = this.#filled + this.#reserved + length > payloadSize;
    return !isFull && this.#footer.length < MAX_PACK_CHUNKS;
  }

  append(chunk: StoredChunk): ChunkLocation {
    const { id, size, as, data, base } = chunk;
    const at = this.#filled;
    this.buffer.set(data, at);
    this.#filled += data.length;
    this.#reserved += roomFor(chunk) - data.length;
    this.#footer.push([id, size, data.length, as, ...footnote(chunk)]);
    return { pack: this.handle, at, stored: data.length, as, base };
  }

  /** The whole pack, a view of its buffer. */
  async finish(coding: Coding): Promise<Buffer> {
    const encoded = await encode(Buffer.from(JSON.stringify(this.#footer)), 3);
    const footer = coding.seal(encoded.data, sealedAs.footer);
    const isSealed = coding.keyId !== undefined;
    const trailer = Buffer.alloc(TRAILER_SIZE);
    trailer.write(PACK_MAGIC, 0, 'latin1');
    trailer.writeUInt32LE(footer.length, 8);
    trailer.writeUInt32LE((encoded.as === 'zstd' ? 1 : 0) + (isSealed ? 2 : 0), 12);
    trailer.write(sha256(footer), 16, 'hex');
    this.buffer.set(footer, this.#filled);
    this.buffer.set(trailer, this.#filled + footer.length);
    return this.buffer.subarray(0, this.#filled + footer.length + TRAILER_SIZE);
  }
}
