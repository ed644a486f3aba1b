/** Charms written with `#ops`, as ends to be tested: state in, one event, state out. */
import type { CharmBase } from '#ops';
import {
  type Context,
  type RelationState,
  relation,
  type State,
  type TestEvent,
} from '#ops/testing';
import type { JobType } from '../job.ts';
import type { ProviderEnd } from './check-provider.ts';
import type { RequirerEnd, UnitDatabags } from './check-requirer.ts';

type Texts = Readonly<Record<string, string>>;
type EventOf<Charm extends CharmBase> = (on: Context<Charm>['on'], now: State) => TestEvent;

interface Place {
  /** Name of the endpoint of the interface. */
  readonly endpoint: string;
  /** What else there is: configuration, secrets, a peer relation. Not the relation to be tested. */
  readonly state: State;
}

// Any number the state has no relation under.
const RELATION = 7001;

/** The charm's state, going from event to event. */
class Course<Charm extends CharmBase> {
  readonly #context: Context<Charm>;
  #state: State;

  constructor(context: Context<Charm>, { endpoint, state }: Place, remoteApp: string) {
    this.#context = context;
    this.#state = state.withRelation(relation({ endpoint, id: RELATION, remoteApp }));
  }

  async run(event: EventOf<Charm>): Promise<RelationState> {
    this.#state = await this.#context.run(event(this.#context.on, this.#state), this.#state);
    return relationIn(this.#state);
  }

  change(fields: Partial<Pick<RelationState, 'remoteAppData' | 'remoteUnits'>>): void {
    this.#state = this.#state.withRelation({ ...relationIn(this.#state), ...fields });
  }
}

function relationIn(state: State): RelationState {
  const found = state.getRelation(RELATION);
  if (found.kind !== 'relation') {
    throw new TypeError(`relation ${RELATION} is a peer relation`);
  }
  return found;
}

/** A provider charm. Extend it with `finish` and `runs` where the charm's work can be directed. */
export class OpsProviderEnd<Charm extends CharmBase> implements ProviderEnd {
  readonly #course: Course<Charm>;

  constructor(context: Context<Charm>, place: Place) {
    this.#course = new Course(context, place, 'backup-manager');
  }

  async created(): Promise<Texts> {
    return await this.fire((on, now) => on.relationCreated(now.getRelation(RELATION)));
  }

  async changed(databag: Texts): Promise<Texts> {
    this.#course.change({ remoteAppData: databag });
    return await this.fire((on, now) =>
      on.relationChanged(now.getRelation(RELATION), { remoteUnit: null }),
    );
  }

  /** Runs an event, for example one that a worker causes. */
  async fire(event: EventOf<Charm>): Promise<Texts> {
    return (await this.#course.run(event)).localUnitData;
  }
}

export interface OpsRequirerOptions extends Place {
  /** The event by which somebody asks for a job. */
  readonly ask: (jobType: JobType) => TestEvent;
  /** The event by which somebody cancels one. */
  readonly cancel?: (jobId: string) => TestEvent;
}

/** A requirer charm, its leader. */
export class OpsRequirerEnd<Charm extends CharmBase> implements RequirerEnd {
  readonly #course: Course<Charm>;
  readonly #options: OpsRequirerOptions;
  #isRelated = false;

  constructor(context: Context<Charm>, options: OpsRequirerOptions) {
    this.#course = new Course(context, options, 'database');
    this.#options = options;
  }

  async says(units: UnitDatabags): Promise<Texts> {
    if (!this.#isRelated) {
      this.#isRelated = true;
      this.#course.change({ remoteUnits: {} });
      await this.#fire((on, now) => on.relationCreated(now.getRelation(RELATION)));
    }
    this.#course.change({ remoteUnits: units });
    let databag: Texts = {};
    for (const unit of Object.keys(units)) {
      databag = await this.#fire((on, now) =>
        on.relationChanged(now.getRelation(RELATION), { remoteUnit: Number(unit) }),
      );
    }
    return databag;
  }

  async ask(jobType: JobType): Promise<Texts> {
    return await this.#fire(() => this.#options.ask(jobType));
  }

  async cancel(jobId: string): Promise<Texts> {
    const { cancel } = this.#options;
    if (cancel === undefined) {
      throw new TypeError('no event to cancel a job by was given');
    }
    return await this.#fire(() => cancel(jobId));
  }

  async #fire(event: EventOf<Charm>): Promise<Texts> {
    return (await this.#course.run(event)).localAppData;
  }
}
