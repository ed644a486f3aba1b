/**
 * The work on one batch of chunks that costs processor time: reading files, hashing, compressing, sealing. Runs in a
 * thread of its own, or, for the first batches of a backup, in the main one. Synchronous, and knows no store.
 */
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { decodeSync, encodeSync } from '../codec.ts';
import { type Coding, sealedAs } from '../coding.ts';
import type { Encoding } from '../format.ts';
import { freeMemory } from '../free-memory.ts';

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

/** What hashing a batch gives: ids one after the other, and which extents have no file any more. */
export interface Hashed {
  readonly ids: Uint8Array;
  readonly gone: readonly number[];
}

/** A chunk of a slot to be encoded under its id. */
export interface EncodeOrder {
  readonly id: string;
  readonly at: number;
  readonly length: number;
  /** Whether it is decoded again and compared. */
  readonly recheck: boolean;
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
export function hashExtents(
  slot: Uint8Array,
  extents: readonly Extent[],
  coding: Coding,
): { readonly ids: Uint8Array<ArrayBuffer>; readonly gone: readonly number[] } {
  const ids = new Uint8Array(extents.length * ID_LENGTH);
  const gone: number[] = [];
  for (const [index, { at, length, file }] of extents.entries()) {
    const data = slot.subarray(at, at + length);
    if (file !== undefined && !fill(data, file)) {
      gone.push(index);
      continue;
    }
    ids.set(coding.idOf(data), index * ID_LENGTH);
  }
  return { ids, gone };
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
  const pieces: { readonly as: Encoding; readonly data: Uint8Array }[] = [];
  let total = 0;
  for (const { id, at, length, recheck } of orders) {
    const plain = slot.subarray(at, at + length);
    const { as, data: encoded } = encodeSync(plain, level);
    const data = coding.seal(encoded, sealedAs.chunk(id));
    if (data !== encoded && encoded !== plain) {
      freeMemory(encoded);
    }
    if (recheck && !comesBack({ id, as, size: length }, data, coding)) {
      throw new RecheckError(id);
    }
    pieces.push({ as, data });
    total += data.length;
  }
  const output = new Uint8Array(total);
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

function comesBack(
  ref: { readonly id: string; readonly as: Encoding; readonly size: number },
  stored: Uint8Array,
  coding: Coding,
): boolean {
  try {
    const encoded = coding.unseal(stored, sealedAs.chunk(ref.id));
    const data = decodeSync(ref.as, encoded, ref.size);
    return Buffer.from(coding.idOf(data)).toString('hex') === ref.id;
  } catch {
    return false;
  }
}
