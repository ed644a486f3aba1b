import { describe, expect, test } from '@jest/globals';
import {
  createMemoryObjectStore,
  type Fault,
  type FaultPlan,
  ObjectStoreError,
  withFaults,
  withPrefix,
  withRetries,
} from '#object-store';

const busy = new ObjectStoreError('busy', { code: 'unavailable', transient: true });
const silent = new ObjectStoreError('no answer', {
  code: 'unreachable',
  transient: true,
  unanswered: true,
});
const refused = new ObjectStoreError('refused', { code: 'access-denied' });

/** A store whose first calls go wrong as told, and the pauses taken between attempts. */
function aStore(faults: readonly (Fault | undefined)[], plan?: FaultPlan) {
  const inner = createMemoryObjectStore();
  const pauses: number[] = [];
  const clock = {
    now: () => new Date(0),
    sleep: async (ms: number) => {
      pauses.push(ms);
    },
  };
  const faulty = withFaults(inner, plan ?? (({ number }) => faults[number - 1]));
  return { inner, pauses, store: withRetries(faulty, { clock, random: () => 1 }) };
}
const fail = (error: Error): Fault => ({ kind: 'fail', error });
const times = (count: number, fault: Fault): Fault[] => Array.from({ length: count }, () => fault);

describe('retries', () => {
  test('repeat what fails for a passing reason, with pauses that double up to a bound', async () => {
    const { store, pauses } = aStore(times(7, fail(busy)));
    await store.put('k', Buffer.from('x'));
    expect(pauses).toEqual([200, 400, 800, 1600, 3200, 6400, 12_800]);
  });

  test('give up after eight attempts, with the last error', async () => {
    const { store, pauses } = aStore(times(20, fail(busy)));
    await expect(store.get('k')).rejects.toBe(busy);
    expect(pauses).toHaveLength(7);
  });

  test('give up sooner on a store that has never answered', async () => {
    const { store, pauses } = aStore(times(20, fail(silent)));
    await expect(store.get('k')).rejects.toBe(silent);
    expect(pauses).toHaveLength(2);
  });

  test('are patient again once the store has answered', async () => {
    const { store, pauses } = aStore([undefined, ...times(5, fail(silent))]);
    await store.put('k', Buffer.from('x'));
    await store.put('k', Buffer.from('y'));
    expect(pauses).toHaveLength(5);
  });

  test('do not repeat what will not pass', async () => {
    const { store, pauses } = aStore([fail(refused)]);
    await expect(store.get('k')).rejects.toBe(refused);
    expect(pauses).toEqual([]);
  });

  test('recognise an own write behind a lost answer', async () => {
    const { store } = aStore([{ kind: 'lose-answer' }]);
    expect(await store.putIfAbsent('k', Buffer.from('mine'))).toBe('created');
  });

  test('do not mistake the write of another for an own one', async () => {
    const { store, inner } = aStore([fail(silent)]);
    await inner.put('k', Buffer.from('theirs'));
    expect(await store.putIfAbsent('k', Buffer.from('mine'))).toBe('exists');
    expect(Buffer.from(await store.get('k')).toString()).toBe('theirs');
  });

  test('may be stacked over a prefix and each other', async () => {
    const { store, inner } = aStore([fail(silent)]);
    const outer = withRetries(withPrefix(store, 'below/'));
    expect(await outer.putIfAbsent('k', Buffer.from('mine'))).toBe('created');
    expect(Buffer.from(await inner.get('below/k')).toString()).toBe('mine');
    expect(await inner.head('k')).toBeUndefined();
  });

  test('repeat a refusal of what was granted before only twice', async () => {
    const forNow = new ObjectStoreError('no', { code: 'access-denied', transient: true });
    const { store, pauses } = aStore(times(20, fail(forNow)));
    await expect(store.get('k')).rejects.toBe(forNow);
    expect(pauses).toHaveLength(2);
  });

  test('say exists at once when nothing was lost, whatever lies there', async () => {
    const { store, inner } = aStore([]);
    await inner.put('k', Buffer.from('same'));
    expect(await store.putIfAbsent('k', Buffer.from('same'))).toBe('exists');
  });

  test('go on with a listing where it broke, without repeating or losing a key', async () => {
    let listings = 0;
    const { store, inner } = aStore([], ({ operation }) => {
      listings += operation === 'list' ? 1 : 0;
      return operation === 'list' && listings < 3 ? { kind: 'lose-answer' } : undefined;
    });
    for (const key of ['a', 'b', 'c']) {
      await inner.put(key, Buffer.from(key));
    }
    const keys = [];
    for await (const { key } of store.list('')) {
      keys.push(key);
    }
    expect(keys).toEqual(['a', 'b', 'c']);
    expect(listings).toBe(3);
  });

  test('stop at an abort, also during a pause', async () => {
    const controller = new AbortController();
    const reason = new Error('stop');
    const faulty = withFaults(createMemoryObjectStore(), () => fail(busy));
    const store = withRetries(faulty, {
      clock: {
        now: () => new Date(0),
        sleep: async () => {
          controller.abort(reason);
        },
      },
    });
    await expect(store.get('k', { signal: controller.signal })).rejects.toBe(reason);
  });
});
