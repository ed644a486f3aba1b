/** What events have in common: a handler can ask to be given one again. */
import { HintError } from '#system';

/** Base of all events that can be deferred. */
export abstract class EventBase {
  /**
   * Gives the event again to the observer that runs now, before the event of the next dispatch,
   * whatever that is. The handler goes on; call it as often as you like.
   * @throws HintError for events that cannot wait, and for observers that are plain functions.
   */
  defer(): void {
    const defer = DELIVERIES.get(this);
    if (defer === undefined) {
      throw new HintError('cannot defer: the event is not being handled', {
        code: 'cannot-defer',
        hint: 'call event.defer() before the handler ends, and await what it waits for',
      });
    }
    defer();
  }
}

const DELIVERIES = new WeakMap<object, () => void>();

/** Runs a handler; meanwhile, `defer` is what `event.defer()` does. */
export async function withDeferring(
  event: unknown,
  defer: () => void,
  handle: () => void | Promise<void>,
): Promise<void> {
  if (!(event instanceof EventBase)) {
    await handle();
    return;
  }
  const outer = DELIVERIES.get(event);
  DELIVERIES.set(event, defer);
  try {
    await handle();
  } finally {
    if (outer === undefined) {
      DELIVERIES.delete(event);
    } else {
      DELIVERIES.set(event, outer);
    }
  }
}
