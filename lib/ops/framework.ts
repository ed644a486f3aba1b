/** Observing and emitting: who hears of what, in which order. Knows nothing of Juju's events. */
import { HintError } from '#system';
import type { JujuContext } from './juju-context.ts';
import type { Logger } from './logger.ts';
import type { CharmMeta } from './meta.ts';
import type { Model } from './model/model.ts';

export type Handler<E> = (event: E) => void | Promise<void>;

/** What can be observed: every EventSource, also one of a more special event. */
export interface Observable<out E> {
  readonly addObserver: (handler: Handler<E>) => void;
}

/** Made once a dispatch, with all a charm and its libraries can reach. */
export class Framework {
  readonly model: Model;
  readonly meta: CharmMeta;
  readonly juju: JujuContext;
  readonly log: Logger;
  readonly #paths = new Set<string>();

  constructor(parts: {
    readonly model: Model;
    readonly meta: CharmMeta;
    readonly juju: JujuContext;
    readonly log: Logger;
  }) {
    this.model = parts.model;
    this.meta = parts.meta;
    this.juju = parts.juju;
    this.log = parts.log;
  }

  /** Calls `handler` whenever the event is emitted, after those that observe it already. */
  observe<E>(source: Observable<E>, handler: Handler<E>): void {
    source.addObserver(handler);
  }

  /** Keeps two objects or events from taking one name. @throws HintError */
  claimPath(path: string): void {
    if (this.#paths.has(path)) {
      throw new HintError(`cannot make ${path}: there is one already`, {
        code: 'duplicate-path',
        hint: 'give the second object another key',
      });
    }
    this.#paths.add(path);
  }
}

/** Anything with events or observers: the charm, and each library it uses. */
export class CharmObject {
  readonly framework: Framework;
  /** `MyCharm/backups` */
  readonly path: string;

  constructor(parent: Framework | CharmObject, key: string) {
    this.framework = parent instanceof Framework ? parent : parent.framework;
    this.path = parent instanceof Framework ? key : `${parent.path}/${key}`;
    this.framework.claimPath(this.path);
  }
}

/** One event that can be observed, and emitted by its owner. */
export class EventSource<out E> implements Observable<E> {
  // Each handler takes what this source emits: addObserver() and emit() agree on E.
  readonly #handlers: Handler<never>[] = [];

  /** `kind` names the event among those of its owner. */
  constructor(owner: CharmObject, kind: string) {
    owner.framework.claimPath(`${owner.path}/on/${kind}`);
  }

  /** Whether emitting it would call anybody. */
  get isObserved(): boolean {
    return this.#handlers.length > 0;
  }

  /** What framework.observe() calls. */
  addObserver(handler: Handler<E>): void {
    this.#handlers.push(handler);
  }

  /**
   * Runs the observers one after the other, at once, nested in whatever runs, and waits for them.
   * The first that throws ends it.
   */
  async emit(event: E): Promise<void> {
    for (const handler of this.#handlers) {
      // Each sees what those before it did.
      // oxlint-disable-next-line no-await-in-loop
      await handler(event as never);
    }
  }
}
