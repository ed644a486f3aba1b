/** Fills one pack after the other in pooled memory, and hands complete ones to an upload. FORMAT.md#packs */
import { BufferPool } from './buffer-pool.ts';
import type { ChunkLocation, PackHandle } from './chunk-table.ts';
import { type Encoded, encode } from './codec.ts';
import { type Coding, sealedAs } from './coding.ts';
import { MAX_PACK_CHUNKS, PACK_PAYLOAD_SIZE, sha256 } from './format.ts';

const PACK_MAGIC = 'JDBPACK1';
const TRAILER_SIZE = 48;
/** A footer line takes at most some 110 bytes before compression. */
const FOOTER_ROOM = MAX_PACK_CHUNKS * 110 + TRAILER_SIZE + 28;

export interface CompletePack {
  readonly id: string;
  readonly data: Uint8Array;
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
  readonly #pool: BufferPool;
  readonly #uploads = new Set<Promise<void>>();
  #failure: { readonly error: unknown } | undefined;
  #open: OpenPack | undefined;

  constructor(options: PackBuilderOptions) {
    this.#options = options;
    this.#payloadSize = options.payloadSize ?? PACK_PAYLOAD_SIZE;
    this.#pool = new BufferPool(options.buffers, this.#payloadSize + FOOTER_ROOM);
  }

  /** Copies an encoded chunk into the open pack; waits while all packs are on their way. */
  async append(id: string, size: number, encoded: Encoded): Promise<ChunkLocation> {
    if (this.#open?.hasRoom(encoded.data.length, this.#payloadSize) === false) {
      await this.seal();
    }
    this.#throwIfFailed();
    this.#open ??= new OpenPack(await this.#pool.acquire());
    this.#throwIfFailed();
    return this.#open.append(id, size, encoded);
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

class OpenPack {
  readonly buffer: Buffer;
  readonly handle: PackHandle = { id: undefined, size: 0 };
  readonly #footer: [id: string, size: number, stored: number, as: string][] = [];
  #filled = 0;

  constructor(buffer: Buffer) {
    this.buffer = buffer;
  }

  hasRoom(length: number, payloadSize: number): boolean {
    return this.#filled + length <= payloadSize && this.#footer.length < MAX_PACK_CHUNKS;
  }

  append(id: string, size: number, encoded: Encoded): ChunkLocation {
    const at = this.#filled;
    this.buffer.set(encoded.data, at);
    this.#filled += encoded.data.length;
    this.#footer.push([id, size, encoded.data.length, encoded.as]);
    return { pack: this.handle, at, stored: encoded.data.length, as: encoded.as };
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
