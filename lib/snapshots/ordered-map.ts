/** Bounded parallelism over an async sequence, results in order. */

/**
 * Runs `work` on up to `limit` items at a time and yields the results in the order of the items.
 * At most `limit` items are taken ahead. After a failure nothing new is started, and everything
 * under way has settled before the failure is thrown.
 */
export async function* orderedMap<T, R>(
  items: AsyncIterable<T>,
  limit: number,
  work: (item: T) => Promise<R>,
): AsyncIterable<R> {
  const iterator = items[Symbol.asyncIterator]();
  const running: Promise<R>[] = [];
  let ended = false;
  try {
    for (;;) {
      while (!ended && running.length < limit) {
        const next = await iterator.next();
        if (next.done === true) {
          ended = true;
          break;
        }
        const result = work(next.value);
        // Its failure is seen when its turn comes; until then it must not count as unhandled.
        result.catch(() => undefined);
        running.push(result);
      }
      const first = running.shift();
      if (first === undefined) {
        return;
      }
      yield await first;
    }
  } finally {
    await Promise.allSettled(running);
    await iterator.return?.();
  }
}

/** Runs `work` on every item, up to `limit` at a time. */
export async function forEachConcurrently<T>(
  items: AsyncIterable<T> | Iterable<T>,
  limit: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  for await (const _ of orderedMap(toAsync(items), limit, work)) {
    // The work is all there is to do.
  }
}

async function* toAsync<T>(items: AsyncIterable<T> | Iterable<T>): AsyncIterable<T> {
  yield* items;
}
