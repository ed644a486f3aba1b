/** Reads what the footer of a pack tells of its chunks. FORMAT.md#packs */
import { constants, zstdDecompressSync } from 'node:zlib';
import { isObjectStoreError, type ObjectStore } from '#object-store';
import { type Coding, sealedAs } from './coding.ts';
import {
  type Encoding,
  isEncoding,
  isSha256,
  MAX_FOOTER_SIZE,
  PACK_MAGIC,
  packKey,
  sha256,
  TRAILER_SIZE,
} from './format.ts';
import { isSafeCount } from './json.ts';

/** A trailer with most footers: one request gets them. */
const TAIL_LENGTH = 64 * 1024;

export interface PackSource {
  readonly store: ObjectStore;
  readonly chunkPrefix: string;
  readonly coding: Coding;
  readonly signal?: AbortSignal | undefined;
}

/** One chunk of a pack, as its footer tells. */
export interface FooterLine {
  readonly chunk: string;
  readonly stored: number;
  readonly as: Encoding;
  /** The kept digests of its pages in base64; of changed pages, the id of their base. */
  readonly more?: string;
}

/** The chunks of a pack in order; undefined when it is gone, damaged or sealed with another key. */
export async function readFooter(
  search: PackSource,
  pack: { readonly id: string; readonly size: number },
): Promise<readonly FooterLine[] | undefined> {
  const tail = await readTail(search, pack, TAIL_LENGTH);
  const length = tail && footerLength(tail);
  if (tail === undefined || length === undefined || length + TRAILER_SIZE > pack.size) {
    return undefined;
  }
  const whole =
    length + TRAILER_SIZE > tail.length
      ? await readTail(search, pack, length + TRAILER_SIZE)
      : tail;
  const lines = whole && decodeFooter(search, whole, length);
  const content = lines?.reduce((sum, { stored }) => sum + stored, 0);
  return content === pack.size - length - TRAILER_SIZE ? lines : undefined;
}

async function readTail(
  { store, chunkPrefix, signal }: PackSource,
  { id, size }: { readonly id: string; readonly size: number },
  wanted: number,
): Promise<Buffer | undefined> {
  const length = Math.min(size, wanted);
  try {
    const range = { offset: size - length, length };
    return Buffer.from(await store.getRange(packKey(chunkPrefix, id), range, { signal }));
  } catch (error) {
    if (isObjectStoreError(error, 'not-found') || isObjectStoreError(error, 'invalid-range')) {
      return undefined;
    }
    throw error;
  }
}

function footerLength(tail: Buffer): number | undefined {
  const trailer = tail.subarray(-TRAILER_SIZE);
  const isOurs = trailer.length === TRAILER_SIZE && trailer.toString('latin1', 0, 8) === PACK_MAGIC;
  const length = isOurs ? trailer.readUInt32LE(8) : Number.POSITIVE_INFINITY;
  return length <= MAX_FOOTER_SIZE ? length : undefined;
}

function decodeFooter(
  { coding }: PackSource,
  tail: Buffer,
  length: number,
): readonly FooterLine[] | undefined {
  const trailer = tail.subarray(-TRAILER_SIZE);
  const footer = tail.subarray(tail.length - TRAILER_SIZE - length, -TRAILER_SIZE);
  const encoding = trailer.readUInt32LE(12);
  const isSealed = encoding >= 2;
  if (sha256(footer) !== trailer.toString('hex', 16) || isSealed !== (coding.keyId !== undefined)) {
    return undefined;
  }
  try {
    const encoded = coding.unseal(footer, sealedAs.footer);
    const isZstd = encoding % 2 === 1;
    const text = isZstd ? zstdDecompressSync(encoded, UNPACKING) : encoded;
    return readLines(JSON.parse(Buffer.from(text).toString('utf8')));
  } catch {
    return undefined;
  }
}

const UNPACKING = {
  maxOutputLength: MAX_FOOTER_SIZE,
  params: { [constants.ZSTD_d_windowLogMax]: 23 },
};

/** @throws TypeError when it is no array */
function readLines(json: unknown): readonly FooterLine[] | undefined {
  const lines = (json as readonly unknown[]).map((line) => readLine(line));
  return lines.every((line) => line !== undefined) ? lines : undefined;
}

function readLine(line: unknown): FooterLine | undefined {
  const [chunk, size, stored, as, more] = Array.isArray(line) ? (line as unknown[]) : [];
  if (!isSha256(chunk) || !isSafeCount(size) || !isSafeCount(stored) || !isEncoding(as)) {
    return undefined;
  }
  return { chunk, stored, as, ...(typeof more === 'string' ? { more } : {}) };
}
