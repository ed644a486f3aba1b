/** One kind of event of one object: who hears of it, in which order, and who is to hear of it again. */
import { HintError } from '#system';
import type { Place } from './deferral.ts';
import { withDeferring } from './event-base.ts';
import type { CharmObject, Handler, NamedMethod, Observable } from './framework.ts';
import { checkSimple, type SimpleValue } from './simple-value.ts';

/** How an event of a library is kept while it waits, and made anew from what was kept. */
export interface EventCodec<E, S extends SimpleValue = SimpleValue> {
  save(event: E): S;
  /** What an older version of the charm saved, too: check it. */
  load(saved: SimpleValue): E;
}

/** Why an event cannot be deferred, and what to do instead. */
export interface Refusal {
  readonly reason: string;
  readonly hint: string;
}

/** What a deferred event is made of again, or why it cannot be deferred. */
export type Keeping = { readonly snapshot: () => SimpleValue } | { readonly refusal: Refusal };

interface Observer {
  readonly handler: Handler<never>;
  readonly name: NamedMethod | undefined;
}

const NO_CODEC: Refusal = {
  reason: 'its source does not say how to keep it',
  hint: 'give the EventSource a codec: new EventSource(owner, kind, { save, load })',
};

const NO_NAME: Refusal = {
  reason: 'a function observes it, which cannot be found again in a later process',
  hint: "observe with an object and the name of its method: framework.observe(source, this, 'onChanged')",
};

/** One event that can be observed, and emitted by its owner. */
export class EventSource<out E> implements Observable<E> {
  /** `charm/on/config-changed` */
  readonly path: string;
  readonly #owner: CharmObject;
  readonly #save: ((event: never) => SimpleValue) | undefined;
  readonly #load: ((saved: SimpleValue) => E) | undefined;
  // Each takes what this source emits: addObserver() and emit() agree on E.
  readonly #observers: Observer[] = [];

  /**
   * @param kind names the event among those of its owner
   * @param codec lets observers defer it; what it saves is JSON, and no secret
   */
  constructor(owner: CharmObject, kind: string, codec?: EventCodec<NoInfer<E>>) {
    this.#owner = owner;
    this.#save = codec === undefined ? undefined : (event) => codec.save(event);
    this.#load = codec === undefined ? undefined : (saved) => codec.load(saved);
    this.path = `${owner.path}/on/${kind}`;
    owner.framework.claimPath(this.path);
    owner.framework.addSource(this);
  }

  /** Whether emitting it would call anybody. */
  get isObserved(): boolean {
    return this.#observers.length > 0;
  }

  /** What framework.observe() calls. */
  addObserver(handler: Handler<E>, name?: NamedMethod): void {
    if (name !== undefined && this.hasObserver(name)) {
      throw new HintError(`${name.observer}.${name.method} observes ${this.path} already`, {
        code: 'duplicate-observer',
        hint: 'observe each event once with a method',
      });
    }
    this.#observers.push({ handler, name });
    if (name !== undefined) {
      this.#owner.framework.noteNamed(this.path);
    }
  }

  hasObserver(name: NamedMethod): boolean {
    return this.#find(name) !== undefined;
  }

  /**
   * Runs the observers one after the other, at once, nested in whatever runs, and waits for them.
   * The first that throws ends it.
   */
  async emit(event: E): Promise<void> {
    const save = this.#save;
    await this.deliver(
      event,
      save === undefined
        ? { refusal: NO_CODEC }
        : { snapshot: () => this.#checked(save(event as never)) },
    );
  }

  /** As emit(), for events whose maker knows how to keep them. */
  async deliver(event: E, keeping: Keeping): Promise<void> {
    const { deferrals, emitted, log } = this.#owner.framework;
    emitted(this.path, event, false);
    // Places are taken before anybody runs, so that the order is that of emission.
    const turns = this.#observers.map((observer) => ({
      observer,
      place: this.#placeFor(observer, keeping),
    }));
    const waiting = turns.filter(({ place }) => place !== undefined && deferrals.isPending(place));
    for (const { place } of turns.filter((turn) => !waiting.includes(turn))) {
      if (place !== undefined) {
        deferrals.add(place);
      }
    }
    for (const turn of turns) {
      if (waiting.includes(turn)) {
        log.debug(`not queued twice: ${describe(turn.observer, this.path)} waits for it already`);
      } else {
        // Each sees what those before it did.
        // oxlint-disable-next-line no-await-in-loop
        await this.#run(event, turn.observer, turn.place ?? refusalOf(keeping));
      }
    }
  }

  /** Gives a deferred event to the one observer that waits for it; false when that is not there. */
  async redeliver(event: E, place: Place): Promise<boolean> {
    const found = this.#find(place);
    if (found === undefined) {
      return false;
    }
    const { emitted, log } = this.#owner.framework;
    log.debug(`deferred event again: ${describe(found, this.path)}`);
    emitted(this.path, event, true);
    place.deferred = false;
    try {
      await this.#run(event, found, place);
    } catch (error) {
      // A dispatch that is ended early, and well, keeps what was not handled.
      place.deferred = true;
      throw error;
    }
    return true;
  }

  /** The event that was kept; undefined where this source has no codec. */
  load(saved: SimpleValue): E | undefined {
    return this.#load?.(saved);
  }

  #find(name: NamedMethod): Observer | undefined {
    return this.#observers.find(
      ({ name: known }) => known?.observer === name.observer && known.method === name.method,
    );
  }

  #placeFor(observer: Observer, keeping: Keeping): Place | undefined {
    if (observer.name === undefined || 'refusal' in keeping) {
      return undefined;
    }
    let saved: SimpleValue | undefined;
    const snapshot = (): SimpleValue => {
      saved ??= keeping.snapshot();
      return saved;
    };
    return { event: this.path, ...observer.name, snapshot, deferred: false };
  }

  #checked(snapshot: SimpleValue): SimpleValue {
    checkSimple(snapshot, `${this.path} (what its codec saves)`);
    return snapshot;
  }

  async #run(event: E, observer: Observer, keep: Place | Refusal): Promise<void> {
    const { deferrals, log } = this.#owner.framework;
    const defer = (): void => {
      if ('reason' in keep) {
        throw cannotDefer(this.path, keep);
      }
      // Now, where the stack tells the handler, and not when the dispatch ends.
      keep.snapshot();
      if (!deferrals.isPending(keep)) {
        keep.deferred = true;
        log.debug(`deferred: ${describe(observer, this.path)}`);
      }
    };
    await withDeferring(event, defer, () => observer.handler(event as never));
    if (!('reason' in keep) && !keep.deferred) {
      deferrals.drop(keep);
    }
  }
}

function refusalOf(keeping: Keeping): Refusal {
  return 'refusal' in keeping ? keeping.refusal : NO_NAME;
}

function cannotDefer(path: string, { reason, hint }: Refusal): HintError {
  return new HintError(`cannot defer ${path}: ${reason}`, { code: 'cannot-defer', hint });
}

function describe({ name }: Observer, path: string): string {
  return `${path} for ${name === undefined ? 'a function' : `${name.observer}.${name.method}`}`;
}
