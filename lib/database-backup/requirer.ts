/** The requirer end: a manager asks related databases for jobs and reads how they stand. */
import {
  type CharmBase,
  CharmObject,
  type CharmTypes,
  type EndpointOf,
  EventSource,
  type Relation,
} from '#ops';
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

/**
 * Writes requests and reads statuses; keeps no history. Requests are written by the leader, and
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

  /** @param endpoint name of an endpoint that requires the `database_backup` interface */
  constructor(
    charm: CharmBase<Types>,
    endpoint: EndpointOf<Types, { role: 'requires'; interface: 'database_backup' }>,
  ) {
    super(charm, `backup-requirer-${endpoint}`);
    this.#charm = charm;
    this.#endpoint = endpoint;
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

  /** What is asked in this relation now. Leader only, as Juju lets nobody else read it. */
  jobs(relation: Relation): readonly Job[] {
    return parseJobs(relation.data(this.#charm.app).get('jobs')).jobs;
  }

  /** Replaces what is asked in this relation. Leader only. Writing what is already there does nothing. */
  setJobs(relation: Relation, jobs: readonly Job[]): void {
    const databag = relation.data(this.#charm.app);
    // An empty list rather than no key: the interface demands the key once there is a databag.
    if (jobs.length > 0 || databag.get('jobs') !== undefined) {
      databag.set('jobs', encodeJobs(jobs));
    }
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
    framework.observe(created, async ({ relation }) => {
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
}
