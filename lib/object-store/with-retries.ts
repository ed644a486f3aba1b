/**
 * Repeats what failed for a passing reason, with growing, jittered pauses.
 * Knows that a request without an answer may have been carried out nevertheless.
 */
import { type Clock, systemClock } from '#system';
import { isObjectStoreError, type ObjectStoreError } from './errors.ts';
import type {
  FolderItem,
  ListOptions,
  ObjectInfo,
  ObjectStore,
  PutOptions,
} from './object-store.ts';

export interface RetryOptions {
  readonly clock?: Clock;
  /** Attempts per request, the first included; 8 unless told (about a minute of pauses). */
  readonly maxAttempts?: number;
  /** Attempts while the store has not answered a single request yet; 3 unless told. */
  readonly maxFirstAttempts?: number;
  /** Attempts where access is denied that was granted before; 3 unless told. */
  readonly maxDeniedAttempts?: number;
  /** Upper bound of the first pause, doubled each time; 200 ms unless told. */
  readonly basePauseMs?: number;
  /** Longest pause; 20 s unless told. */
  readonly maxPauseMs?: number;
  /** Source of jitter, 0 <= x < 1. */
  readonly random?: () => number;
}

/** The same store, patient with passing failures (`transient` errors). */
export function withRetries(store: ObjectStore, options: RetryOptions = {}): ObjectStore {
  const retrier = new Retrier(options);
  return {
    description: store.description,
    get: async (key, o) => await retrier.run(async () => await store.get(key, o), o?.signal),
    getRange: async (key, range, o) =>
      await retrier.run(async () => await store.getRange(key, range, o), o?.signal),
    put: async (key, data, o) =>
      await retrier.run(async () => await store.put(key, data, o), o?.signal),
    putIfAbsent: async (key, data, o) =>
      await putIfAbsent(store, retrier, { key, data, options: o ?? {} }),
    head: async (key, o) => await retrier.run(async () => await store.head(key, o), o?.signal),
    list: (prefix, o) => listAgain(store, retrier, prefix, o),
    listFolder: (prefix, o) => listFolderAgain(store, retrier, prefix, o),
    delete: async (keys, o) =>
      await retrier.run(async () => await store.delete(keys, o), o?.signal),
  };
}

interface PutIfAbsentCall {
  readonly key: string;
  readonly data: Uint8Array;
  readonly options: PutOptions;
}

/**
 * When an earlier attempt got no answer, "exists" may mean our own write: then what is there decides.
 */
async function putIfAbsent(
  store: ObjectStore,
  retrier: Retrier,
  call: PutIfAbsentCall,
): Promise<'created' | 'exists'> {
  const { key, data, options } = call;
  const { signal } = options;
  let attempts = 0;
  const result = await retrier.run(async () => {
    attempts += 1;
    return await store.putIfAbsent(key, data, options);
  }, signal);
  if (result === 'created' || attempts === 1) {
    return result;
  }
  const there = await retrier.run(async () => await store.get(key, { signal }), signal);
  return Buffer.compare(there, data) === 0 ? 'created' : 'exists';
}

async function* listAgain(
  store: ObjectStore,
  retrier: Retrier,
  prefix: string,
  options: ListOptions = {},
): AsyncIterable<ObjectInfo> {
  let startAfter = options.startAfter;
  const resume = (): AsyncIterator<ObjectInfo> => {
    const after = startAfter === undefined ? {} : { startAfter };
    const objects = store.list(prefix, { ...options, ...after });
    return objects[Symbol.asyncIterator]();
  };
  for await (const object of retrier.iterate(resume, options.signal)) {
    startAfter = object.key;
    yield object;
  }
}

async function* listFolderAgain(
  store: ObjectStore,
  retrier: Retrier,
  prefix: string,
  options: { readonly signal?: AbortSignal | undefined } = {},
): AsyncIterable<FolderItem> {
  let seen = 0;
  const restart = async function* (): AsyncIterator<FolderItem> {
    let skipped = 0;
    for await (const item of store.listFolder(prefix, options)) {
      skipped += 1;
      if (skipped > seen) {
        yield item;
      }
    }
  };
  for await (const item of retrier.iterate(restart, options.signal)) {
    seen += 1;
    yield item;
  }
}

class Retrier {
  readonly #options: Required<RetryOptions>;
  /** A store that never answered is more likely misconfigured than tired: say so soon. */
  #answered = false;

  constructor(options: RetryOptions) {
    this.#options = {
      clock: systemClock,
      maxAttempts: 8,
      maxFirstAttempts: 3,
      maxDeniedAttempts: 3,
      basePauseMs: 200,
      maxPauseMs: 20_000,
      random: Math.random,
      ...options,
    };
  }

  async run<T>(attempt: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    for (let attempts = 1; ; attempts += 1) {
      signal?.throwIfAborted();
      try {
        const result = await attempt();
        this.#answered = true;
        return result;
      } catch (error) {
        await this.#pauseOrGiveUp(error, attempts, signal);
      }
    }
  }

  /** Reads an iterator to its end; `open` is called again after a failure, to go on where it broke. */
  async *iterate<T>(
    open: () => AsyncIterator<T>,
    signal: AbortSignal | undefined,
  ): AsyncIterable<T> {
    let iterator = open();
    let failures = 0;
    try {
      for (;;) {
        signal?.throwIfAborted();
        try {
          const next = await iterator.next();
          this.#answered = true;
          if (next.done === true) {
            return;
          }
          failures = 0;
          yield next.value;
        } catch (error) {
          failures += 1;
          await this.#pauseOrGiveUp(error, failures, signal);
          iterator = open();
        }
      }
    } finally {
      await iterator.return?.();
    }
  }

  async #pauseOrGiveUp(
    error: unknown,
    attempts: number,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { clock, basePauseMs, maxPauseMs, random } = this.#options;
    const passing = isObjectStoreError(error) && error.transient;
    if (passing && !error.unanswered) {
      this.#answered = true;
    }
    if (!passing || attempts >= this.#maxAttempts(error)) {
      throw error;
    }
    const bound = Math.min(maxPauseMs, basePauseMs * 2 ** (attempts - 1));
    await clock.sleep(bound * (0.5 + random() / 2), signal);
  }

  #maxAttempts(error: ObjectStoreError): number {
    const { maxAttempts, maxFirstAttempts, maxDeniedAttempts } = this.#options;
    if (error.code === 'access-denied') {
      return Math.min(maxAttempts, maxDeniedAttempts);
    }
    return this.#answered ? maxAttempts : maxFirstAttempts;
  }
}
