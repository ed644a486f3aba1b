/** The requirer end: a manager asks related databases for jobs and reads how they stand. */
import {
  type CharmBase,
  CharmObject,
  type CharmTypes,
  type EndpointOf,
  EventSource,
  type Relation,
} from '#ops';
import {
  assertSendable,
  commonFeatures,
  encodeFeatures,
  FEATURES_KEY,
  type Feature,
  parseFeatures,
} from './features.ts';
import type { Job, JobIssue, JobStatus } from './job.ts';
import { encodeJobs, parseJobs } from './job-codec.ts';
import { parseJobStatuses } from './status-codec.ts';

/** A related database application. */
export interface RelatedDatabase {
  /** Name of the application. */
  readonly name: string;
  readonly relation: Relation;
}

/** A status and the provider unit whose databag holds it. */
export type UnitJobStatus = JobStatus & { readonly unit: string };

/** An item of a provider unit that is no status. */
export type UnitJobIssue = JobIssue & { readonly unit: string };

/** Something happened to the relation with one database. */
export interface DatabaseEvent {
  readonly relation: Relation;
  /** The provider unit concerned, where it is about one. */
  readonly unit?: string;
}

export interface BackupRequirerOptions {
  /** What this charm uses beyond version 0. */
  readonly features?: readonly Feature[];
}

/**
 * Writes requests and reads statuses; keeps no history. Announces its features by itself. Requests are written by the leader, and
 * only it may read them back.
 */
export class BackupRequirer<Types extends CharmTypes = CharmTypes> extends CharmObject {
  /** A provider unit may have published something new. */
  readonly statusChanged: EventSource<DatabaseEvent>;
  readonly databaseRelated: EventSource<DatabaseEvent>;
  /** A unit of a database left for good, while its application stays related. */
  readonly unitGone: EventSource<DatabaseEvent>;
  /** The relation is gone; it is no longer among `databases()`. */
  readonly databaseGone: EventSource<DatabaseEvent>;
  readonly #charm: CharmBase;
  readonly #endpoint: string;
  readonly #features: ReadonlySet<Feature>;

  /** @param endpoint name of an endpoint that requires the `database_backup` interface */
  constructor(
    charm: CharmBase<Types>,
    endpoint: EndpointOf<Types, { role: 'requires'; interface: 'database_backup' }>,
    options: BackupRequirerOptions = {},
  ) {
    super(charm, `backup-requirer-${endpoint}`);
    this.#charm = charm;
    this.#endpoint = endpoint;
    this.#features = new Set(options.features);
    this.statusChanged = new EventSource<DatabaseEvent>(this, 'status-changed');
    this.databaseRelated = new EventSource<DatabaseEvent>(this, 'database-related');
    this.unitGone = new EventSource<DatabaseEvent>(this, 'unit-gone');
    this.databaseGone = new EventSource<DatabaseEvent>(this, 'database-gone');
    this.#observeRelation();
  }

  /** All living relations, in the order of their ids. */
  databases(): readonly RelatedDatabase[] {
    return this.#charm.model.relations(this.#endpoint).map((relation) => ({
      relation,
      // Asking for the name is a call to Juju, and with many databases most are never asked.
      get name() {
        return relation.app.name;
      },
    }));
  }

  /**
   * What may be used in this relation beyond version 0: what this charm and every unit of the
   * database have announced. Nothing before a unit has been seen.
   */
  agreed(relation: Relation): ReadonlySet<Feature> {
    const units = relation.units.map((unit) =>
      parseFeatures(relation.data(unit).get(FEATURES_KEY)),
    );
    return units.length === 0 ? new Set() : commonFeatures([this.#features, ...units]);
  }

  /**
   * Units of the database that have said nothing at all yet, no features and no statuses: they may be of version 0 and
   * not have been asked anything, or not have come to introduce themselves.
   */
  silentUnits(relation: Relation): readonly string[] {
    return relation.units
      .filter((unit) => {
        const said = relation.data(unit);
        return said.get(FEATURES_KEY) === undefined && said.get('jobs') === undefined;
      })
      .map(({ name }) => name);
  }

  /** What is asked in this relation now. Leader only, as Juju lets nobody else read it. */
  jobs(relation: Relation): readonly Job[] {
    return parseJobs(relation.data(this.#charm.app).get('jobs')).jobs;
  }

  /**
   * Replaces what is asked in this relation. Leader only. Writing what is already there does nothing.
   * @throws HintError `feature-not-agreed` when a job newly asks for what an old peer would misunderstand
   */
  setJobs(relation: Relation, jobs: readonly Job[]): void {
    const databag = relation.data(this.#charm.app);
    if (jobs.length > 0) {
      assertSendable(jobs, this.jobs(relation), () => this.agreed(relation));
    }
    // An empty list rather than no key: the interface demands the key once there is a databag.
    if (jobs.length > 0 || databag.get('jobs') !== undefined) {
      databag.set('jobs', encodeJobs(jobs));
    }
  }

  /**
   * Stops a job: in words where the database knows them, and its outcome is then still to come;
   * else by taking the request back, after which nothing more is heard of it. Leader only.
   */
  cancel(relation: Relation, jobId: string): 'asked' | 'withdrawn' {
    const isAgreed = this.agreed(relation).has('cancel');
    const jobs = this.jobs(relation);
    this.setJobs(
      relation,
      isAgreed
        ? jobs.map((job) => (job.jobId === jobId ? { ...job, isCancelled: true } : job))
        : jobs.filter((job) => job.jobId !== jobId),
    );
    return isAgreed ? 'asked' : 'withdrawn';
  }

  /** What all units of the database say. */
  statuses(relation: Relation): readonly UnitJobStatus[] {
    return this.#read(relation, ({ statuses }) => statuses);
  }

  /** What units of the database say that is no status. */
  issues(relation: Relation): readonly UnitJobIssue[] {
    return this.#read(relation, ({ issues }) => issues);
  }

  #read<T>(
    relation: Relation,
    pick: (parsed: ReturnType<typeof parseJobStatuses>) => readonly T[],
  ): readonly (T & { readonly unit: string })[] {
    return relation.units.flatMap((unit) =>
      pick(parseJobStatuses(relation.data(unit).get('jobs'))).map((one) => ({
        ...one,
        unit: unit.name,
      })),
    );
  }

  #observeRelation(): void {
    const { created, changed, departed, broken } = this.#charm.on.relation(this.#endpoint);
    const { framework } = this;
    const { leaderElected, upgradeCharm } = this.#charm.on;
    for (const source of [leaderElected, upgradeCharm]) {
      framework.observe(source, () => {
        for (const { relation } of this.databases()) {
          this.#announce(relation);
        }
      });
    }
    framework.observe(created, async ({ relation }) => {
      this.#announce(relation);
      await this.databaseRelated.emit({ relation });
    });
    framework.observe(changed, async ({ relation, unit }) => {
      await this.statusChanged.emit({
        relation,
        ...(unit === undefined ? {} : { unit: unit.name }),
      });
    });
    framework.observe(departed, async ({ relation, unit, departingUnit }) => {
      // When it is this unit that leaves, the databases stay where they are.
      if (unit !== undefined && departingUnit?.name !== this.#charm.unit.name) {
        await this.unitGone.emit({ relation, unit: unit.name });
      }
    });
    framework.observe(broken, async ({ relation }) => {
      await this.databaseGone.emit({ relation });
    });
  }

  #announce(relation: Relation): void {
    if (this.#features.size > 0 && this.#charm.unit.isLeader()) {
      relation.data(this.#charm.app).set(FEATURES_KEY, encodeFeatures(this.#features));
    }
  }
}
