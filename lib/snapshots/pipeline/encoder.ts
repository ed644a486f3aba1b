/**
 * Hashes and encodes batches: the first ones here, as starting threads costs more than a small backup; then in as
 * many threads as there are processors, which share the memory of the slots.
 */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Coding } from '../coding.ts';
import type { RepositoryKey } from '../crypto/repository-key.ts';
import {
  type EncodedBatch,
  type EncodeOrder,
  type Extent,
  encodeExtents,
  type Hashed,
  hashExtents,
} from './batch-work.ts';
import {
  fromThreadFailure,
  type ThreadOrder,
  type ThreadReply,
  type ThreadSetup,
} from './thread-messages.ts';

/** The source of encoder-thread.ts, where a bundler has put it; see lib/tooling. */
declare const ENCODER_THREAD_SOURCE: string | undefined;

export interface EncoderOptions {
  readonly slotCount: number;
  readonly slotSize: number;
  readonly coding: Coding;
  readonly key: RepositoryKey | undefined;
  readonly level: number | undefined;
  /** Batches hashed here before threads are started. */
  readonly batchesWithoutThreads?: number;
}

/** About 8 MiB: what takes as long as starting two threads. */
const BATCHES_WITHOUT_THREADS = 4;
/** One at work, one waiting, so that no thread is ever idle for the way of a message. */
const ORDERS_PER_THREAD = 2;
const MAX_THREADS = 8;

export class Encoder {
  readonly slots: readonly Uint8Array[];
  readonly #options: EncoderOptions;
  readonly #shared: readonly SharedArrayBuffer[];
  #threads: EncoderThread[] | undefined;
  #batches = 0;
  /** Encoding before hashing: it is what frees a slot. */
  readonly #waiting: Record<ThreadOrder['work'], Waiting[]> = { encode: [], hash: [] };

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
    this.#batches += 1;
    return (await this.#run({ work: 'hash', slot, extents })) as Hashed;
  }

  /** @throws RecheckError */
  async encode(slot: number, orders: readonly EncodeOrder[]): Promise<EncodedBatch> {
    return (await this.#run({ work: 'encode', slot, orders })) as EncodedBatch;
  }

  /** Ends the threads. Nothing may be under way. */
  async close(): Promise<void> {
    await Promise.all((this.#threads ?? []).map(async (thread) => await thread.end()));
    this.#threads = [];
  }

  async #run(order: ThreadOrder): Promise<Hashed | EncodedBatch> {
    const limit = this.#options.batchesWithoutThreads ?? BATCHES_WITHOUT_THREADS;
    if (this.#threads === undefined && this.#batches <= limit) {
      return this.#runHere(order);
    }
    this.#threads ??= this.#startThreads();
    return await new Promise((resolve, reject) => {
      this.#waiting[order.work].push({ order, resolve, reject });
      this.#assign();
    });
  }

  #runHere(order: ThreadOrder): Hashed | EncodedBatch {
    const slot = this.slots[order.slot] ?? new Uint8Array();
    return order.work === 'hash'
      ? hashExtents(slot, order.extents, this.#options.coding)
      : encodeExtents(slot, order.orders, this.#options);
  }

  #startThreads(): EncoderThread[] {
    const { key, level } = this.#options;
    const setup = { slots: this.#shared, secret: key?.exportSecret(), level };
    const count = Math.min(availableParallelism(), MAX_THREADS);
    return Array.from({ length: count }, () => new EncoderThread(setup, () => this.#assign()));
  }

  #assign(): void {
    for (;;) {
      const thread = this.#leastBusy();
      const next = thread && (this.#waiting.encode.shift() ?? this.#waiting.hash.shift());
      if (thread === undefined || next === undefined) {
        return;
      }
      thread.give(next);
    }
  }

  #leastBusy(): EncoderThread | undefined {
    const [first, ...others] = this.#threads ?? [];
    const least = others.reduce((best, it) => (it.load < (best?.load ?? 0) ? it : best), first);
    return least !== undefined && least.load < ORDERS_PER_THREAD ? least : undefined;
  }
}

interface Waiting {
  readonly order: ThreadOrder;
  readonly resolve: (result: Hashed | EncodedBatch) => void;
  readonly reject: (error: unknown) => void;
}

class EncoderThread {
  readonly #worker: Worker;
  /** Orders are answered in turn. */
  readonly #given: Waiting[] = [];
  readonly #onFree: () => void;
  #failure: Error | undefined;

  constructor(setup: ThreadSetup, onFree: () => void) {
    this.#onFree = onFree;
    const options = { workerData: setup, stdin: false, env: {} };
    this.#worker =
      typeof ENCODER_THREAD_SOURCE === 'string'
        ? new Worker(ENCODER_THREAD_SOURCE, { ...options, eval: true })
        : new Worker(join(import.meta.dirname, 'encoder-thread.ts'), options);
    this.#worker.on('message', (reply: ThreadReply) => this.#settle(reply));
    this.#worker.on('error', (error: Error) => this.#fail(error));
    this.#worker.on('exit', () => this.#fail(new Error('a thread of the backup ended too early')));
  }

  get load(): number {
    return this.#given.length;
  }

  give(waiting: Waiting): void {
    if (this.#failure === undefined) {
      this.#given.push(waiting);
      this.#worker.postMessage(waiting.order);
    } else {
      waiting.reject(this.#failure);
    }
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }

  #settle(reply: ThreadReply): void {
    const waiting = this.#given.shift();
    if (reply.ok) {
      waiting?.resolve(reply.result);
    } else {
      waiting?.reject(fromThreadFailure(reply.failure));
    }
    this.#onFree();
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const { reject } of this.#given.splice(0)) {
      reject(this.#failure);
    }
    this.#onFree();
  }
}
