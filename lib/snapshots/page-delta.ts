/** A chunk as the pages in which it differs from another one, its base. FORMAT.md#changed-pages */
import { decodeUpTo, encodeFrame } from './codec.ts';
import { KEPT_DIGEST_SIZE, PAGE_SIZE } from './format.ts';
import { freeMemory } from './free-memory.ts';

/** Beyond this share of changed pages the chunk is stored as a whole, and is a base of its own from then on. */
const MAX_CHANGED = 0.5;

/**
 * The numbers of the pages that differ, by the kept digests of both chunks; undefined where these do not belong to
 * chunks of one size, or so many differ that a delta is not worth its base.
 */
export function changedPages(now: Uint8Array, before: Uint8Array): number[] | undefined {
  if (now.length !== before.length) {
    return undefined;
  }
  const changed: number[] = [];
  const pages = now.length / KEPT_DIGEST_SIZE;
  for (let page = 0; page < pages; page += 1) {
    const [start, end] = [page * KEPT_DIGEST_SIZE, (page + 1) * KEPT_DIGEST_SIZE];
    if (Buffer.compare(now.subarray(start, end), before.subarray(start, end)) !== 0) {
      changed.push(page);
    }
  }
  return changed.length <= pages * MAX_CHANGED ? changed : undefined;
}

/** A bit for each page of the chunk, the lowest of the first byte first, then the pages whose bit is set. */
export function cutPages(chunk: Uint8Array, pages: readonly number[]): Uint8Array {
  const bits = bitmapLength(chunk.length);
  const parts = pages.map((page) => pageOf(chunk, page));
  const content = new Uint8Array(bits + parts.reduce((sum, { length }) => sum + length, 0));
  let at = bits;
  for (const [index, page] of pages.entries()) {
    const part = parts[index] ?? new Uint8Array();
    content[page >> 3] = (content[page >> 3] ?? 0) | (1 << (page & 7));
    content.set(part, at);
    at += part.length;
  }
  return content;
}

/** Always one zstd frame, also where nothing else is compressed: it is what ends a delta that is cut short. */
export function encodePages(content: Uint8Array, level: number | undefined): Uint8Array {
  return encodeFrame(content, level ?? 1);
}

/** The chunk, in memory of its own. @throws Error when the data are no delta of a chunk of this size */
export function applyPages(base: Uint8Array, encoded: Uint8Array): Uint8Array {
  const content = decodeUpTo(encoded, bitmapLength(base.length) + base.length);
  const chunk = new Uint8Array(base);
  const end = putPages(chunk, content);
  const isWhole = end === content.length;
  freeMemory(content);
  if (!isWhole) {
    throw new Error('there are more changed pages than told');
  }
  return chunk;
}

/** @returns where the pages end. @throws Error when there are fewer than the bits tell */
function putPages(chunk: Uint8Array, content: Uint8Array): number {
  let at = bitmapLength(chunk.length);
  for (let page = 0; page * PAGE_SIZE < chunk.length; page += 1) {
    if (((content[page >> 3] ?? 0) & (1 << (page & 7))) !== 0) {
      const target = pageOf(chunk, page);
      const part = content.subarray(at, at + target.length);
      if (part.length < target.length) {
        throw new Error('the changed pages are cut short');
      }
      target.set(part);
      at += part.length;
    }
  }
  return at;
}

function bitmapLength(chunkLength: number): number {
  return Math.ceil(Math.ceil(chunkLength / PAGE_SIZE) / 8);
}

function pageOf(chunk: Uint8Array, page: number): Uint8Array {
  return chunk.subarray(page * PAGE_SIZE, (page + 1) * PAGE_SIZE);
}
