/** The state of the manager as its databags, configuration and bucket tell it; what actions and events work on. */
import {
  type BackupRequirer,
  type Job,
  newJobId,
  type RelatedDatabase,
  type StorageConfig,
} from '#database-backup';
import type { CharmBase, Relation } from '#ops';
import { type Clock, HintError, systemClock } from '#system';
import type { BackupManagerTypes } from './charm-types.ts';
import { withDeadline } from './deadline.ts';
import {
  encodeHistory,
  encodeLastBackups,
  type HistoryEntry,
  isFinished,
  type LastBackups,
  parseHistory,
  parseLastBackups,
} from './history.ts';
import type { LiveStatuses } from './presentation.ts';
import {
  bestStatus,
  newEntry,
  planReconcile,
  type ReconcileInput,
  type ReconcilePlan,
} from './reconcile.ts';
import { createS3Storage } from './s3-storage.ts';
import type { StoragePort } from './storage.ts';
import { StorageHealth } from './storage-health.ts';
import { readStorageSettings, type StorageSettings } from './storage-settings.ts';

/** What is outside: replaced in tests. */
export interface ManagerPorts {
  readonly storage: StoragePort;
  readonly clock: Clock;
  readonly newJobId: () => string;
}

/** The ports of a deployed charm. */
export function realPorts(): ManagerPorts {
  return { storage: createS3Storage(), clock: systemClock, newJobId };
}

// An action is waited for by a person; the listing of a large bucket may take some seconds.
const ACTION_DEADLINE_MS = 30_000;

/** Name of the peer endpoint. */
const PEERS = 'history';

export class Manager {
  readonly ports: ManagerPorts;
  readonly health: StorageHealth;
  readonly #charm: CharmBase<BackupManagerTypes>;
  readonly #requirer: BackupRequirer;
  #settings: StorageSettings | undefined;

  constructor(charm: CharmBase<BackupManagerTypes>, requirer: BackupRequirer, ports: ManagerPorts) {
    this.#charm = charm;
    this.#requirer = requirer;
    this.ports = ports;
    this.health = new StorageHealth({
      ports,
      settings: () => this.settings(),
      databag: () => this.#peers()?.data(charm.unit),
      log: charm.log,
    });
  }

  get application(): string {
    return this.#charm.app.name;
  }

  get unitName(): string {
    return this.#charm.unit.name;
  }

  get model(): { readonly name: string; readonly uuid: string } {
    return this.#charm.model;
  }

  get isLeader(): boolean {
    return this.#charm.unit.isLeader();
  }

  /** Whether Juju has told this unit about its peers, where everything is kept. */
  get isReady(): boolean {
    return this.#peers() !== undefined;
  }

  /** The leader as far as known here; undefined when the name kept is outdated. */
  get leaderName(): string | undefined {
    const name = this.#peers()?.data(this.#charm.app).get('leader');
    return name === this.unitName && !this.isLeader ? undefined : name;
  }

  /** Option `compression`. */
  get compression(): boolean {
    return this.#charm.config.get('compression');
  }

  databases(): readonly RelatedDatabase[] {
    return this.#requirer.databases();
  }

  history(): readonly HistoryEntry[] {
    return parseHistory(this.#peers()?.data(this.#charm.app).get('history'));
  }

  lastBackups(): LastBackups {
    return parseLastBackups(this.#peers()?.data(this.#charm.app).get('last-backups'));
  }

  /** What the databases say about unfinished jobs now. */
  live(): LiveStatuses {
    const busy = busyRelations(this.history());
    const statuses = this.databases()
      .filter(({ relation }) => busy.has(relation.id))
      .flatMap(({ relation }) => this.#requirer.statuses(relation));
    const byJob = Map.groupBy(statuses, (status) => status.jobId);
    return new Map(
      [...byJob].flatMap(([jobId, all]) => {
        const best = bestStatus(all);
        return best === undefined ? [] : [[jobId, best] as const];
      }),
    );
  }

  /** The S3 settings, read once a dispatch. */
  settings(): StorageSettings {
    this.#settings ??= readStorageSettings({
      application: this.application,
      option: (name) => this.#charm.config.get(name),
      // Refreshed, so that changed credentials are used from the next job on.
      readSecret: () =>
        this.#charm.config.secret('credentials')?.getContent({ refresh: true }) ?? {},
    });
    return this.#settings;
  }

  /** @throws HintError when the settings are incomplete or wrong */
  storageConfig(): StorageConfig {
    const { config, fault } = this.settings();
    if (config === undefined) {
      throw new HintError(fault.message, { code: fault.code, hint: fault.hint });
    }
    return config;
  }

  /** Asks the bucket something. @throws HintError when it does not answer soon */
  async askStorage<T>(
    ask: (storage: StoragePort, config: StorageConfig, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const config = this.storageConfig();
    const { clock, storage } = this.ports;
    return await withDeadline(
      { clock, ms: ACTION_DEADLINE_MS, subject: config.endpoint ?? 'S3' },
      async (signal) => await ask(storage, config, signal),
    );
  }

  /** Asks databases for jobs and records that. Leader only. */
  request(requests: readonly { readonly target: RelatedDatabase; readonly job: Job }[]): void {
    const now = this.ports.clock.now();
    for (const { target, job } of requests) {
      this.#requirer.setJobs(target.relation, [...this.#requirer.jobs(target.relation), job]);
    }
    const entries = requests.map(({ target, job }) =>
      newEntry(job, { relationId: target.relation.id, database: target.name, now }),
    );
    this.writeHistory([...this.history(), ...entries]);
  }

  /** Replaces the history. Leader only. */
  writeHistory(history: readonly HistoryEntry[]): void {
    this.#peers()?.data(this.#charm.app).set('history', encodeHistory(history));
  }

  /** Takes in what the databases say, withdraws finished requests. Leader only. */
  reconcile(options: Pick<ReconcileInput, 'departedUnit' | 'isSettled'>): ReconcilePlan {
    const history = this.history();
    const databases = this.databases();
    // Each databag read is a call to Juju: with many databases, only those at work are asked.
    const busy = busyRelations(history);
    const read = databases.filter(({ relation }) => options.isSettled || busy.has(relation.id));
    const plan = planReconcile({
      history,
      lastBackups: this.lastBackups(),
      ...options,
      now: this.ports.clock.now(),
      living: new Set(databases.map(({ relation }) => relation.id)),
      relations: read.map(({ name, relation }) => ({
        relationId: relation.id,
        database: name,
        requested: this.#requirer.jobs(relation),
        statuses: this.#requirer.statuses(relation),
        units: relation.units.map((unit) => unit.name),
      })),
    });
    for (const { relation } of read) {
      this.#requirer.setJobs(relation, plan.requests.get(relation.id) ?? []);
    }
    this.#peers()
      ?.data(this.#charm.app)
      .update({
        leader: this.unitName,
        history: encodeHistory(plan.history),
        'last-backups': encodeLastBackups(plan.lastBackups),
      });
    return plan;
  }

  /** What units of this database say that cannot be understood, in words. */
  misunderstandings(relation: Relation): readonly string[] {
    return this.#requirer.issues(relation).map((issue) => `${issue.unit}: ${issue.message}`);
  }

  #peers(): Relation | undefined {
    return this.#charm.model.getRelation(PEERS);
  }
}

function busyRelations(history: readonly HistoryEntry[]): ReadonlySet<number> {
  return new Set(history.filter((entry) => !isFinished(entry)).map((entry) => entry.relationId));
}
