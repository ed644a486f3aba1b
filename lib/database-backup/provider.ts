/** The provider end: a database charm reads what is asked of it and tells how it stands. */
import {
  type CharmBase,
  CharmObject,
  type CharmTypes,
  type EndpointOf,
  EventSource,
  type Relation,
} from '#ops';
import {
  commonFeatures,
  encodeFeatures,
  FEATURES_KEY,
  type Feature,
  misunderstoodBy,
  parseFeatures,
} from './features.ts';
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

export interface BackupProviderOptions {
  /** What this charm does beyond version 0. */
  readonly features?: readonly Feature[];
}

/**
 * Reads requests and publishes statuses; decides nothing. Announces its features by itself. Every call reads the databags anew, so a
 * charm that reconciles from `requests()` at any event misses nothing.
 */
export class BackupProvider<Types extends CharmTypes = CharmTypes> extends CharmObject {
  /** Emitted when a relation to a requirer appears, changes or breaks. */
  readonly jobsChanged: EventSource<JobsChangedEvent>;
  readonly #charm: CharmBase;
  readonly #endpoint: string;
  readonly #features: ReadonlySet<Feature>;

  /** @param endpoint name of an endpoint that provides the `database_backup` interface */
  constructor(
    charm: CharmBase<Types>,
    endpoint: EndpointOf<Types, { role: 'provides'; interface: 'database_backup' }>,
    options: BackupProviderOptions = {},
  ) {
    super(charm, `backup-provider-${endpoint}`);
    this.#charm = charm;
    this.#endpoint = endpoint;
    this.#features = new Set(options.features);
    this.jobsChanged = new EventSource<JobsChangedEvent>(this, 'jobs-changed');
    const events = charm.on.relation(endpoint);
    this.framework.observe(events.created, ({ relation }) => this.#announce(relation));
    this.framework.observe(charm.on.upgradeCharm, () => {
      for (const relation of charm.model.relations(endpoint)) {
        this.#announce(relation);
      }
    });
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
      ...this.#understood(parseJobs(relation.data(relation.app).get('jobs'))),
    }));
  }

  /** What this charm and the requirer both have announced. */
  agreed(relation: Relation): ReadonlySet<Feature> {
    const theirs = parseFeatures(relation.data(relation.app).get(FEATURES_KEY));
    return commonFeatures([this.#features, theirs]);
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

  /** A job this charm would do wrong is an issue instead, and answered as one. */
  #understood<P extends { readonly jobs: readonly Job[]; readonly issues: readonly JobIssue[] }>(
    parsed: P,
  ): P {
    const { true: bad = [], false: good = [] } = Object.groupBy(parsed.jobs, (job) =>
      misunderstoodBy(this.#features, job).length > 0 ? 'true' : 'false',
    );
    return bad.length === 0
      ? parsed
      : {
          ...parsed,
          jobs: good,
          issues: [...parsed.issues, ...bad.map((job) => this.#issue(job))],
        };
  }

  #issue(job: Job): JobIssue {
    const [feature] = misunderstoodBy(this.#features, job);
    return {
      jobId: job.jobId,
      raw: { 'job-type': job.jobType, 'storage-config': job.storageConfig },
      message: `${job.jobId} needs ${feature}, which this charm does not know`,
    };
  }

  #announce(relation: Relation): void {
    if (this.#features.size > 0) {
      relation.data(this.#charm.unit).set(FEATURES_KEY, encodeFeatures(this.#features));
    }
  }
}
