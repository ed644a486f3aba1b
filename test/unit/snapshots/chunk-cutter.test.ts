import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { BufferPool } from '../../../lib/snapshots/buffer-pool.ts';
import { cutChunks } from '../../../lib/snapshots/chunk-cutter.ts';

async function cut(pieces: readonly Uint8Array[], size: number): Promise<Buffer[]> {
  const pool = new BufferPool(2, size);
  const chunks: Buffer[] = [];
  for await (const { buffer, length } of cutChunks(source(pieces), pool)) {
    chunks.push(Buffer.from(buffer.subarray(0, length)));
    pool.release(buffer);
  }
  return chunks;
}

async function* source(pieces: readonly Uint8Array[]): AsyncIterable<Uint8Array> {
  yield* pieces;
}

async function* failingSource(): AsyncIterable<Uint8Array> {
  yield Buffer.from('abc');
  throw new Error('disk gone');
}

describe('cutting', () => {
  test('chunks joined are the content, and all but the last are full', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 12 }),
        fc.integer({ min: 1, max: 32 }),
        async (pieces, size) => {
          const chunks = await cut(pieces, size);
          expect(Buffer.concat(chunks).equals(Buffer.concat(pieces))).toBe(true);
          expect(chunks.slice(0, -1).every((chunk) => chunk.length === size)).toBe(true);
          expect(chunks.every((chunk) => chunk.length > 0)).toBe(true);
        },
      ),
    );
  });

  test('the cuts do not depend on the pieces the content comes in', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 200 }),
        fc.integer({ min: 1, max: 50 }),
        async (content, piece) => {
          const pieces = Array.from({ length: Math.ceil(content.length / piece) }, (_, index) =>
            content.subarray(index * piece, (index + 1) * piece),
          );
          expect(await cut(pieces, 16)).toEqual(await cut([content], 16));
        },
      ),
    );
  });

  test('a source that fails in the middle gives its buffer back', async () => {
    const pool = new BufferPool(1, 8);
    const reading = async (): Promise<void> => {
      for await (const _ of cutChunks(failingSource(), pool)) {
        // Nothing complete comes.
      }
    };
    await expect(reading()).rejects.toThrow('disk gone');
    expect(await pool.acquire()).toHaveLength(8);
  });
});
