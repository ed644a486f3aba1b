/** Cuts one entry's bytes at fixed offsets from its own start, whatever pieces they come in. */
import type { BufferPool } from './buffer-pool.ts';

export interface CutChunk {
  /** Belongs to the pool; whoever got the chunk releases it. */
  readonly buffer: Buffer;
  readonly length: number;
}

/** Every chunk but the last fills its buffer; no chunk is empty. */
export async function* cutChunks(
  pieces: AsyncIterable<Uint8Array>,
  pool: BufferPool,
): AsyncIterable<CutChunk> {
  let buffer: Buffer | undefined;
  let length = 0;
  try {
    for await (const piece of pieces) {
      for (let taken = 0; taken < piece.length; ) {
        buffer ??= await pool.acquire();
        const part = piece.subarray(taken, taken + buffer.length - length);
        buffer.set(part, length);
        length += part.length;
        taken += part.length;
        if (length === buffer.length) {
          const full = { buffer, length };
          buffer = undefined;
          length = 0;
          yield full;
        }
      }
    }
    if (buffer !== undefined) {
      const last = { buffer, length };
      buffer = undefined;
      yield last;
    }
  } finally {
    if (buffer !== undefined) {
      pool.release(buffer);
    }
  }
}
