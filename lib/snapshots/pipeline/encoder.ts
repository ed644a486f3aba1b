/**
 * Hashes and encodes batches: the first ones here, as starting threads costs more than a small backup; then in as
 * many threads as there are processors, which share the memory of the slots.
 */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Coding } from '../coding.ts';
import type { RepositoryKey } from '../crypto/repository-key.ts';
import { ThreadPool } from '../threads/thread-pool.ts';
import {
  type EncodedBatch,
  type EncodeOrder,
  type Extent,
  encodeExtents,
  type Hashed,
  hashExtents,
} from './batch-work.ts';
import type { ThreadOrder, ThreadSetup } from './thread-messages.ts';

/** The source of encoder-thread.ts, where a bundler has put it; see lib/tooling. */
declare const ENCODER_THREAD_SOURCE: string | undefined;

export interface EncoderOptions {
  readonly slotCount: number;
  readonly slotSize: number;
  readonly coding: Coding;
  readonly key: RepositoryKey | undefined;
  readonly level: number | undefined;
}

/** Compressing a byte takes some four times as long as reading and hashing it. */
const COST = { hash: 1, encode: 4 };
/** 8 MiB stored, or 40 MiB that were known, as a segment of WAL mostly is: what takes as long as starting threads. */
const WORK_WITHOUT_THREADS = 40 * 1024 * 1024;
const MAX_THREADS = 8;
/** What they work on lies outside of their heaps. */
const LIMITS = { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 64 };

type Result = Hashed | EncodedBatch;

export class Encoder {
  readonly slots: readonly Uint8Array[];
  readonly #options: EncoderOptions;
  readonly #shared: readonly SharedArrayBuffer[];
  #threads: ThreadPool<ThreadOrder, Result> | undefined;
  #work = 0;

  constructor(options: EncoderOptions) {
    this.#options = options;
    this.#shared = Array.from(
      { length: options.slotCount },
      () => new SharedArrayBuffer(options.slotSize),
    );
    this.slots = this.#shared.map((buffer) => new Uint8Array(buffer));
  }

  /** @throws ShortFileError; the error of the file system */
  async hash(slot: number, extents: readonly Extent[]): Promise<Hashed> {
    return (await this.#run({ work: 'hash', slot, extents })) as Hashed;
  }

  /** @throws RecheckError */
  async encode(slot: number, orders: readonly EncodeOrder[]): Promise<EncodedBatch> {
    return (await this.#run({ work: 'encode', slot, orders })) as EncodedBatch;
  }

  /** Ends the threads. Nothing may be under way. */
  async close(): Promise<void> {
    await this.#threads?.close();
  }

  async #run(order: ThreadOrder): Promise<Result> {
    this.#work += workIn(order);
    if (this.#threads === undefined && this.#work <= WORK_WITHOUT_THREADS) {
      return this.#runHere(order);
    }
    this.#threads ??= this.#startThreads();
    // Encoding before hashing: it is what frees a slot.
    return await this.#threads.run(order, { isUrgent: order.work === 'encode' });
  }

  #runHere(order: ThreadOrder): Result {
    const slot = this.slots[order.slot] ?? new Uint8Array();
    return order.work === 'hash'
      ? hashExtents(slot, order.extents, this.#options.coding)
      : encodeExtents(slot, order.orders, this.#options);
  }

  #startThreads(): ThreadPool<ThreadOrder, Result> {
    const { key, level } = this.#options;
    const setup: ThreadSetup = { slots: this.#shared, secret: key?.exportSecret(), level };
    const count = Math.min(availableParallelism(), MAX_THREADS);
    return new ThreadPool(count, () => startThread(setup));
  }
}

function workIn(order: ThreadOrder): number {
  const parts = order.work === 'hash' ? order.extents : order.orders;
  return parts.reduce((sum, { length }) => sum + length, 0) * COST[order.work];
}

function startThread(workerData: ThreadSetup): Worker {
  const options = { workerData, stdin: false, env: {}, resourceLimits: LIMITS };
  return typeof ENCODER_THREAD_SOURCE === 'string'
    ? new Worker(ENCODER_THREAD_SOURCE, { ...options, eval: true })
    : new Worker(join(import.meta.dirname, 'encoder-thread.ts'), options);
}
