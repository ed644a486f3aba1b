import { describe, expect, test } from '@jest/globals';
import { createMemoryObjectStore, parseRate, withRateLimit } from '#object-store';

const KIB = 1024;

/** A store at a rate that can be changed, and a clock whose pauses only move its hands. */
function aStore(bytesPerSecond: number | undefined) {
  const inner = createMemoryObjectStore();
  const setting = { rate: bytesPerSecond };
  let now = 0;
  const naps: number[] = [];
  const clock = {
    now: () => new Date(now),
    sleep: async (ms: number, signal?: AbortSignal) => {
      signal?.throwIfAborted();
      naps.push(ms);
      now += ms;
      onNap?.(naps.length);
    },
  };
  let onNap: ((count: number) => void) | undefined;
  return {
    inner,
    setting,
    naps,
    clock,
    store: withRateLimit(inner, { bytesPerSecond: () => setting.rate, clock }),
    elapsedMs: () => now,
    advance: (ms: number) => {
      now += ms;
    },
    set onNap(handler: (count: number) => void) {
      onNap = handler;
    },
  };
}

const data = Buffer.alloc(100 * KIB);

describe('a rate limit', () => {
  test('holds uploads and downloads together to the rate', async () => {
    const { store, elapsedMs } = aStore(100 * KIB);
    for (let n = 0; n < 10; n += 1) {
      await store.put(`k${n}`, data);
      await store.putIfAbsent(`l${n}`, data);
      await store.get(`k${n}`);
      await store.getRange(`l${n}`, { offset: 0, length: 50 * KIB });
    }
    await store.put('last', new Uint8Array(0));
    // 3500 KiB, of which a second's worth was at hand when it began.
    expect(elapsedMs()).toBe(34_000);
  });

  test('without a rate nobody waits, and nothing is owed later', async () => {
    const { store, setting, elapsedMs } = aStore(undefined);
    for (let n = 0; n < 10; n += 1) {
      await store.put('k', data);
    }
    setting.rate = 100 * KIB;
    await store.put('k', data);
    expect(elapsedMs()).toBe(0);
  });

  test('a rate that changes holds from the next second on, up and down', async () => {
    const it = aStore(10 * KIB);
    await it.store.put('a', Buffer.alloc(110 * KIB));
    it.onNap = (count) => {
      it.setting.rate = count === 2 ? 40 * KIB : it.setting.rate;
    };
    await it.store.put('b', data);
    // 100 KiB were owed: two seconds at 10 KiB/s, then two at 40.
    expect(it.naps).toEqual([1000, 1000, 1000, 1000]);
    it.setting.rate = undefined;
    await it.store.put('c', data);
    expect(it.elapsedMs()).toBe(4000);
  });

  test('idle time is worth one second at most', async () => {
    const { store, advance, elapsedMs } = aStore(100 * KIB);
    await store.put('a', data);
    advance(3_600_000);
    for (let n = 0; n < 5; n += 1) {
      await store.put('b', data);
    }
    await store.put('c', new Uint8Array(0));
    expect(elapsedMs()).toBe(3_600_000 + 4000);
  });

  test('transfers have their turn in order of arrival', async () => {
    const { store } = aStore(8 * KIB);
    const order: number[] = [];
    const sizes = [900, 1, 300, 1, 1].map((size) => size * KIB);
    await Promise.all(
      sizes.map(async (size, n) => {
        await store.put(`k${n}`, Buffer.alloc(size));
        order.push(n);
      }),
    );
    expect(order).toEqual([0, 1, 2, 3, 4]);
  });

  test('one that is aborted ends at once, counts nothing and holds up nobody', async () => {
    const it = aStore(8 * KIB);
    await it.store.put('a', Buffer.alloc(88 * KIB));
    const controller = new AbortController();
    const reason = new Error('stop');
    it.onNap = (count) => {
      if (count === 3) {
        controller.abort(reason);
      }
    };
    const first = it.store.put('b', Buffer.alloc(8000 * KIB), { signal: controller.signal });
    const second = it.store.put('c', Buffer.alloc(8 * KIB), { signal: controller.signal });
    const third = it.store.put('d', Buffer.alloc(8 * KIB));
    await expect(first).rejects.toBe(reason);
    await expect(second).rejects.toBe(reason);
    await third;
    expect(it.elapsedMs()).toBe(10_000);
    expect(await it.inner.head('b')).toBeUndefined();
  });

  test('a call that fails is told, and the next has its turn', async () => {
    const { store } = aStore(8 * KIB);
    await expect(store.get('missing')).rejects.toMatchObject({ code: 'not-found' });
    await store.put('a', data);
  });

  test.each([0, -1, 100, Number.NaN, Number.POSITIVE_INFINITY])(
    'refuses to work at %p bytes per second, with the allowed form',
    async (rate) => {
      const { store } = aStore(rate);
      await expect(store.put('a', data)).rejects.toMatchObject({
        code: 'invalid-rate',
        hint: expect.stringContaining('500K, 20M or 1.5G'),
      });
    },
  );
});

describe('a rate in words', () => {
  test.each([
    ['20M', 20 * KIB * KIB],
    ['1.5G', 1.5 * KIB ** 3],
    [' 500k ', 500 * KIB],
    ['500 KiB/s', 500 * KIB],
    ['20MB/s', 20 * KIB * KIB],
    ['1000000', 1_000_000],
    ['', undefined],
    ['0', undefined],
    ['Unlimited', undefined],
  ])('%j is %p bytes per second', (text, rate) => {
    expect(parseRate(text)).toBe(rate);
  });

  test.each(['fast', '-1M', '1T', '100', '7K', '1e9', '1M 2M', '9999999G', '0.1'])(
    '%j is refused, with the allowed form',
    (text) => {
      expect(() => parseRate(text)).toThrow(
        expect.objectContaining({
          code: 'invalid-rate',
          message: `cannot limit the transfer to ${JSON.stringify(text)}: that is no rate`,
          hint: expect.stringContaining('500K, 20M or 1.5G'),
        }),
      );
    },
  );
});
