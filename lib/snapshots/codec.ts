/** Encodes and decodes chunks, index parts and footers. */
import { promisify } from 'node:util';
import * as zlib from 'node:zlib';
import type { Encoding } from './format.ts';

/** Encodings of data that stand on their own. */
export type OwnEncoding = Exclude<Encoding, 'pages'>;

const compress = promisify<Uint8Array, zlib.ZstdOptions, Buffer>(zlib.zstdCompress);
const decompress = promisify<Uint8Array, zlib.ZstdOptions, Buffer>(zlib.zstdDecompress);

/** Below this, handing the work to another thread costs more than the work (measured: 109 or 230 MB/s). */
const SYNC_BELOW = 24 * 1024;

export interface Encoded {
  readonly as: OwnEncoding;
  readonly data: Uint8Array;
}

/**
 * Compresses in Node's thread pool what is worth it.
 * @param level zstd level; undefined stores raw.
 * @returns raw where compression would not shrink; then `data` is the very buffer given.
 */
export async function encode(data: Uint8Array, level: number | undefined): Promise<Encoded> {
  if (level === undefined || data.length < SYNC_BELOW) {
    return encodeSync(data, level);
  }
  return smaller(data, await compress(data, compressOptions(data, level)));
}

/** The same in this thread. */
export function encodeSync(data: Uint8Array, level: number | undefined): Encoded {
  return level === undefined || data.length === 0
    ? { as: 'raw', data }
    : smaller(data, zlib.zstdCompressSync(data, compressOptions(data, level)));
}

/** One zstd frame, whether or not it is smaller. */
export function encodeFrame(data: Uint8Array, level: number): Uint8Array {
  return zlib.zstdCompressSync(data, compressOptions(data, level));
}

/** The content of one zstd frame. @throws Error when it is none, or holds more than so many bytes */
export function decodeUpTo(data: Uint8Array, size: number): Uint8Array {
  return zlib.zstdDecompressSync(data, decompressOptions(size));
}

function compressOptions(data: Uint8Array, level: number): zlib.ZstdOptions {
  return {
    params: { [zlib.constants.ZSTD_c_compressionLevel]: level },
    pledgedSrcSize: data.length,
    // One output buffer of the worst-case size, instead of many of 16 KiB.
    chunkSize: Math.max(1024, data.length + (data.length >> 8) + 128),
  };
}

function smaller(data: Uint8Array, encoded: Uint8Array): Encoded {
  return encoded.length < data.length ? { as: 'zstd', data: encoded } : { as: 'raw', data };
}

/** @throws Error when the data are no valid encoding of exactly `size` bytes. */
export async function decode(as: OwnEncoding, data: Uint8Array, size: number): Promise<Uint8Array> {
  if (as === 'raw' || size < SYNC_BELOW) {
    return decodeSync(as, data, size);
  }
  return exactly(size, await decompress(data, decompressOptions(size)));
}

/** The same in this thread. @throws Error */
export function decodeSync(as: OwnEncoding, data: Uint8Array, size: number): Uint8Array {
  return exactly(
    size,
    as === 'raw' ? data : zlib.zstdDecompressSync(data, decompressOptions(size)),
  );
}

function decompressOptions(size: number): zlib.ZstdOptions {
  // zlib wants at least one byte of room, and a little more saves it a second round.
  return { maxOutputLength: size + 1, chunkSize: Math.max(1024, size + 1) };
}

function exactly(size: number, plain: Uint8Array): Uint8Array {
  if (plain.length !== size) {
    throw new Error(`decodes to ${plain.length} bytes instead of ${size}`);
  }
  return plain;
}
