/** Holds the bytes to and from a store to a rate that may change while it is in use. */
import { type Clock, HintError, systemClock } from '#system';
import type { ObjectStore } from './object-store.ts';

export interface RateLimitOptions {
  /** Bytes per second, both directions together; undefined for no limit. Asked again for every piece of work, and every second. */
  readonly bytesPerSecond: () => number | undefined;
  readonly clock?: Clock;
}

/** Slower than this a pack of 8 MiB waits for more than a quarter of an hour, and the job seems to have stalled. */
const MIN_BYTES_PER_SECOND = 8 * 1024;
const MAX_BYTES_PER_SECOND = 2 ** 50;
/** Nobody is held for longer before the rate is looked at again. */
const MAX_NAP_MS = 1000;
/** What may be used at once after a pause: a second's worth. */
const BURST_SECONDS = 1;

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  k: 1024,
  m: 1024 ** 2,
  g: 1024 ** 3,
};

/**
 * Reads a rate as people write it: bytes per second, plain or with K, M or G (times 1024); `0`, empty or `unlimited` for none.
 * @throws HintError `invalid-rate` with the allowed form
 */
export function parseRate(text: string): number | undefined {
  const word = text.trim().toLowerCase();
  if (word === '' || word === '0' || word === 'unlimited') {
    return undefined;
  }
  const [, number = '', unit = ''] =
    /^(\d+(?:\.\d+)?)\s*([kmg]?)(?:i?b)?(?:\/s)?$/.exec(word) ?? [];
  const rate = Math.floor(Number(number) * (UNITS[unit] ?? Number.NaN));
  if (number === '' || !isRate(rate)) {
    throw invalidRate(JSON.stringify(text));
  }
  return rate;
}

function isRate(rate: number): boolean {
  return rate >= MIN_BYTES_PER_SECOND && rate <= MAX_BYTES_PER_SECOND;
}

function invalidRate(shown: string): HintError {
  return new HintError(`cannot limit the transfer to ${shown}: that is no rate`, {
    code: 'invalid-rate',
    hint: `use bytes per second from ${MIN_BYTES_PER_SECOND / 1024}K on, such as 500K, 20M or 1.5G, or "unlimited"`,
  });
}

/**
 * The same store, no faster than told on average: each object moves at full speed when its turn has come. Transfers take
 * turns in order of arrival, so none starves. What `get` brings counts afterwards, as its size is not known before.
 * @throws HintError `invalid-rate` from every call while the rate makes no sense
 */
export function withRateLimit(store: ObjectStore, options: RateLimitOptions): ObjectStore {
  const bucket = new TokenBucket(options);
  const sent = async <T>(
    data: Uint8Array,
    signal: AbortSignal | undefined,
    send: () => Promise<T>,
  ): Promise<T> => {
    await bucket.take(data.length, signal);
    return await send();
  };
  return {
    description: store.description,
    get: async (key, o) => {
      await bucket.take(0, o?.signal);
      const data = await store.get(key, o);
      bucket.owe(data.length);
      return data;
    },
    getRange: async (key, range, o) => {
      await bucket.take(range.length, o?.signal);
      return await store.getRange(key, range, o);
    },
    put: async (key, data, o) =>
      await sent(data, o?.signal, async () => await store.put(key, data, o)),
    putIfAbsent: async (key, data, o) =>
      await sent(data, o?.signal, async () => await store.putIfAbsent(key, data, o)),
    head: async (key, o) => await store.head(key, o),
    list: (prefix, o) => store.list(prefix, o),
    listFolder: (prefix, o) => store.listFolder(prefix, o),
    delete: async (keys, o) => await store.delete(keys, o),
  };
}

/** Whoever moves bytes asks it before. */
export interface RateLimiter {
  /**
   * Waits for its turn, then takes so many bytes.
   * @throws HintError `invalid-rate` while the rate makes no sense; the signal's reason
   */
  take(bytes: number, signal: AbortSignal | undefined): Promise<void>;
}

/** For what moves bytes otherwise than through a store. */
export function createRateLimiter(options: RateLimitOptions): RateLimiter {
  return new TokenBucket(options);
}

/** Fills at the rate, up to a second's worth; may be overdrawn, which whoever comes next waits for. */
class TokenBucket implements RateLimiter {
  readonly #options: RateLimitOptions;
  readonly #clock: Clock;
  #tokens: number | undefined;
  #filledAt = 0;
  #rate: number | undefined;
  /** Ends when all who came before have had their turn. */
  #queue: Promise<void> = Promise.resolve();

  constructor(options: RateLimitOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** Waits until nobody is before and nothing is owed, then takes so many bytes. */
  async take(bytes: number, signal: AbortSignal | undefined): Promise<void> {
    const turn = this.#queue.then(async () => await this.#wait(bytes, signal));
    // Whoever is aborted or refused must not hold up the others.
    this.#queue = turn.catch(() => undefined);
    await orAborted(turn, signal);
  }

  /** Counts bytes that came already. */
  owe(bytes: number): void {
    if (this.#tokens !== undefined) {
      this.#tokens -= bytes;
    }
  }

  async #wait(bytes: number, signal: AbortSignal | undefined): Promise<void> {
    for (;;) {
      signal?.throwIfAborted();
      this.#fill();
      const owed = -(this.#tokens ?? 0);
      if (this.#rate === undefined || owed <= 0) {
        break;
      }
      const ms = Math.ceil((owed / this.#rate) * 1000);
      await this.#clock.sleep(Math.min(MAX_NAP_MS, ms), signal);
    }
    this.owe(bytes);
  }

  #fill(): void {
    const rate = this.#options.bytesPerSecond();
    if (rate !== undefined && !isRate(rate)) {
      throw invalidRate(String(rate));
    }
    const now = this.#clock.now().getTime();
    if (rate === undefined) {
      this.#tokens = undefined;
    } else if (this.#tokens === undefined) {
      this.#tokens = rate * BURST_SECONDS;
    } else {
      // What was waited for passed at the rate that held until now.
      const gained = (Math.max(0, now - this.#filledAt) / 1000) * (this.#rate ?? rate);
      this.#tokens = Math.min(rate * BURST_SECONDS, this.#tokens + gained);
    }
    this.#filledAt = now;
    this.#rate = rate;
  }
}

async function orAborted(work: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) {
    await work;
    return;
  }
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason as Error);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
