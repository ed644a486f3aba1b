/** A fixed number of threads that run one program; orders go to the least busy of them. */
import type { Worker } from 'node:worker_threads';
import { fromThreadFailure, type ThreadFailure } from '../pipeline/thread-messages.ts';

/** What a thread answers to each order, in turn. */
export type Reply<Result> =
  | { readonly ok: true; readonly result: Result }
  | { readonly ok: false; readonly failure: ThreadFailure };

export interface RunOptions {
  /** Memory handed over with the order, instead of being copied. */
  readonly transfer?: readonly ArrayBuffer[];
  /** Comes before the orders that are not. */
  readonly isUrgent?: boolean;
}

interface Waiting<Order, Result> {
  readonly order: Order;
  readonly transfer: readonly ArrayBuffer[];
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/** One at work, one waiting, so that no thread is ever idle for the way of a message. */
const ORDERS_PER_THREAD = 2;

export class ThreadPool<Order, Result> {
  readonly #threads: readonly PoolThread<Order, Result>[];
  readonly #waiting: Waiting<Order, Result>[] = [];

  constructor(count: number, start: () => Worker) {
    const onFree = (): void => this.#assign();
    this.#threads = Array.from({ length: count }, () => new PoolThread(start(), onFree));
  }

  /** @throws what the order threw there, or Error when its thread ended */
  async run(order: Order, options: RunOptions = {}): Promise<Result> {
    const { transfer = [], isUrgent = false } = options;
    return await new Promise((resolve, reject) => {
      const waiting = { order, transfer, resolve, reject };
      if (isUrgent) {
        this.#waiting.unshift(waiting);
      } else {
        this.#waiting.push(waiting);
      }
      this.#assign();
    });
  }

  /** Ends the threads; what is under way is rejected. */
  async close(): Promise<void> {
    await Promise.all(this.#threads.map(async (thread) => await thread.end()));
  }

  #assign(): void {
    for (;;) {
      const [first, ...others] = this.#threads;
      const least = others.reduce((best, it) => (it.load < (best?.load ?? 0) ? it : best), first);
      const isFree = least !== undefined && least.load < ORDERS_PER_THREAD;
      const next = isFree ? this.#waiting.shift() : undefined;
      if (next === undefined) {
        return;
      }
      least?.give(next);
    }
  }
}

class PoolThread<Order, Result> {
  readonly #worker: Worker;
  /** Orders are answered in turn. */
  readonly #given: Waiting<Order, Result>[] = [];
  readonly #onFree: () => void;
  #failure: Error | undefined;

  constructor(worker: Worker, onFree: () => void) {
    this.#worker = worker;
    this.#onFree = onFree;
    worker.on('message', (reply: Reply<Result>) => this.#settle(reply));
    worker.on('error', (error: Error) => this.#fail(error));
    worker.on('exit', () => this.#fail(new Error('a thread ended too early')));
  }

  get load(): number {
    return this.#given.length;
  }

  give(waiting: Waiting<Order, Result>): void {
    if (this.#failure !== undefined) {
      waiting.reject(this.#failure);
      return;
    }
    try {
      this.#worker.postMessage(waiting.order, waiting.transfer);
      this.#given.push(waiting);
    } catch (error) {
      // What cannot be sent must not wait for an answer.
      waiting.reject(error);
    }
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }

  #settle(reply: Reply<Result>): void {
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
