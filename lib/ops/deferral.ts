/** The queue of deferred events: in the order they were first emitted, kept in the unit's state. */
import { isDeepStrictEqual } from 'node:util';
import { HintError } from '#system';
import { checkSimple, type SimpleValue } from './simple-value.ts';
import type { UnitState } from './unit-state.ts';

/** One event that one observer is to be given again. */
export interface Notice {
  /** Path of its source: `charm/on/config-changed`. */
  readonly event: string;
  /** Path of the object that observes: `charm`. */
  readonly observer: string;
  readonly method: string;
  /** From which the event is made anew. */
  readonly snapshot: SimpleValue;
}

/** A place in the queue, taken when the event is emitted; kept only if `deferred` in the end. */
export interface Place {
  readonly event: string;
  readonly observer: string;
  readonly method: string;
  readonly snapshot: () => SimpleValue;
  deferred: boolean;
}

/** Key of the queue in the unit's state. */
export const DEFERRED_KEY = 'ops:deferred';

export class Deferrals {
  readonly #state: UnitState;
  #queue: Place[] | undefined;

  constructor(state: UnitState) {
    this.#state = state;
    state.onSave(DEFERRED_KEY, () => this.#text());
  }

  /** What waits now. */
  pending(): readonly Place[] {
    return this.#places().filter((place) => place.deferred);
  }

  /** Whether the same event waits for the same observer already. */
  isPending(wanted: Omit<Place, 'deferred'>): boolean {
    return this.pending().some(
      (place) =>
        place.event === wanted.event &&
        place.observer === wanted.observer &&
        place.method === wanted.method &&
        isDeepStrictEqual(place.snapshot(), wanted.snapshot()),
    );
  }

  add(place: Place): void {
    this.#places().push(place);
  }

  drop(place: Place): void {
    this.#queue = this.#places().filter((other) => other !== place);
  }

  #places(): Place[] {
    this.#queue ??= parseNotices(this.#state.read(DEFERRED_KEY)).map((notice) => ({
      ...notice,
      snapshot: () => notice.snapshot,
      deferred: true,
    }));
    return this.#queue;
  }

  #text(): string | undefined {
    if (this.#queue === undefined) {
      return undefined;
    }
    const notices = this.pending().map(
      ({ event, observer, method, snapshot }): Notice => ({
        event,
        observer,
        method,
        snapshot: snapshot(),
      }),
    );
    // Nothing where nothing was: a key with an empty list would be one more thing to keep.
    const isNew = this.#state.read(DEFERRED_KEY) === undefined;
    return isNew && notices.length === 0 ? undefined : JSON.stringify(notices);
  }
}

/** The queue as it is kept. @throws HintError when it is none. */
export function parseNotices(text: string | undefined): readonly Notice[] {
  if (text === undefined || text === '') {
    return [];
  }
  try {
    const value: unknown = JSON.parse(text);
    if (Array.isArray(value)) {
      return value.map(parseNotice);
    }
  } catch {
    // As for what is JSON but no list of notices.
  }
  throw new HintError(`cannot read the deferred events Juju keeps under "${DEFERRED_KEY}"`, {
    code: 'malformed-deferred-events',
    hint: `see them with juju-exec "state-get ${DEFERRED_KEY}" on the unit's machine, and delete them with state-delete`,
  });
}

function parseNotice(value: unknown): Notice {
  const fields = new Map(Object.entries(Object(value)));
  const textAt = (key: string): string => {
    const text = fields.get(key);
    if (typeof text !== 'string') {
      throw new TypeError(`${key} is no text`);
    }
    return text;
  };
  const snapshot: unknown = fields.get('snapshot');
  checkSimple(snapshot, 'snapshot');
  return {
    event: textAt('event'),
    observer: textAt('observer'),
    method: textAt('method'),
    snapshot,
  };
}
