/** Encodes and decodes chunks, index parts and footers. zstd runs in Node's thread pool. */
import { promisify } from 'node:util';
import * as zlib from 'node:zlib';
import type { Encoding } from './format.ts';

const compress = promisify<Uint8Array, zlib.ZstdOptions, Buffer>(zlib.zstdCompress);
const decompress = promisify<Uint8Array, zlib.ZstdOptions, Buffer>(zlib.zstdDecompress);

/** Below this, handing the work to another thread costs more than the work (measured: 109 or 230 MB/s). */
const SYNC_BELOW = 24 * 1024;

export interface Encoded {
  readonly as: Encoding;
  readonly data: Uint8Array;
}

/**
 * @param level zstd level; undefined stores raw.
 * @returns raw where compression would not shrink; then `data` is the very buffer given.
 */
export async function encode(data: Uint8Array, level: number | undefined): Promise<Encoded> {
  if (level === undefined || data.length === 0) {
    return { as: 'raw', data };
  }
  const options = {
    params: { [zlib.constants.ZSTD_c_compressionLevel]: level },
    pledgedSrcSize: data.length,
    // One output buffer of the worst-case size, instead of many of 16 KiB.
    chunkSize: Math.max(1024, data.length + (data.length >> 8) + 128),
  };
  const encoded =
    data.length < SYNC_BELOW ? zlib.zstdCompressSync(data, options) : await compress(data, options);
  return encoded.length < data.length ? { as: 'zstd', data: encoded } : { as: 'raw', data };
}

/** @throws Error when the data are no valid encoding of exactly `size` bytes. */
export async function decode(as: Encoding, data: Uint8Array, size: number): Promise<Uint8Array> {
  const plain = as === 'raw' ? data : await decodeZstd(data, size);
  if (plain.length !== size) {
    throw new Error(`decodes to ${plain.length} bytes instead of ${size}`);
  }
  return plain;
}

async function decodeZstd(data: Uint8Array, size: number): Promise<Uint8Array> {
  // zlib wants at least one byte of room, and a little more saves it a second round.
  const options = { maxOutputLength: size + 1, chunkSize: Math.max(1024, size + 1) };
  return size < SYNC_BELOW
    ? zlib.zstdDecompressSync(data, options)
    : await decompress(data, options);
}
