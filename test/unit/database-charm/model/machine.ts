/** The machine of one unit in memory: its journal (as the real code reads it), and its worker processes. */
import type { JobRecord, JobSpec, RunnerReport } from '#backup-runner';
import type { StopReason } from '../../../../lib/backup-runner/deadlines.ts';
import { arrivalOf, factsOf, recordOf } from '../../../../lib/backup-runner/job-facts.ts';
import type {
  Claim,
  Confirmation,
  Failure,
  Gate,
  ProgressNote,
  Recovered,
  Registration,
  Result,
  Suspicion,
} from '../../../../lib/backup-runner/job-files.ts';
import type { JournalEntry } from '../../../../lib/backup-runner/journal.ts';
import { type Action, KILL_AFTER_MS, planJobs } from '../../../../lib/backup-runner/plan-jobs.ts';
import {
  failedRecovery,
  lostBackup,
  stoppedJob,
  verdictFailure,
} from '../../../../lib/backup-runner/verdicts.ts';

/** What lies in the directory of a job; undefined stands for a file that is not there. */
export interface JobDirectory {
  readonly claim: Claim;
  workers: Registration[];
  recoveries: Registration[];
  confirmation?: Confirmation;
  gate?: Gate;
  failure?: Failure;
  progress?: ProgressNote;
  suspicion?: Suspicion;
  stop?: { readonly at: string; readonly reason: StopReason };
  result?: Result;
  recovered?: Recovered;
}

/** A worker or a recovery; alive as long as the machine lists it. */
export interface Process {
  readonly pid: number;
  readonly kind: 'worker' | 'recovery';
  readonly jobId: string;
  readonly token: string;
  /** As it was started with, but for renewed credentials. */
  spec: JobSpec | undefined;
  isAskedToStop: boolean;
  /** Hears no signal but the last one. */
  isHanging: boolean;
  patience: number;
  hasManifest: boolean;
}

/** Somebody pulled the plug on a hook. */
export class HookKilledError extends Error {}

type ReconcileInput = {
  readonly wanted: readonly JobSpec[];
  readonly committedClaims: ReadonlySet<string>;
  readonly undecided?: ReadonlySet<string>;
};

export class Machine {
  readonly jobs = new Map<string, JobDirectory>();
  readonly forgotten = new Set<string>();
  readonly processes = new Map<number, Process>();
  /** Job id → how often a process went through its gate. */
  readonly runs = new Map<string, number>();
  readonly max = 2;
  /** How many more actions the present hook gets done. */
  budget = Number.POSITIVE_INFINITY;
  /** Checks what must hold at a start. */
  onStart: (jobId: string) => void = () => undefined;
  readonly #now: () => number;
  #serial = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  get nowText(): string {
    return new Date(this.#now()).toISOString();
  }

  async reconcile(input: ReconcileInput): Promise<RunnerReport> {
    const { actions } = planJobs({
      facts: this.#entries().map((entry) => factsOf(entry, this.#isAlive)),
      wanted: input.wanted,
      committed: input.committedClaims,
      undecided: input.undecided ?? new Set(),
      forgotten: new Set(
        input.wanted.map(({ jobId }) => jobId).filter((jobId) => this.forgotten.has(jobId)),
      ),
      maxConcurrentBackups: this.max,
      now: this.#now(),
    });
    const wanted = new Map(input.wanted.toReversed().map((spec) => [spec.jobId, spec]));
    for (const action of actions) {
      this.budget -= 1;
      if (this.budget < 0) {
        throw new HookKilledError('killed in the middle');
      }
      this.#apply(action, wanted);
    }
    this.#renewCredentials(wanted);
    const jobs = await this.records();
    const open = jobs.filter(({ state }) => state !== 'success' && state !== 'error');
    return { jobs, claimed: open.map(({ jobId }) => jobId) };
  }

  async forget(jobIds: Iterable<string>): Promise<void> {
    for (const jobId of jobIds) {
      const found = this.jobs.get(jobId);
      if (found?.result !== undefined && !this.#isWorkedOn(jobId, 'recovery')) {
        this.forgotten.add(jobId);
        this.jobs.delete(jobId);
      }
    }
  }

  async records(): Promise<readonly JobRecord[]> {
    const entries = this.#entries();
    const facts = entries.map((entry) => factsOf(entry, this.#isAlive));
    return entries.flatMap((entry, index) => {
      const state = facts[index];
      return state === undefined ? [] : [recordOf(entry, state, undefined)];
    });
  }

  die(process: Process): void {
    this.processes.delete(process.pid);
  }

  reboot(): void {
    this.processes.clear();
  }

  /** The journal is gone, with everything that worked for it. */
  loseDisk(): void {
    this.reboot();
    this.jobs.clear();
    this.forgotten.clear();
  }

  /** What the shell does that watches a worker which was asked to stop. */
  reap(): readonly Process[] {
    const deaf = [...this.processes.values()].filter(({ jobId, kind }) => {
      const { stop, progress } = this.jobs.get(jobId) ?? {};
      const isPast = progress?.phase === 'swapping' || progress?.phase === 'cleaning-up';
      return (
        kind === 'worker' &&
        stop !== undefined &&
        !isPast &&
        this.#now() >= Date.parse(stop.at) + KILL_AFTER_MS
      );
    });
    for (const process of deaf) {
      this.die(process);
    }
    return deaf;
  }

  /** As JobFiles.createResult: the first one counts. */
  finish(jobId: string, outcome: Result['outcome'], isPending = false): void {
    const job = this.jobs.get(jobId);
    if (job !== undefined) {
      job.result ??= {
        claim: job.claim,
        outcome,
        finishedAt: this.nowText,
        ...(isPending ? { recoveryPending: true } : {}),
      };
    }
  }

  /** As passGate: of all processes that try, one succeeds. */
  pass(process: Process): boolean {
    const job = this.jobs.get(process.jobId);
    if (job === undefined || job.gate !== undefined) {
      return false;
    }
    const { pid, token } = process;
    const identity = { pid, startTicks: '1', bootId: 'b' };
    job.gate = { by: 'worker', token, identity, startedAt: this.nowText };
    this.runs.set(process.jobId, (this.runs.get(process.jobId) ?? 0) + 1);
    return true;
  }

  /** Jobs that some process works on at this moment. */
  active(): readonly JobDirectory[] {
    return [...this.jobs.values()].filter(
      ({ claim, gate, result }) =>
        this.#isWorkedOn(claim.jobId, 'recovery') ||
        (result === undefined && gate?.by === 'worker' && this.processes.has(gate.identity.pid)),
    );
  }

  arrival(jobId: string): number {
    const claim = this.jobs.get(jobId)?.claim;
    return claim === undefined ? 0 : arrivalOf(claim);
  }

  readonly #isAlive = ({ pid }: { readonly pid: number }): boolean => this.processes.has(pid);

  #isWorkedOn(jobId: string, kind: Process['kind']): boolean {
    return [...this.processes.values()].some((one) => one.jobId === jobId && one.kind === kind);
  }

  #entries(): JournalEntry[] {
    return [...this.jobs.values()]
      .toSorted((left, right) => left.claim.sequence - right.claim.sequence)
      .map((job) => job as unknown as JournalEntry);
  }

  #apply(action: Action, wanted: ReadonlyMap<string, JobSpec>): void {
    if (action.kind === 'claim' || action.kind === 'refuse') {
      const spec = wanted.get(action.jobId);
      if (spec !== undefined) {
        this.#claim(spec, action.sequence);
      }
    }
    const job = this.jobs.get(action.jobId);
    if (job === undefined) {
      throw new Error(`an action for an unknown job: ${JSON.stringify(action)}`);
    }
    this.#applyTo(job, action, wanted.get(action.jobId));
  }

  #claim({ jobId, jobType, compression, requestedAt }: JobSpec, sequence: number): void {
    const claim = { jobId, jobType, compression, claimedAt: this.nowText, sequence };
    this.jobs.set(jobId, {
      claim: { ...claim, ...(requestedAt === undefined ? {} : { requestedAt }) },
      workers: [],
      recoveries: [],
    });
  }

  #applyTo(job: JobDirectory, action: Action, spec: JobSpec | undefined): void {
    if (action.kind === 'start') {
      this.#start(job, spec, action.confirmed);
    } else if (action.kind === 'recover') {
      this.#recover(job);
    } else if (action.kind === 'refuse' || action.kind === 'end') {
      const failure = verdictFailure(action.verdict, job.claim.jobType, job.workers);
      job.gate ??= { by: 'runner', failure, at: this.nowText };
      this.#settle(job);
    } else {
      this.#note(job, action);
    }
  }

  #note(job: JobDirectory, action: Action): void {
    if (action.kind === 'settle') {
      this.#settle(job);
    } else if (action.kind === 'bury') {
      this.#bury(job);
    } else if (action.kind === 'confirm') {
      job.confirmation = { token: action.token };
    } else if (action.kind === 'suspect') {
      const startedAt = job.gate?.by === 'worker' ? job.gate.startedAt : '';
      const heartbeatAt = job.progress?.heartbeatAt ?? startedAt;
      job.suspicion = { at: this.nowText, heartbeatAt };
    } else {
      this.#signal(job, action);
    }
  }

  #signal(job: JobDirectory, action: Action): void {
    if (action.kind === 'stop') {
      job.stop ??= { at: this.nowText, reason: action.reason };
      for (const process of this.#behindGate(job)) {
        process.isAskedToStop = true;
      }
    } else if (action.kind === 'kill' || action.kind === 'discard') {
      const ofJob = [...this.processes.values()].filter(({ jobId }) => jobId === action.jobId);
      for (const process of action.kind === 'kill' ? this.#behindGate(job) : ofJob) {
        this.die(process);
      }
    }
  }

  #recover(job: JobDirectory): void {
    if (job.stop !== undefined) {
      job.failure ??= stoppedJob(job.stop.reason, 'restore');
    }
    job.recoveries.push(this.#spawn('recovery', job.claim.jobId, undefined));
  }

  #start(job: JobDirectory, spec: JobSpec | undefined, isConfirmed: boolean): void {
    this.onStart(job.claim.jobId);
    const registration = this.#spawn('worker', job.claim.jobId, spec);
    job.workers.push(registration);
    if (isConfirmed) {
      job.confirmation = { token: registration.token };
    }
  }

  #spawn(kind: Process['kind'], jobId: string, spec: JobSpec | undefined): Registration {
    this.#serial += 1;
    const [pid, token] = [this.#serial, `token-${this.#serial}`];
    this.processes.set(pid, {
      pid,
      kind,
      jobId,
      token,
      spec,
      isAskedToStop: false,
      isHanging: false,
      patience: 9,
      hasManifest: false,
    });
    return { token, startedAt: this.nowText, identity: { pid, startTicks: '1', bootId: 'b' } };
  }

  #settle(job: JobDirectory): void {
    if (job.gate?.by === 'runner') {
      this.finish(job.claim.jobId, { status: 'error', failure: job.gate.failure });
    }
  }

  #bury({ claim, stop, failure }: JobDirectory): void {
    const { jobId, jobType } = claim;
    if (jobType === 'backup') {
      const end = stop === undefined ? lostBackup() : stoppedJob(stop.reason, 'backup');
      this.finish(jobId, { status: 'error', failure: end });
    } else {
      this.finish(jobId, { status: 'error', failure: failedRecovery('died', failure) }, true);
    }
  }

  #behindGate({ gate }: JobDirectory): Process[] {
    const found = gate?.by === 'worker' ? this.processes.get(gate.identity.pid) : undefined;
    return found === undefined ? [] : [found];
  }

  #renewCredentials(wanted: ReadonlyMap<string, JobSpec>): void {
    for (const process of this.processes.values()) {
      const newest = wanted.get(process.jobId);
      if (process.kind === 'worker' && process.spec !== undefined && newest !== undefined) {
        process.spec = { ...process.spec, storageConfig: newest.storageConfig };
      }
    }
  }
}
