/** Decodes, proves and writes batches of chunks: here where there are few, else in as many threads as processors. */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { ChunkIds, Coding } from '../coding.ts';
import { secretOf } from '../crypto/repository-key.ts';
import { freeMemory } from '../free-memory.ts';
import { ThreadPool } from '../threads/thread-pool.ts';
import { type DecodeOrder, decodeBatch, type Stretches } from './decode-work.ts';

/** The source of decoder-thread.ts, where a bundler has put it; see lib/tooling. */
declare const DECODER_THREAD_SOURCE: string | undefined;

/** Given to a thread when it starts. */
export interface DecoderSetup {
  /** Of the repository key, where the backup is encrypted. */
  readonly secret: Uint8Array | undefined;
  readonly chunkIds: ChunkIds;
}

export interface DecodeBatch {
  readonly stretches: Stretches;
  readonly orders: readonly DecodeOrder[];
}

/** What takes as long as starting two threads. */
const BYTES_WITHOUT_THREADS = 16 * 1024 * 1024;
const MAX_THREADS = 4;
/** What they work on lies outside of their heaps. */
const LIMITS = { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 64 };

export class Decoder implements AsyncDisposable {
  readonly #coding: Coding;
  readonly #pool: ThreadPool<DecodeBatch, number> | undefined;

  /** @param expectedBytes How much there will be to decode, about. */
  constructor(coding: Coding, expectedBytes: number) {
    this.#coding = coding;
    if (expectedBytes > BYTES_WITHOUT_THREADS) {
      const { chunkIds } = coding;
      const setup: DecoderSetup = { secret: secretOf(coding), chunkIds };
      const count = Math.min(availableParallelism(), MAX_THREADS);
      this.#pool = new ThreadPool(count, () => startThread(setup));
    }
  }

  /**
   * Takes the memory of the data where they are all there is in it; the caller may not use it any more.
   * @returns how many chunks are done: all, or those before the first that is not what its id says
   * @throws the error of the file system
   */
  async decode(stretches: Stretches, orders: readonly DecodeOrder[]): Promise<number> {
    if (this.#pool === undefined) {
      const done = decodeBatch(stretches, orders, this.#coding);
      stretches.filter(ownsItsMemory).forEach(freeMemory);
      return done;
    }
    const owned = stretches.map((it) => (ownsItsMemory(it) ? it : new Uint8Array(it)));
    const transfer = owned.map(({ buffer }) => buffer as ArrayBuffer);
    return await this.#pool.run({ stretches: owned, orders }, { transfer });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool?.close();
  }
}

/** Whether it is all there is in its memory: else handing that over would take away from others. */
function ownsItsMemory({ buffer, byteLength }: Uint8Array): boolean {
  return buffer instanceof ArrayBuffer && buffer.byteLength === byteLength;
}

function startThread(workerData: DecoderSetup): Worker {
  const options = { workerData, stdin: false, env: {}, resourceLimits: LIMITS };
  return typeof DECODER_THREAD_SOURCE === 'string'
    ? new Worker(DECODER_THREAD_SOURCE, { ...options, eval: true })
    : new Worker(join(import.meta.dirname, 'decoder-thread.ts'), options);
}
