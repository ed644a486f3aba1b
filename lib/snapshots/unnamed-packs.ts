/**
 * Packs that no complete snapshot names: what a backup had stored when it was interrupted. Their footers tell what they
 * hold, so that the next backup goes on where that one ended. FORMAT.md#packs
 */
import { constants, zstdDecompressSync } from 'node:zlib';
import { isObjectStoreError, type ObjectStore } from '#object-store';
import type { ChunkTable } from './chunk-table.ts';
import { type Coding, sealedAs } from './coding.ts';
import { isSha256, MAX_PACK_CHUNKS, packKey, sha256 } from './format.ts';
import { isSafeCount } from './json.ts';
import { forEachConcurrently } from './ordered-map.ts';
import type { StoredPack } from './packs.ts';

/**
 * Older ones are not relied on, as a sweep may remove what nobody names when its grace of 72 h is over: this leaves the
 * backup that relies on them two days.
 */
const MAX_AGE_MS = 24 * 60 * 60_000;
/** A trailer with a footer of some thousand chunks. */
const TAIL_LENGTH = 64 * 1024;
const TRAILER_LENGTH = 48;
const MAX_FOOTER_LENGTH = MAX_PACK_CHUNKS * 130;
const READS_AT_ONCE = 8;

export interface PackSource {
  readonly store: ObjectStore;
  readonly chunkPrefix: string;
  readonly coding: Coding;
  readonly signal?: AbortSignal | undefined;
}

/** Of the packs those that a backup may rely on without a snapshot that names them. */
export function youngPacks(packs: Iterable<StoredPack>, now: Date): readonly StoredPack[] {
  const horizon = now.getTime() - MAX_AGE_MS;
  return [...packs].filter(({ modifiedAt }) => modifiedAt.getTime() >= horizon);
}

/** Adds what the packs hold. One that is gone, damaged or sealed with another key is not used. */
export async function learnPacks(
  search: PackSource,
  packs: Iterable<StoredPack>,
  table: ChunkTable,
): Promise<void> {
  await forEachConcurrently(packs, READS_AT_ONCE, async ({ id, size }) => {
    const pack = { id, size };
    let at = 0;
    for (const { chunk, stored, as } of (await readFooter(search, pack)) ?? []) {
      table.add(Buffer.from(chunk, 'hex'), { pack, at, stored, as });
      at += stored;
    }
  });
}

interface FooterLine {
  readonly chunk: string;
  readonly stored: number;
  readonly as: 'raw' | 'zstd';
}

async function readFooter(
  search: PackSource,
  pack: { readonly id: string; readonly size: number },
): Promise<readonly FooterLine[] | undefined> {
  const tail = await readTail(search, pack, TAIL_LENGTH);
  const length = tail && footerLength(tail);
  if (tail === undefined || length === undefined || length + TRAILER_LENGTH > pack.size) {
    return undefined;
  }
  const whole =
    length + TRAILER_LENGTH > tail.length
      ? await readTail(search, pack, length + TRAILER_LENGTH)
      : tail;
  const lines = whole && decodeFooter(search, whole, length);
  const content = lines?.reduce((sum, { stored }) => sum + stored, 0);
  return content === pack.size - length - TRAILER_LENGTH ? lines : undefined;
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
  const trailer = tail.subarray(-TRAILER_LENGTH);
  const isOurs =
    trailer.length === TRAILER_LENGTH && trailer.toString('latin1', 0, 8) === 'JDBPACK1';
  const length = isOurs ? trailer.readUInt32LE(8) : Number.POSITIVE_INFINITY;
  return length <= MAX_FOOTER_LENGTH ? length : undefined;
}

function decodeFooter(
  { coding }: PackSource,
  tail: Buffer,
  length: number,
): readonly FooterLine[] | undefined {
  const trailer = tail.subarray(-TRAILER_LENGTH);
  const footer = tail.subarray(tail.length - TRAILER_LENGTH - length, -TRAILER_LENGTH);
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
  maxOutputLength: MAX_FOOTER_LENGTH,
  params: { [constants.ZSTD_d_windowLogMax]: 23 },
};

/** @throws TypeError when it is no array */
function readLines(json: unknown): readonly FooterLine[] | undefined {
  const lines = (json as readonly unknown[]).map((line) => readLine(line));
  return lines.every((line) => line !== undefined) ? lines : undefined;
}

function readLine(line: unknown): FooterLine | undefined {
  const [chunk, size, stored, as] = Array.isArray(line) ? (line as unknown[]) : [];
  const isValid = isSha256(chunk) && isSafeCount(size) && isSafeCount(stored);
  return isValid && (as === 'raw' || as === 'zstd') ? { chunk, stored, as } : undefined;
}
