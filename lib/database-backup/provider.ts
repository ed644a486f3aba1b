/** The provider end: a database charm reads what is asked of it and tells how it stands. */
import {
  type CharmBase,
  CharmObject,
  type CharmTypes,
  type EndpointOf,
  EventSource,
  type Relation,
} from '#ops';
import type { Job, JobIssue, JobStatus } from './job.ts';
import { parseJobs } from './job-codec.ts';
import { encodeJobStatuses } from './status-codec.ts';

/** What one requirer asks for at the moment. */
export interface RelationRequests {
  readonly relation: Relation;
  readonly jobs: readonly Job[];
  /** Items that are no jobs; answer those with a job-id by publishing `rejectionOf(issue)`. */
  readonly issues: readonly JobIssue[];
  /** False where the list cannot be read: jobs asked for earlier are then neither wanted nor withdrawn. */
  readonly isReadable: boolean;
}

/** The requests of some relation may have changed, or the relation is gone. */
export interface JobsChangedEvent {
  readonly relation: Relation;
}

/**
 * Reads requests and publishes statuses; decides nothing. Every call reads the databags anew, so a
 * charm that reconciles from `requests()` at any event misses nothing.
 */
export class BackupProvider<Types extends CharmTypes = CharmTypes> extends CharmObject {
  /** Emitted when a relation to a requirer appears, changes or breaks. */
  readonly jobsChanged: EventSource<JobsChangedEvent>;
  readonly #charm: CharmBase;
  readonly #endpoint: string;

  /** @param endpoint name of an endpoint that provides the `database_backup` interface */
  constructor(
    charm: CharmBase<Types>,
    endpoint: EndpointOf<Types, { role: 'provides'; interface: 'database_backup' }>,
  ) {
    super(charm, `backup-provider-${endpoint}`);
    this.#charm = charm;
    this.#endpoint = endpoint;
    this.jobsChanged = new EventSource<JobsChangedEvent>(this, 'jobs-changed');
    const events = charm.on.relation(endpoint);
    for (const source of [events.created, events.changed, events.broken]) {
      this.framework.observe(source, async (event) => {
        await this.jobsChanged.emit({ relation: event.relation });
      });
    }
  }

  /** What all living relations ask for, in the order of their ids. */
  requests(): readonly RelationRequests[] {
    return this.#charm.model.relations(this.#endpoint).map((relation) => ({
      relation,
      ...parseJobs(relation.data(relation.app).get('jobs')),
    }));
  }

  /**
   * Replaces what this unit says in the relation; without statuses it says nothing any more.
   * Credentials are left out. Writing what is already there does nothing.
   */
  publish(relation: Relation, statuses: readonly JobStatus[]): void {
    const databag = relation.data(this.#charm.unit);
    if (statuses.length > 0) {
      databag.set('jobs', encodeJobStatuses(statuses));
    } else if (databag.get('jobs') !== undefined) {
      databag.delete('jobs');
    }
  }
}
