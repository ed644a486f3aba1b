import { describe, expect, test } from '@jest/globals';
import { decodeAwsChunked } from '../../../lib/sandbox/s3-server/protocol/aws-chunked.ts';
import * as fc from '../../helpers/fast-check.ts';

async function decode(
  pieces: readonly Uint8Array[],
  hasTrailer = true,
): Promise<{ body: Buffer; trailer: ReadonlyMap<string, string> }> {
  async function* source(): AsyncGenerator<Buffer> {
    for (const piece of pieces) {
      yield Buffer.from(piece);
    }
  }
  let trailer: ReadonlyMap<string, string> = new Map();
  const chunks = [];
  const options = {
    verifier: undefined,
    seed: '',
    hasTrailer,
    onTrailer: (headers: ReadonlyMap<string, string>) => {
      trailer = headers;
    },
  };
  for await (const chunk of decodeAwsChunked(source(), options)) {
    chunks.push(Buffer.from(chunk));
  }
  return { body: Buffer.concat(chunks), trailer };
}

function encode(chunks: readonly Uint8Array[], trailer: string): Buffer {
  return Buffer.concat([
    ...chunks.flatMap((chunk) => [
      Buffer.from(`${chunk.length.toString(16)}\r\n`),
      chunk,
      Buffer.from('\r\n'),
    ]),
    Buffer.from(`0\r\n${trailer}\r\n`),
  ]);
}

describe('an unsigned chunked body', () => {
  test('is decoded however it was cut into chunks and packets', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { maxLength: 8 }),
        fc.integer({ min: 1, max: 50 }),
        async (chunks, packet) => {
          const wire = encode(chunks, 'x-amz-checksum-crc32:AAAAAA==\r\n');
          const packets = [];
          for (let start = 0; start < wire.length; start += packet) {
            packets.push(wire.subarray(start, start + packet));
          }
          const { body, trailer } = await decode(packets);
          expect(body.equals(Buffer.concat(chunks))).toBe(true);
          expect(trailer.get('x-amz-checksum-crc32')).toBe('AAAAAA==');
        },
      ),
    );
  });

  test.each([
    ['a size that is no number', 'xyz\r\nhello\r\n0\r\n\r\n', 'IncompleteBody'],
    ['a chunk longer than its size', '3\r\nhello\r\n0\r\n\r\n', 'IncompleteBody'],
    ['an end without the last chunk', '5\r\nhello\r\n', 'IncompleteBody'],
    ['bytes after the end', '0\r\n\r\nmore', 'IncompleteBody'],
    ['a trailer line without a colon', '0\r\nnonsense\r\n\r\n', 'MalformedTrailerError'],
  ])('with %s is refused', async (_, wire, code) => {
    await expect(decode([Buffer.from(wire)])).rejects.toMatchObject({ code });
  });

  test('with a trailer that was not announced is refused', async () => {
    const wire = encode([], 'x-amz-checksum-crc32:AAAAAA==\r\n');
    await expect(decode([wire], false)).rejects.toMatchObject({ code: 'MalformedTrailerError' });
  });

  test('with an endless line is refused before it fills the memory', async () => {
    const wire = Array.from({ length: 20 }, () => Buffer.alloc(1000, '1'));
    await expect(decode(wire)).rejects.toMatchObject({ code: 'IncompleteBody' });
  });
});
