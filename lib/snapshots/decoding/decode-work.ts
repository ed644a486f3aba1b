/**
 * The work on chunks that costs processor time when they are read: unsealing, decompressing, proving, writing. Runs in a
 * thread of its own where there is much of it. Synchronous, and knows no store.
 */
import {
  closeSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  futimesSync,
  openSync,
  writeSync,
} from 'node:fs';
import { decodeSync, type OwnEncoding } from '../codec.ts';
import { type Coding, chunkId, sealedAs } from '../coding.ts';
import { freeMemory } from '../free-memory.ts';
import type { Ownership } from '../ownership.ts';
import { applyPages } from '../page-delta.ts';

/** Somewhere in a file that somebody else opens and closes. */
interface OpenTarget {
  readonly kind: 'open';
  readonly fd: number;
  readonly position: number;
}

/** A whole file, made for this. */
export interface WholeTarget {
  readonly kind: 'whole';
  readonly path: string;
  readonly finish: FileFinish;
}

export type WriteTarget = OpenTarget | WholeTarget;

/** What a file gets when its content is there. */
export interface FileFinish {
  readonly owner: Ownership | undefined;
  readonly mode: number | undefined;
  readonly mtimeMs: number | undefined;
  /** Whether it is made durable by itself. */
  readonly isSynced: boolean;
}

/** Stretches of packs. */
export type Stretches = readonly Uint8Array[];

/** Where the stored form of something lies. */
export interface StoredAt {
  /** Which of the stretches of the batch. */
  readonly stretch: number;
  readonly at: number;
  readonly stored: number;
}

/** One chunk of a batch; or the base of one, and what has changed in it. */
export interface DecodeOrder extends StoredAt {
  readonly id: string;
  readonly as: OwnEncoding;
  readonly size: number;
  readonly changed?: StoredAt & { readonly id: string };
  /** None where the chunk need only be proved. */
  readonly target?: WriteTarget;
}

/**
 * Ends at the first chunk that is not what its id says; nothing is written of it, nor of those behind it.
 * @returns how many are done
 * @throws the error of the file system
 */
export function decodeBatch(
  stretches: Stretches,
  orders: readonly DecodeOrder[],
  coding: Coding,
): number {
  for (const [number, order] of orders.entries()) {
    const plain = decodeOrder(stretches, order, coding);
    if (plain === undefined) {
      return number;
    }
    if (order.target !== undefined) {
      deliver(order.target, plain);
    }
    if (order.as !== 'raw' || order.changed !== undefined) {
      freeMemory(plain);
    }
  }
  return orders.length;
}

/** The chunk's bytes, or undefined when they are not what its id says. */
export function decodeOrder(
  stretches: Stretches,
  order: DecodeOrder,
  coding: Coding,
): Uint8Array | undefined {
  const { id, as, size, changed } = order;
  try {
    const own = decodeSync(as, coding.unseal(cut(stretches, order), sealedAs.chunk(id)), size);
    if (changed === undefined) {
      return isNamed(own, id, coding) ? own : undefined;
    }
    const pages = coding.unseal(cut(stretches, changed), sealedAs.chunk(changed.id));
    const plain = applyPages(own, pages);
    if (as !== 'raw') {
      freeMemory(own);
    }
    return isNamed(plain, changed.id, coding) ? plain : undefined;
  } catch {
    return undefined;
  }
}

function cut(stretches: Stretches, { stretch, at, stored }: StoredAt): Uint8Array {
  return (stretches[stretch] ?? new Uint8Array()).subarray(at, at + stored);
}

function isNamed(data: Uint8Array, id: string, coding: Coding): boolean {
  return chunkId(coding, data).toString('hex') === id;
}

/** @throws the error of the file system */
export function deliver(target: WriteTarget, data: Uint8Array): void {
  if (target.kind === 'open') {
    writeFully(target.fd, data, target.position);
    return;
  }
  // Exclusive: never writes into, or through, anything that exists.
  const fd = openSync(target.path, 'wx', 0o600);
  try {
    writeFully(fd, data, 0);
    finishFile(fd, target.finish);
  } finally {
    closeSync(fd);
  }
}

/** Gives a complete file its metadata. @throws the error of the file system */
export function finishFile(fd: number, { owner, mode, mtimeMs, isSynced }: FileFinish): void {
  if (owner !== undefined) {
    fchownSync(fd, owner.uid, owner.gid);
  }
  if (mode !== undefined) {
    // After chown, which clears set-user-id bits.
    fchmodSync(fd, mode & 0o7777);
  }
  if (mtimeMs !== undefined) {
    futimesSync(fd, mtimeMs / 1000, mtimeMs / 1000);
  }
  if (isSynced) {
    fsyncSync(fd);
  }
}

function writeFully(fd: number, data: Uint8Array, position: number): void {
  for (let done = 0; done < data.length; ) {
    done += writeSync(fd, data, done, data.length - done, position + done);
  }
}
