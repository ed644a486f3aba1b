/**
 * The work on one batch of chunks that costs processor time: reading files, hashing, compressing, sealing. Runs in a
 * thread of its own, or, for the first batches of a backup, in the main one. Synchronous, and knows no store.
 */
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { decodeSync, decodeUpTo, encodeSync } from '../codec.ts';
import { type Coding, chunkId, digestPages, sealedAs } from '../coding.ts';
import { DIGEST_SIZE, type Encoding, KEPT_DIGEST_SIZE, PAGE_SIZE } from '../format.ts';
import { freeMemory } from '../free-memory.ts';
import { cutPages, encodePages } from '../page-delta.ts';

/** Where the bytes of a chunk come from, when they do not lie in the slot yet. */
export interface FilePart {
  /** Opened and closed for this part; or `fd`, which somebody else keeps open. */
  readonly path: string;
  readonly fd: number | undefined;
  readonly position: number;
  readonly whenShort: 'fail' | 'zeros';
  readonly whenGone: 'fail' | 'skip';
}

/** One chunk in a slot. */
export interface Extent {
  readonly at: number;
  readonly length: number;
  readonly file: FilePart | undefined;
}

/** What hashing a batch gives, one extent after the other. */
export interface Hashed {
  readonly ids: Uint8Array<ArrayBuffer>;
  /** The kept digests of all pages. */
  readonly digests: Uint8Array<ArrayBuffer>;
  /** Extents that have no file any more. */
  readonly gone: readonly number[];
}

/** A chunk of a slot to be encoded under its id. */
export interface EncodeOrder {
  readonly id: string;
  readonly at: number;
  readonly length: number;
  /** Whether it is decoded again and compared. */
  readonly recheck: boolean;
  /** Where only these are to be stored, as they differ from those of another chunk. */
  readonly pages: readonly number[] | undefined;
}

/** One encoded chunk in the common output of its batch. */
export interface EncodedPart {
  readonly as: Encoding;
  readonly at: number;
  readonly length: number;
}

export interface EncodedBatch {
  readonly output: Uint8Array<ArrayBuffer>;
  readonly parts: readonly EncodedPart[];
}

/** A file that gave fewer bytes than it was said to hold. */
export class ShortFileError extends Error {
  override readonly name = 'ShortFileError';
  readonly path: string;
  /** Bytes there were, from the beginning of the file. */
  readonly found: number;

  constructor(path: string, found: number) {
    super(`${path} ended after ${found} bytes`);
    this.path = path;
    this.found = found;
  }
}

/** A chunk that did not come back the same. */
export class RecheckError extends Error {
  override readonly name = 'RecheckError';
  readonly id: string;

  constructor(id: string) {
    super(`chunk ${id} did not come back the same when it was decoded for a test`);
    this.id = id;
  }
}

export const ID_LENGTH = 32;

/** @throws ShortFileError; the error of the file system */
export function hashExtents(slot: Uint8Array, extents: readonly Extent[], coding: Coding): Hashed {
  const ids = new Uint8Array(extents.length * ID_LENGTH);
  const pages = extents.reduce((sum, { length }) => sum + pagesIn(length), 0);
  const digests = new Uint8Array(pages * KEPT_DIGEST_SIZE);
  const gone: number[] = [];
  let page = 0;
  for (const [index, { at, length, file }] of extents.entries()) {
    const data = slot.subarray(at, at + length);
    if (file === undefined || fill(data, file)) {
      const whole = digestPages(data);
      ids.set(coding.name(whole), index * ID_LENGTH);
      keep(whole, digests.subarray(page * KEPT_DIGEST_SIZE));
    } else {
      gone.push(index);
    }
    page += pagesIn(length);
  }
  return { ids, digests, gone };
}

/** How many pages a chunk of this length has. */
export function pagesIn(length: number): number {
  return Math.ceil(length / PAGE_SIZE);
}

function keep(digests: Uint8Array, target: Uint8Array): void {
  for (let from = 0, to = 0; from < digests.length; from += DIGEST_SIZE, to += KEPT_DIGEST_SIZE) {
    target.set(digests.subarray(from, from + KEPT_DIGEST_SIZE), to);
  }
}

/** @returns false when the file is gone and may be */
function fill(data: Uint8Array, file: FilePart): boolean {
  const fd = file.fd ?? open(file);
  if (fd === undefined) {
    return false;
  }
  try {
    const found = readFully(fd, data, file.position);
    if (found < data.length) {
      if (file.whenShort === 'fail') {
        throw new ShortFileError(file.path, file.position + found);
      }
      data.fill(0, found);
    }
  } finally {
    if (file.fd === undefined) {
      closeSync(fd);
    }
  }
  return true;
}

function open({ path, whenGone }: FilePart): number | undefined {
  try {
    return openSync(path, READ_FLAGS);
  } catch (error) {
    if (whenGone === 'skip' && (error as NodeJS.ErrnoException).code === 'ENOENT') {
      return undefined;
    }
    throw error;
  }
}

/** A link that somebody put in the place of a file is not followed. */
export const READ_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW;

function readFully(fd: number, data: Uint8Array, position: number): number {
  let found = 0;
  while (found < data.length) {
    const count = readSync(fd, data, found, data.length - found, position + found);
    if (count === 0) {
      break;
    }
    found += count;
  }
  return found;
}

/** @throws RecheckError */
export function encodeExtents(
  slot: Uint8Array,
  orders: readonly EncodeOrder[],
  { coding, level }: { readonly coding: Coding; readonly level: number | undefined },
): EncodedBatch {
  const pieces = orders.map((order) => {
    const plain = slot.subarray(order.at, order.at + order.length);
    const { as, data: encoded } = encodeOne(plain, order, level);
    const data = coding.seal(encoded, sealedAs.chunk(order.id));
    if (data !== encoded && encoded !== plain) {
      freeMemory(encoded);
    }
    if (order.recheck && !comesBack(plain, { ...order, as }, { data, coding })) {
      throw new RecheckError(order.id);
    }
    return { as, data };
  });
  const output = new Uint8Array(pieces.reduce((sum, { data }) => sum + data.length, 0));
  const parts: EncodedPart[] = [];
  let at = 0;
  for (const { as, data } of pieces) {
    output.set(data, at);
    parts.push({ as, at, length: data.length });
    at += data.length;
    freeMemory(data);
  }
  return { output, parts };
}

function encodeOne(
  plain: Uint8Array,
  { pages }: EncodeOrder,
  level: number | undefined,
): { readonly as: Encoding; readonly data: Uint8Array } {
  if (pages === undefined) {
    return encodeSync(plain, level);
  }
  const content = cutPages(plain, pages);
  const data = encodePages(content, level);
  freeMemory(content);
  return { as: 'pages', data };
}

function comesBack(
  plain: Uint8Array,
  { id, as, pages = [] }: EncodeOrder & { readonly as: Encoding },
  { data, coding }: { readonly data: Uint8Array; readonly coding: Coding },
): boolean {
  try {
    const encoded = coding.unseal(data, sealedAs.chunk(id));
    if (as === 'pages') {
      const content = cutPages(plain, pages);
      return Buffer.compare(decodeUpTo(encoded, content.length), content) === 0;
    }
    return chunkId(coding, decodeSync(as, encoded, plain.length)).toString('hex') === id;
  } catch {
    return false;
  }
}
