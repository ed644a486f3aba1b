/** Observing: who hears of what. Knows nothing of Juju's events. */
import { HintError } from '#system';
import { Deferrals } from './deferral.ts';
import type { EventSource } from './event-source.ts';
import type { JujuContext } from './juju-context.ts';
import type { Logger } from './logger.ts';
import type { CharmMeta } from './meta.ts';
import type { Model } from './model/model.ts';
import type { UnitState } from './unit-state.ts';

export type Handler<E> = (event: E) => void | Promise<void>;

/** An observer that is found again in a later process: an object's path, and one of its methods. */
export interface NamedMethod {
  /** `charm/backups` */
  readonly observer: string;
  readonly method: string;
}

/** What can be observed: every EventSource, also one of a more special event. */
export interface Observable<out E> {
  readonly addObserver: (handler: Handler<E>, name?: NamedMethod) => void;
}

/** Called for each event that is emitted; `again` for one that was deferred. */
export type OnEmitted = (path: string, event: unknown, again: boolean) => void;

export interface FrameworkParts {
  readonly model: Model;
  readonly meta: CharmMeta;
  readonly juju: JujuContext;
  readonly log: Logger;
  readonly unitState: UnitState;
  readonly onEmitted?: OnEmitted | undefined;
}

/** Made once a dispatch, with all a charm and its libraries can reach. */
export class Framework {
  readonly model: Model;
  readonly meta: CharmMeta;
  readonly juju: JujuContext;
  readonly log: Logger;
  /** What is kept between dispatches; charms use storedState(). */
  readonly unitState: UnitState;
  readonly deferrals: Deferrals;
  readonly emitted: OnEmitted;
  readonly #paths = new Set<string>();
  readonly #sources = new Map<string, EventSource<unknown>>();
  readonly #named = new Set<string>();

  constructor(parts: FrameworkParts) {
    this.model = parts.model;
    this.meta = parts.meta;
    this.juju = parts.juju;
    this.log = parts.log;
    this.unitState = parts.unitState;
    this.deferrals = new Deferrals(parts.unitState);
    this.emitted = parts.onEmitted ?? (() => undefined);
  }

  /** Calls `handler` whenever the event is emitted, after those that observe it already. */
  observe<E>(source: Observable<E>, handler: Handler<E>): void;
  /**
   * As above, with a method: `framework.observe(this.on.start, this, 'onStart')`. Only such observers
   * can defer events: the path of the object and the name of the method say who is meant in a later
   * process, also after an upgrade of the charm.
   */
  observe<E, M extends string>(
    source: Observable<E>,
    observer: CharmObject & { readonly [Name in M]: Handler<NoInfer<E>> },
    method: M,
  ): void;
  observe<E, M extends string>(
    source: Observable<E>,
    observer: Handler<E> | (CharmObject & { readonly [Name in M]: Handler<E> }),
    method?: M,
  ): void {
    if (typeof observer === 'function') {
      source.addObserver(observer);
    } else if (method !== undefined) {
      source.addObserver((event) => observer[method](event), { observer: observer.path, method });
    }
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

  /** What each EventSource calls when it is made. */
  addSource(source: EventSource<unknown>): void {
    this.#sources.set(source.path, source);
  }

  findSource(path: string): EventSource<unknown> | undefined {
    return this.#sources.get(path);
  }

  /** What an EventSource calls when a method observes it. */
  noteNamed(path: string): void {
    this.#named.add(path);
  }

  /** Paths of the events that methods observe. */
  get namedSources(): ReadonlySet<string> {
    return this.#named;
  }
}

/** Anything with events or observers: the charm, and each library it uses. */
export class CharmObject {
  readonly framework: Framework;
  /** `charm/backups` */
  readonly path: string;

  constructor(parent: Framework | CharmObject, key: string) {
    this.framework = parent instanceof Framework ? parent : parent.framework;
    this.path = parent instanceof Framework ? key : `${parent.path}/${key}`;
    this.framework.claimPath(this.path);
  }
}
