/** The state of the manager as its databags, configuration and bucket tell it; what actions and events work on. */
import {
  type BackupRequirer,
  type Feature,
  type Job,
  newJobId,
  type RelatedDatabase,
  type StorageConfig,
} from '#database-backup';
import type { CharmBase, Relation } from '#ops';
import { type Clock, HintError, systemClock } from '#system';
import type { BackupManagerTypes } from './charm-types.ts';
import { withDeadline } from './deadline.ts';
import { EncryptionDesk } from './encryption-desk.ts';
import { Acquaintances, heldJob, type Release, releaseHeld } from './held-requests.ts';
import { busyRelations, DEFAULT_LIMIT, type HistoryEntry, MAX_LIMIT } from './history.ts';
import { jobOptions, optionFault, type RawOptions, rateOf } from './options.ts';
import { PeerStore } from './peer-store.ts';
import type { LiveStatuses } from './presentation.ts';
import {
  bestStatus,
  newEntry,
  planReconcile,
  type ReconcileInput,
  type ReconcilePlan,
} from './reconcile.ts';
import { s3Request } from './s3-relation.ts';
import { createS3Storage } from './s3-storage.ts';
import { SharedCredentials } from './shared-credentials.ts';
import type { StoragePort } from './storage.ts';
import { StorageHealth } from './storage-health.ts';
import { withProfile } from './storage-profile.ts';
import {
  readStorageSettings,
  type StorageFault,
  type StorageSettings,
} from './storage-settings.ts';
import { LocalUpkeep, type UpkeepHome } from './upkeep/local-upkeep.ts';
import type { UpkeepAccess, UpkeepPort, UpkeepRecord, UpkeepTask } from './upkeep/upkeep.ts';
import { UpkeepDesk } from './upkeep-desk.ts';

/** What is outside: replaced in tests. */
export interface ManagerPorts {
  readonly storage: StoragePort;
  readonly clock: Clock;
  readonly newJobId: () => string;
  readonly createUpkeep: (home: UpkeepHome) => UpkeepPort;
}

/** The ports of a deployed charm. */
export function realPorts(): ManagerPorts {
  return {
    storage: createS3Storage(),
    clock: systemClock,
    newJobId,
    createUpkeep: (home) => new LocalUpkeep(home),
  };
}

// An action is waited for by a person; the listing of a large bucket may take some seconds.
const ACTION_DEADLINE_MS = 30_000;

/** Name of the endpoint an s3-integrator relates to. */
const S3_ENDPOINT = 's3-credentials';
/** Fired by the processes of upkeep when they end. */
export const UPKEEP_EVENT = 'upkeep-changed';

export class Manager {
  readonly ports: ManagerPorts;
  readonly health: StorageHealth;
  readonly peers: PeerStore;
  readonly upkeep: UpkeepDesk;
  readonly credentials: SharedCredentials;
  readonly encryption: EncryptionDesk;
  readonly acquaintances: Acquaintances;
  readonly #charm: CharmBase<BackupManagerTypes>;
  readonly #requirer: BackupRequirer;
  #settings: StorageSettings | undefined;

  constructor(charm: CharmBase<BackupManagerTypes>, requirer: BackupRequirer, ports: ManagerPorts) {
    this.#charm = charm;
    this.#requirer = requirer;
    this.ports = ports;
    this.peers = new PeerStore(charm, () => this.#historyLimit());
    this.credentials = new SharedCredentials({
      charm,
      requirer,
      databag: () => this.peers.ofApp(),
    });
    this.encryption = new EncryptionDesk({
      charm,
      requirer,
      databag: () => this.peers.ofApp(),
    });
    this.acquaintances = new Acquaintances(requirer, () => this.peers.ofApp());
    this.health = new StorageHealth({
      ports,
      settings: () => this.settings(),
      given: () => this.givenSettings(),
      databag: () => this.peers.ofUnit(),
      adopt: (profile) => {
        this.peers.writeProfile(profile);
        this.#settings = undefined;
      },
      log: charm.log,
    });
    this.upkeep = new UpkeepDesk({
      port: ports.createUpkeep({
        unitName: charm.unit.name,
        modelUuid: charm.model.uuid,
        charmDir: charm.charmDir,
        eventName: UPKEEP_EVENT,
      }),
      peers: this.peers,
      clock: ports.clock,
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
    return this.peers.isReady;
  }

  /** The leader as far as known here; undefined when the name kept is outdated. */
  get leaderName(): string | undefined {
    const name = this.peers.leaderName;
    return name === this.unitName && !this.isLeader ? undefined : name;
  }

  /** How new backups are to be made. */
  jobOptions(jobType: Job['jobType']): Pick<Job, 'compression' | 'compressionLevel' | 'recheck'> {
    const compression = this.#charm.config.get('compression');
    return { compression, ...(jobType === 'backup' ? jobOptions(this.#options()) : {}) };
  }

  /** Option `network-limit` in bytes per second; undefined for none, or where it cannot be read. */
  async networkLimit(): Promise<number | undefined> {
    return (await this.optionFault()) === undefined
      ? await rateOf(this.#charm.config.get('network-limit'))
      : undefined;
  }

  /** Option `retention`; undefined when unset. */
  get retention(): string | undefined {
    return this.#charm.config.get('retention').trim() || undefined;
  }

  /** What is wrong with the options that are not about S3. Backups go on without them, but for those of encryption. */
  async optionFault(): Promise<StorageFault | undefined> {
    return this.encryption.fault() ?? (await optionFault(this.#options(), this.application));
  }

  databases(): readonly RelatedDatabase[] {
    return this.#requirer.databases();
  }

  /** What all units of a database understand beyond version 0 of the interface. */
  features(database: RelatedDatabase): ReadonlySet<Feature> {
    return this.#requirer.agreed(database.relation);
  }

  /** Whether it is known what a database understands; requests to it are held until then. */
  isKnown({ relation }: RelatedDatabase): boolean {
    return this.acquaintances.isKnown(relation);
  }

  history(): readonly HistoryEntry[] {
    return this.peers.history();
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

  /** The S3 settings, read once a dispatch, in the way that was found to work. */
  settings(): StorageSettings {
    this.#settings ??= this.#readSettings();
    return this.#settings;
  }

  /** The S3 settings as the administrator gave them. */
  givenSettings(): StorageSettings {
    const integrator = this.#charm.model.relations(S3_ENDPOINT)[0];
    return readStorageSettings({
      application: this.application,
      option: (name) => this.#charm.config.get(name),
      // Refreshed, so that changed credentials are used from the next job on.
      readSecret: (uri) =>
        integrator === undefined
          ? (this.#charm.config.secret('credentials')?.getContent({ refresh: true }) ?? {})
          : this.#charm.model.getSecret({ id: uri }).getContent({ refresh: true }),
      ...(integrator === undefined
        ? {}
        : {
            integrator: {
              name: integrator.app.name,
              databag: integrator.data(integrator.app).entries(),
            },
          }),
    });
  }

  /** Asks a related s3-integrator for its settings. Leader only. */
  requestStorage(): void {
    for (const relation of this.#charm.model.relations(S3_ENDPOINT)) {
      relation.data(this.#charm.app).update(s3Request(this.application, this.model.uuid));
    }
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

  /** Asks databases for jobs, or holds that where they have not introduced themselves, and records it. Leader only. */
  request(requests: readonly { readonly target: RelatedDatabase; readonly job: Job }[]): void {
    const now = this.ports.clock.now();
    const { true: known = [], false: unknown = [] } = Object.groupBy(requests, ({ target }) =>
      this.isKnown(target) ? 'true' : 'false',
    );
    const asked = known.map(({ target, job }) => ({ target, job: this.#completed(target, job) }));
    for (const { target, job } of asked) {
      const { relation } = target;
      this.#requirer.setJobs(relation, [...this.#requirer.jobs(relation), job]);
    }
    const entries = requests.map(({ target, job }) => ({
      ...newEntry(job, { relationId: target.relation.id, database: target.name, now }),
      ...(unknown.some((one) => one.job === job) ? { held: heldJob(job) } : {}),
    }));
    this.writeHistory([...this.history(), ...entries]);
  }

  /** With the keys and the passphrase as they may be written into the relation. */
  #completed(target: RelatedDatabase, job: Job): Job {
    const encryption = this.#encryptionOf(target, job);
    const storageConfig = this.credentials.configFor(target.relation, job.storageConfig);
    return { ...job, ...encryption, storageConfig };
  }

  #release(databases: readonly RelatedDatabase[]): Release {
    const { config } = this.settings();
    const { kind } = this.encryption.settings();
    return releaseHeld(this.history(), {
      databases,
      now: this.ports.clock.now(),
      isKnown: (relation) => this.acquaintances.isKnown(relation),
      obstacle: ({ relation }, { jobType }) =>
        jobType === 'backup' && kind === 'on' ? this.encryption.obstacle(relation) : undefined,
      complete:
        config === undefined || kind === 'faulty'
          ? undefined
          : (target, job) => this.#completed(target, { ...job, storageConfig: config }),
    });
  }

  /** A backup never goes without; a restore of a plain one may. */
  #encryptionOf(target: RelatedDatabase, { jobType }: Job): Pick<Job, 'encryption'> {
    const isUseful =
      this.encryption.settings().kind === 'on' &&
      this.encryption.obstacle(target.relation) === undefined;
    const encryption =
      jobType === 'backup' || isUseful ? this.encryption.referenceFor(target.relation) : undefined;
    return encryption === undefined ? {} : { encryption };
  }

  /** Begins it in the background. @throws HintError `busy`, `cannot-start`, or why there is no storage or key */
  async beginUpkeep(task: UpkeepTask): Promise<UpkeepRecord> {
    return await this.upkeep.start(task, this.upkeepAccess());
  }

  /** What upkeep works with. @throws HintError as `beginUpkeep` */
  upkeepAccess(): UpkeepAccess {
    return { config: this.storageConfig(), passphrases: this.encryption.passphrases() };
  }

  /** Stops a job, in words or by taking the request back. Leader only. */
  cancel(entry: HistoryEntry): 'asked' | 'withdrawn' {
    const database = this.databases().find(({ relation }) => relation.id === entry.relationId);
    return database === undefined
      ? 'withdrawn'
      : this.#requirer.cancel(database.relation, entry.jobId);
  }

  /** Replaces the history. Leader only. */
  writeHistory(history: readonly HistoryEntry[]): void {
    this.peers.write({ history });
  }

  /** Takes in what the databases say, withdraws finished requests. Leader only. */
  reconcile(options: Pick<ReconcileInput, 'departedUnit' | 'isSettled'>): ReconcilePlan {
    const databases = this.databases();
    // Each databag read is a call to Juju: with many databases, only those at work are asked.
    const busy = busyRelations(this.history());
    const read = databases.filter(({ relation }) => options.isSettled || busy.has(relation.id));
    const { history, jobs: released, refused } = this.#release(read);
    const { outcomes, ...plan } = planReconcile({
      history,
      lastBackups: this.peers.lastBackups(),
      ...options,
      now: this.ports.clock.now(),
      living: new Set(databases.map(({ relation }) => relation.id)),
      relations: read.map(({ name, relation }) => ({
        relationId: relation.id,
        database: name,
        requested: [...this.#requirer.jobs(relation), ...(released.get(relation.id) ?? [])],
        statuses: this.#requirer.statuses(relation),
        units: relation.units.map((unit) => unit.name),
      })),
    });
    const settings = this.settings();
    for (const { relation } of read) {
      const jobs = plan.requests.get(relation.id) ?? [];
      this.#requirer.setJobs(relation, this.credentials.current(jobs, settings.config));
    }
    const isBusy = busyRelations(plan.history).size > 0;
    const looked = read.map(({ relation }) => relation);
    this.credentials.reconcile({ settings, looked, isBusy });
    this.encryption.reconcile(looked, isBusy);
    const { lastBackups } = plan;
    this.peers.write({ leader: this.unitName, history: plan.history, lastBackups });
    return { ...plan, outcomes: [...refused, ...outcomes] };
  }

  /** What units of this database say that cannot be understood, in words. */
  misunderstandings(relation: Relation): readonly string[] {
    return this.#requirer.issues(relation).map((issue) => `${issue.unit}: ${issue.message}`);
  }

  #readSettings(): StorageSettings {
    const given = this.givenSettings();
    return given.config === undefined
      ? given
      : { config: withProfile(given.config, this.peers.profile()) };
  }

  #historyLimit(): number {
    const limit = this.#charm.config.get('history-limit');
    return limit < 1 || limit > MAX_LIMIT ? DEFAULT_LIMIT : limit;
  }

  #options(): RawOptions {
    const { config } = this.#charm;
    return {
      'history-limit': config.get('history-limit'),
      'compression-level': config.get('compression-level'),
      recheck: config.get('recheck'),
      'network-limit': config.get('network-limit'),
      retention: config.get('retention'),
    };
  }
}
