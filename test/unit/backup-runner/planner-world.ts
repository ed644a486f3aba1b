/** A unit in memory: the journal as facts, workers as tokens. Applies plans as the runner does, and keeps watch. */
import type { JobType } from '#database-backup';
import { type Action, type JobFacts, planJobs } from '../../../lib/backup-runner/plan-jobs.ts';

interface WorldWorker {
  readonly token: string;
  alive: boolean;
}

interface WorldJob {
  readonly jobId: string;
  readonly jobType: JobType;
  readonly sequence: number;
  readonly workers: WorldWorker[];
  confirmed: string | undefined;
  gate: 'open' | 'runner' | WorldWorker;
  failed: boolean;
  ended: boolean;
  pending: boolean;
  recoveries: { alive: boolean; at: number }[];
  /** How many processes ever began the work. */
  runs: number;
}

export class PlannerWorld {
  readonly jobs = new Map<string, WorldJob>();
  readonly wanted = new Map<string, JobType>();
  readonly ledger = new Set<string>();
  readonly max: number;
  now = 0;
  #tokens = 0;

  constructor(max: number) {
    this.max = max;
  }

  facts(): JobFacts[] {
    return [...this.jobs.values()].map((job) => {
      const last = job.recoveries.at(-1);
      return {
        jobId: job.jobId,
        jobType: job.jobType,
        sequence: job.sequence,
        stage: stageOf(job),
        waitingWorkers: job.workers.filter(({ alive }) => alive).map(({ token }) => token),
        ...(job.confirmed === undefined ? {} : { confirmedWorker: job.confirmed }),
        workerLives: typeof job.gate === 'object' && job.gate.alive,
        attempts: job.workers.length,
        recovery: {
          pending: job.ended && job.pending,
          workerLives: job.recoveries.some(({ alive }) => alive),
          attempts: job.recoveries.length,
          ...(last === undefined ? {} : { lastStartedAt: last.at }),
        },
        times: {},
        isPastStopping: false,
      };
    });
  }

  /** One hook. Claims reach the ledger only when it succeeds; processes start in either case. */
  reconcile({ succeeds }: { succeeds: boolean }): void {
    const { actions } = planJobs({
      facts: this.facts(),
      wanted: [...this.wanted].map(([jobId, jobType]) => ({ jobId, jobType })),
      committed: this.ledger,
      undecided: new Set(),
      forgotten: new Set(),
      maxConcurrentBackups: this.max,
      now: this.now,
    });
    for (const action of actions) {
      this.#apply(action);
    }
    this.now += 1000;
    if (succeeds) {
      for (const job of this.jobs.values()) {
        if (!job.ended) {
          this.ledger.add(job.jobId);
        }
      }
    }
  }

  /** The worker looks for its confirmation and goes through the gate if it may. */
  advance(index: number): void {
    const job = this.#pick(index);
    const worker = job?.workers.findLast(({ alive }) => alive);
    if (job?.gate === 'open' && worker !== undefined && job.confirmed === worker.token) {
      job.gate = worker;
      job.runs += 1;
    }
  }

  finish(index: number, how: 'success' | 'failed'): void {
    const job = this.#pick(index);
    if (job === undefined || typeof job.gate !== 'object' || !job.gate.alive || job.ended) {
      return;
    }
    if (how === 'failed' && job.jobType === 'restore') {
      job.failed = true;
    } else {
      job.ended = true;
    }
    job.gate.alive = false;
  }

  recover(index: number, isCured: boolean): void {
    const job = this.#pick(index);
    const recovery = job?.recoveries.find(({ alive }) => alive);
    if (job === undefined || recovery === undefined) {
      return;
    }
    recovery.alive = false;
    job.pending = !isCured;
    job.ended = true;
  }

  kill(index: number): void {
    const job = this.#pick(index);
    for (const process of [...(job?.workers ?? []), ...(job?.recoveries ?? [])]) {
      process.alive = false;
    }
  }

  reboot(): void {
    for (const index of [...this.jobs.keys()].keys()) {
      this.kill(index);
    }
  }

  /** Jobs somebody works on at this moment, recoveries included. */
  running(): WorldJob[] {
    return [...this.jobs.values()].filter(
      (job) =>
        (!job.ended && typeof job.gate === 'object' && job.gate.alive) ||
        job.recoveries.some(({ alive }) => alive),
    );
  }

  #pick(index: number): WorldJob | undefined {
    const jobs = [...this.jobs.values()];
    return jobs[index % Math.max(1, jobs.length)];
  }

  #apply(action: Action): void {
    if (action.kind === 'claim' || action.kind === 'refuse') {
      this.#claim(action.jobId, action.sequence, action.kind === 'refuse');
      return;
    }
    const job = this.jobs.get(action.jobId);
    if (job === undefined) {
      throw new Error(`an action for an unknown job: ${JSON.stringify(action)}`);
    }
    this.#applyTo(job, action);
  }

  #claim(jobId: string, sequence: number, isRefused: boolean): void {
    this.jobs.set(jobId, {
      jobId,
      jobType: this.wanted.get(jobId) ?? 'backup',
      sequence,
      workers: [],
      confirmed: undefined,
      gate: isRefused ? 'runner' : 'open',
      failed: false,
      ended: isRefused,
      pending: false,
      recoveries: [],
      runs: 0,
    });
  }

  #applyTo(job: WorldJob, action: Exclude<Action, { kind: 'claim' | 'refuse' }>): void {
    // What is about time, job-model.test.ts looks after.
    if (action.kind === 'discard' || action.kind === 'suspect') {
      return;
    }
    this.#applyMore(job, action);
  }

  #applyMore(
    job: WorldJob,
    action: Exclude<Action, { kind: 'claim' | 'refuse' | 'discard' | 'suspect' }>,
  ): void {
    switch (action.kind) {
      case 'end':
        job.gate = 'runner';
        job.ended = true;
        return;
      case 'settle':
        job.ended = true;
        return;
      case 'bury':
        job.ended = true;
        job.pending = job.jobType === 'restore';
        return;
      case 'stop':
      case 'kill':
        stopWorker(job);
        return;
      case 'confirm':
        job.confirmed = action.token;
        return;
      case 'recover':
        job.recoveries.push({ alive: true, at: this.now });
        return;
      case 'start':
        this.#start(job, action.confirmed);
    }
  }

  #start(job: WorldJob, isConfirmed: boolean): void {
    this.#mustNotOvertake(job);
    this.#tokens += 1;
    const token = `token-${this.#tokens}`;
    job.workers.push({ token, alive: true });
    if (isConfirmed) {
      job.confirmed = token;
    }
  }

  #mustNotOvertake(job: WorldJob): void {
    const overtaken = [...this.jobs.values()].filter(
      (other) =>
        other.sequence < job.sequence &&
        !other.ended &&
        other.gate === 'open' &&
        other.workers.every(({ alive }) => !alive) &&
        (other.jobType === 'restore' || job.jobType === 'restore'),
    );
    if (overtaken.length > 0) {
      throw new Error(`${job.jobId} overtook ${overtaken.map(({ jobId }) => jobId).join(', ')}`);
    }
  }
}

function stageOf(job: WorldJob): JobFacts['stage'] {
  if (job.ended) {
    return 'finished';
  }
  if (job.failed) {
    return 'failed';
  }
  if (job.gate === 'open') {
    return 'waiting';
  }
  return job.gate === 'runner' ? 'closed' : 'started';
}

/** A stopped worker ends its job as cancelled. */
function stopWorker(job: WorldJob): void {
  if (typeof job.gate === 'object' && job.gate.alive) {
    job.gate.alive = false;
    job.ended = true;
  }
}
