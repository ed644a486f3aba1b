/** A database and a runner in memory, and a stage that runs the charm with them, event by event. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { JobRecord, JobSpec, RunnerReport } from '#backup-runner';
import { encodeJobs, type Job, type JobStatus, parseJobStatuses } from '#database-backup';
import type { Framework } from '#ops';
import { Context, peerRelation, relation, type State, state, type TestEvent } from '#ops/testing';
import { HintError } from '#system';
import { DatabaseCharm } from '../../../charms/database/src/charm.ts';
import type { Database, DatabaseState, Roles } from '../../../charms/database/src/database.ts';
import type { Runner } from '../../../charms/database/src/job-desk.ts';
import { type LedgerEntry, parseLedger } from '../../../charms/database/src/ledger.ts';
import type { Ports } from '../../../charms/database/src/ports.ts';

const CHARM_ROOT = join(fileURLToPath(new URL('../../..', import.meta.url)), 'charms', 'database');
export const NOW = new Date('2026-11-21T10:00:00Z');
export const PEERS_ID = 100;

/** A server that does what it is told. */
class FakeDatabase implements Database {
  kind: DatabaseState['kind'] = 'serving';
  roles: Roles | undefined;
  listenAddress: string | undefined;
  startFailure: HintError | undefined;
  readonly calls: string[] = [];

  async isInstalled(): Promise<boolean> {
    return this.kind !== 'absent';
  }

  async state(): Promise<DatabaseState> {
    return this.kind === 'absent'
      ? { kind: 'absent' }
      : { kind: this.kind, major: '15', port: 5433 };
  }

  async provision(roles: Roles, listenAddress: string | undefined): Promise<void> {
    this.calls.push('provision');
    this.kind = 'serving';
    this.roles = roles;
    this.listenAddress = listenAddress;
  }

  async start(): Promise<void> {
    this.calls.push('start');
    if (this.startFailure !== undefined) {
      throw this.startFailure;
    }
    this.kind = 'serving';
  }

  async applyRoles(roles: Roles): Promise<void> {
    this.calls.push('applyRoles');
    this.roles = roles;
  }

  async version(): Promise<string> {
    return '15.20';
  }

  async recover(): Promise<'rolled-back'> {
    this.calls.push('recover');
    this.kind = 'serving';
    return 'rolled-back';
  }

  async engineConfig(roles: Roles) {
    return {
      engine: 'postgresql' as const,
      version: '15',
      cluster: 'db_0',
      dataDirectory: '/data',
      port: 5433,
      socketDirectory: '/run',
      osUser: 'postgres',
      backupRole: roles.backup,
    };
  }

  kept: string[] = [];
  keptFailure: HintError | undefined;
  /** How long data are to be kept, by each call. */
  readonly pruned: number[] = [];

  async keptCopies(): Promise<readonly string[]> {
    return this.kept;
  }

  async dropExpiredCopies(_now: Date, keepHours: number): Promise<void> {
    this.pruned.push(keepHours);
    if (this.keptFailure !== undefined) {
      throw this.keptFailure;
    }
  }

  async stop(): Promise<void> {
    this.calls.push('stop');
    this.kind = 'down';
  }

  async drop(): Promise<void> {
    this.calls.push('drop');
    this.kind = 'absent';
  }
}

/** Keeps the runner's promises: claims once, runs only what is committed, cancels the unwanted. */
class FakeRunner implements Runner {
  readonly records = new Map<string, JobRecord>();
  readonly specs = new Map<string, JobSpec>();
  readonly forgotten: string[] = [];
  readonly cancelled: string[] = [];
  /** Ids that were let run, in order. */
  readonly started: string[] = [];
  /** As last handed in. */
  committed: ReadonlySet<string> = new Set();
  /** What workers do while a reconcile is at work. */
  meanwhile: () => void = () => undefined;

  async reconcile(input: {
    readonly wanted: readonly JobSpec[];
    readonly committedClaims: ReadonlySet<string>;
    readonly undecided?: ReadonlySet<string>;
  }): Promise<RunnerReport> {
    this.committed = input.committedClaims;
    for (const spec of input.wanted) {
      this.specs.set(spec.jobId, spec);
      this.#claim(spec, input.committedClaims);
    }
    const wanted = new Set([...input.wanted.map((spec) => spec.jobId), ...(input.undecided ?? [])]);
    for (const record of this.records.values()) {
      if (!wanted.has(record.jobId) && isOpen(record)) {
        this.cancelled.push(record.jobId);
        this.end(record.jobId, { state: 'error', errorCode: 'cancelled', message: 'cancelled' });
      }
    }
    this.meanwhile();
    const jobs = [...this.records.values()];
    return { jobs, claimed: jobs.filter(isOpen).map((record) => record.jobId) };
  }

  async forget(jobIds: Iterable<string>): Promise<void> {
    for (const jobId of jobIds) {
      this.forgotten.push(jobId);
      this.records.delete(jobId);
    }
  }

  async jobs(): Promise<readonly JobRecord[]> {
    return [...this.records.values()];
  }

  /** What a worker would note. */
  end(jobId: string, fields: Partial<JobRecord>): void {
    const record = this.records.get(jobId);
    if (record === undefined) {
      throw new Error(`no job ${jobId}`);
    }
    this.records.set(jobId, { ...record, ...fields });
  }

  #claim(spec: JobSpec, committed: ReadonlySet<string>): void {
    const known = this.records.get(spec.jobId);
    if (known === undefined) {
      const { jobId, jobType, compression, artefactPath } = spec;
      this.records.set(jobId, {
        jobId,
        jobType,
        compression,
        state: 'claimed',
        phase: 'starting',
        claimedAt: NOW.toISOString(),
        ...(artefactPath === undefined ? {} : { artefactPath }),
      });
    } else if (known.state === 'claimed' && committed.has(spec.jobId)) {
      this.started.push(spec.jobId);
      this.records.set(spec.jobId, { ...known, state: 'running', phase: 'running' });
    }
  }
}

function isOpen({ state: jobState }: JobRecord): boolean {
  return jobState !== 'success' && jobState !== 'error';
}

/** A valid job. */
export function aJob(fields: Partial<Job> = {}): Job {
  return {
    jobId: 'job-1',
    jobType: 'backup',
    compression: true,
    storageConfig: { bucket: 'b', 'access-key': 'AK', 'secret-key': 'SK-PLANTED', path: '/base/' },
    ...fields,
  };
}

/** A relation to a manager that asks for these jobs, or says this text. */
export function asking(id: number, jobs: readonly Job[] | string, remoteApp = `manager-${id}`) {
  const text = typeof jobs === 'string' ? jobs : encodeJobs(jobs);
  return relation({
    endpoint: 'database-backup',
    id,
    remoteApp,
    remoteAppData: jobs.length === 0 ? {} : { jobs: text },
  });
}

/** One unit of the charm on a machine in memory; state goes from event to event. */
export class Stage {
  readonly database = new FakeDatabase();
  readonly runner = new FakeRunner();
  readonly context: Context<DatabaseCharm>;
  now: State;
  lastEngineConfig: unknown;

  constructor(options: { readonly unitId?: number; readonly leader?: boolean } = {}) {
    const { leader = true, unitId = 0 } = options;
    const ports: Ports = {
      stateRoot: '/state',
      clock: { now: () => NOW, sleep: async () => undefined },
      createDatabase: () => this.database,
      createRunner: ({ engineConfig }) => {
        this.lastEngineConfig = engineConfig;
        return this.runner;
      },
    };
    class StagedCharm extends DatabaseCharm {
      constructor(framework: Framework) {
        super(framework, ports);
      }
    }
    this.context = new Context(StagedCharm, { charmRoot: CHARM_ROOT, appName: 'db', unitId });
    this.now = state({
      leader,
      relations: [peerRelation({ endpoint: 'database-peers', id: PEERS_ID })],
    });
  }

  /** Runs an event in the current state and keeps what comes out. */
  async run(event: (on: Context<DatabaseCharm>['on'], now: State) => TestEvent): Promise<State> {
    this.now = await this.context.run(event(this.context.on, this.now), this.now);
    return this.now;
  }

  /** A manager asks for these jobs: the relation changes. */
  async ask(id: number, jobs: readonly Job[] | string): Promise<State> {
    const known = this.now.relations.find((one) => one.id === id);
    const next = asking(id, jobs);
    this.now = this.now.withRelation(
      known === undefined ? next : { ...next, localUnitData: known.localUnitData },
    );
    return await this.run((on, now) => on.relationChanged(now.getRelation(id)));
  }

  /** What a worker causes when it has something to tell. */
  async progress(): Promise<State> {
    return await this.run((on) => on.custom('backup-progress'));
  }

  /** What this unit tells a manager. */
  statuses(id: number): readonly JobStatus[] {
    return parseJobStatuses(this.now.getRelation(id).localUnitData['jobs']).statuses;
  }

  /** The ledger as committed. */
  ledger(): Readonly<Record<string, LedgerEntry>> {
    const text = this.now.getRelation(PEERS_ID).localAppData['ledger'];
    return Object.fromEntries(parseLedger(text) ?? []);
  }

  get status(): string {
    return this.now.unitStatus.toString();
  }
}
