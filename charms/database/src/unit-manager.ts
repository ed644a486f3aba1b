/** Keeps one unit as it should be: its database serving, its jobs running, everybody informed. */
import type { RunnerReport } from '#backup-runner';
import type { BackupProvider } from '#database-backup';
import type { CharmBase, Relation } from '#ops';
import { describeError, HintError } from '#system';
import type { DatabaseTypes } from './charm-types.ts';
import { ensureRoles } from './credentials.ts';
import type { Database, DatabaseState, Roles } from './database.ts';
import { JobDesk, type Runner } from './job-desk.ts';
import type { RequestInput } from './plan-requests.ts';
import type { Ports } from './ports.ts';
import { parseSettings, type Settings } from './settings.ts';
import type { StatusInput } from './status.ts';
import { type UnitHome, unitHome } from './unit-home.ts';

/** What an administrator needs to connect. */
export interface Connection {
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly password: string;
  readonly database: string;
  /** The unit whose server is backed up and restored, where it is known. */
  readonly primary?: string;
}

export interface ReconcileOptions {
  readonly departedUnit?: string;
  /** Whether to look after what changes rarely as well: roles in the server. */
  readonly isThorough?: boolean;
}

export class UnitManager {
  readonly #charm: CharmBase<DatabaseTypes>;
  readonly #provider: BackupProvider;
  readonly #ports: Ports;
  readonly #eventName: string;
  readonly #home: UnitHome;
  readonly #database: Database;
  readonly #desk: JobDesk;
  #settings: Settings | undefined;
  #roles: Roles | undefined;
  #problem: string | undefined;
  /** As last seen in this dispatch. */
  #state: DatabaseState | undefined;

  constructor(
    charm: CharmBase<DatabaseTypes>,
    provider: BackupProvider,
    options: { readonly ports: Ports; readonly eventName: string },
  ) {
    const { unitName, modelUuid } = charm.juju;
    this.#charm = charm;
    this.#provider = provider;
    this.#ports = options.ports;
    this.#eventName = options.eventName;
    this.#home = unitHome({ unitName, modelUuid }, options.ports.stateRoot);
    this.#database = options.ports.createDatabase(this.#home);
    this.#desk = new JobDesk(charm, provider, options.ports.clock);
  }

  get settings(): Settings {
    this.#settings ??= parseSettings({
      engine: this.#charm.config.get('engine'),
      maxConcurrentBackups: this.#charm.config.get('max-concurrent-backups'),
      'job-start-deadline': this.#charm.config.get('job-start-deadline'),
      'job-run-deadline': this.#charm.config.get('job-run-deadline'),
      'job-stall-deadline': this.#charm.config.get('job-stall-deadline'),
      'restore-keep-hours': this.#charm.config.get('restore-keep-hours'),
      'network-limit': this.#charm.config.get('network-limit'),
      'disk-limit': this.#charm.config.get('disk-limit'),
      'backup-priority': this.#charm.config.get('backup-priority'),
    });
    return this.#settings;
  }

  /** Installs and starts the database; returns its version. Safe at any time. */
  async provision(): Promise<string> {
    await this.#database.provision(this.#readRoles(), this.#listenAddress());
    const state = await this.#look();
    return state.kind === 'serving' ? await this.#database.version() : majorOf(state);
  }

  /** Jobs first: whether the server may be started depends on what they do. */
  async reconcile(options: ReconcileOptions = {}): Promise<void> {
    const { departedUnit, isThorough = false } = options;
    const refusal = await this.#refusal();
    const runner = await this.#runner();
    await this.#dropExpiredData();
    const report = await this.#desk.reconcile({
      runner,
      departedUnit,
      deadlines: this.settings.deadlines,
      restoreKeepHours: this.settings.restoreKeepHours,
      keptData: async () => await this.#keptData(),
      ...(refusal === undefined ? {} : { refusal }),
    });
    try {
      await this.#ensureServing(report, isThorough);
    } catch (error) {
      if (!(error instanceof HintError)) {
        throw error;
      }
      // The jobs' statuses must get through all the same; the next event tries again.
      this.#problem = describeError(error);
      this.#charm.log.error(this.#problem);
    }
  }

  /** Reasons why items of a relation can be neither run nor answered. */
  unanswerable(relation: Relation): readonly string[] {
    const requests = this.#provider.requests().filter((one) => one.relation.id === relation.id);
    return requests
      .flatMap(({ issues }) => issues)
      .filter(({ jobId }) => jobId === undefined)
      .map(({ message }) => message);
  }

  /** How the unit is, for its status. */
  async view(): Promise<StatusInput> {
    const runner = await this.#runner();
    const ledgerIssue = 'the job ledger in the peer relation is damaged: no new job is accepted';
    return {
      issues: [...this.settings.issues, ...(this.#desk.isLedgerSound ? [] : [ledgerIssue])],
      state: this.#state ?? (await this.#look()),
      jobs: await runner.jobs(),
      problem: this.#problem,
      ...this.#role(),
      unreadable: this.#provider
        .requests()
        .map(({ relation }) => relation)
        .filter((relation) => this.unanswerable(relation).length > 0)
        .map((relation) => relation.app.name),
    };
  }

  #role(): Pick<StatusInput, 'role' | 'primary'> {
    const { primary, hasPeers } = this.#desk;
    if (primary === undefined || !hasPeers) {
      return {};
    }
    return { primary, role: primary === this.#charm.unit.name ? 'primary' : 'other' };
  }

  /** @throws HintError when there is no database to connect to */
  async connection(): Promise<Connection> {
    const state = await this.#look();
    if (state.kind === 'absent') {
      throw new HintError('cannot show a connection: the database is not installed yet', {
        code: 'database-absent',
        hint: 'wait until juju status shows the unit as active',
      });
    }
    const { admin } = this.#readRoles();
    return {
      host: this.#listenAddress() ?? '127.0.0.1',
      port: state.port,
      username: admin.name,
      password: admin.password,
      database: 'postgres',
      ...(this.#desk.primary === undefined ? {} : { primary: this.#desk.primary }),
    };
  }

  /** Cancels what runs and stops the server. */
  async stop(): Promise<void> {
    const runner = await this.#runner();
    await runner.reconcile({ wanted: [], committedClaims: new Set() });
    await this.#database.stop();
  }

  /** Removes everything of this unit from the machine. */
  async remove(): Promise<void> {
    await this.#database.drop();
  }

  async #refusal(): Promise<RequestInput['refusal']> {
    const { hasEngine, issues } = this.settings;
    if (hasEngine && (await this.#database.isInstalled())) {
      return undefined;
    }
    return {
      status: 'error',
      errorCode: 'database-not-configured',
      message: `the database is not set up: ${hasEngine ? 'it is not installed yet' : (issues[0] ?? '')}`,
      hint: 'see juju status of the database, then ask again under a new job-id',
    };
  }

  async #runner(): Promise<Runner> {
    const charm = this.#charm;
    const isInstalled = await this.#database.isInstalled();
    return this.#ports.createRunner({
      stateDirectory: this.#home.stateDirectory,
      unitName: charm.unit.name,
      charmDir: charm.charmDir,
      eventName: this.#eventName,
      engineConfig: isInstalled ? await this.#database.engineConfig(this.#readRoles()) : null,
      clock: this.#ports.clock,
      maxConcurrentBackups: this.settings.maxConcurrentBackups,
      rates: this.settings.rates,
      backupPriority: this.settings.backupPriority,
      log: charm.log,
    });
  }

  async #dropExpiredData(): Promise<void> {
    const { restoreKeepHours } = this.settings;
    await this.#lookAfterKept(
      async () => await this.#database.dropExpiredCopies(this.#ports.clock.now(), restoreKeepHours),
    );
  }

  /** The restores whose replaced data are still here. */
  async #keptData(): Promise<ReadonlySet<string>> {
    const names = await this.#lookAfterKept(async () => await this.#database.keptCopies());
    return new Set(names);
  }

  /** Nothing that is kept may stop what is asked. */
  async #lookAfterKept<T>(step: () => Promise<T>): Promise<T | undefined> {
    try {
      return await step();
    } catch (error) {
      this.#charm.log.warning(`cannot look after kept data: ${describeError(error)}`);
      return undefined;
    }
  }

  async #ensureServing(report: RunnerReport, isThorough: boolean): Promise<void> {
    const state = await this.#look();
    if (state.kind === 'interrupted' && !isBeingRecovered(report)) {
      const outcome = await this.#database.recover(this.#readRoles());
      this.#charm.log.warning(`found an interrupted restore, it is now ${outcome}`);
      await this.#look();
    } else if (state.kind === 'down') {
      this.#charm.log.warning(`PostgreSQL ${state.major} is down, starting it`);
      await this.#database.start();
      await this.#look();
    } else if (state.kind === 'serving' && isThorough) {
      await this.#database.applyRoles(this.#readRoles());
    }
  }

  async #look(): Promise<DatabaseState> {
    this.#state = await this.#database.state();
    return this.#state;
  }

  #readRoles(): Roles {
    this.#roles ??= ensureRoles(this.#charm.model);
    return this.#roles;
  }

  /** The address others reach this unit by; undefined where there is none but loopback. */
  #listenAddress(): string | undefined {
    const { bindAddress } = this.#charm.unit.networkGet('database-backup');
    const isLoopback = bindAddress === undefined || /^(127\.|::1$|localhost$)/.test(bindAddress);
    return isLoopback ? undefined : bindAddress;
  }
}

/** The runner brings back the database of a restore it knows; only one it does not know is left to us. */
function isBeingRecovered({ jobs }: RunnerReport): boolean {
  return jobs.some(
    ({ jobType, state, errorCode }) =>
      jobType === 'restore' &&
      (!['success', 'error'].includes(state) || errorCode === 'recovery-failed'),
  );
}

function majorOf(state: DatabaseState): string {
  return state.kind === 'absent' ? '' : state.major;
}
