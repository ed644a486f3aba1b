import { describe, expect, test } from '@jest/globals';
import { decode, encode } from '../../../lib/snapshots/codec.ts';
import * as fc from '../../helpers/fast-check.ts';
import { someBytes } from '../../helpers/snapshots.ts';

describe('encoding of chunks', () => {
  test('any bytes come back, at any level and without compression', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 4000 }),
        fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined }),
        async (data, level) => {
          const encoded = await encode(data, level);
          const back = await decode(encoded.as, encoded.data, data.length);
          expect(Buffer.compare(back, data)).toBe(0);
          expect(encoded.data.length).toBeLessThanOrEqual(data.length);
        },
      ),
    );
  });

  test('big compressible chunks shrink, random ones stay raw and uncopied', async () => {
    const text = someBytes(262_144, 1, 'compressible');
    const noise = someBytes(262_144, 2);
    const shrunk = await encode(text, 1);
    expect(shrunk.as).toBe('zstd');
    expect(shrunk.data.length).toBeLessThan(text.length * 0.7);
    expect(Buffer.compare(await decode('zstd', shrunk.data, text.length), text)).toBe(0);
    expect(await encode(noise, 1)).toEqual({ as: 'raw', data: noise });
  });

  test.each([100, 100_000])('a wrong size is refused (%i bytes)', async (size) => {
    const { as, data } = await encode(Buffer.alloc(size, 'ab'), 1);
    await expect(decode(as, data, size - 1)).rejects.toThrow(/larger|instead/);
    await expect(decode(as, data, size + 1)).rejects.toThrow('instead of');
    await expect(decode('raw', data, size)).rejects.toThrow('instead of');
  });
});
