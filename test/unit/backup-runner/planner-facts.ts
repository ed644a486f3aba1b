/** Facts about jobs for tests of the planner. */
import {
  type JobFacts,
  type Plan,
  type PlanInput,
  planJobs,
} from '../../../lib/backup-runner/plan-jobs.ts';

/** A job that waits, claimed in the order of the number in its id. */
export function aJob(jobId: string, change: Partial<JobFacts> = {}): JobFacts {
  return {
    jobId,
    jobType: 'backup',
    sequence: Number(jobId.replaceAll(/\D/g, '')) || 1,
    stage: 'waiting',
    waitingWorkers: [],
    workerLives: false,
    attempts: 0,
    recovery: { pending: false, workerLives: false, attempts: 0 },
    times: {},
    isPastStopping: false,
    ...change,
  };
}

export const running = { stage: 'started', workerLives: true } as const;

/** The plan where all jobs are wanted and in the ledger. */
export function plan(facts: JobFacts[], change: Partial<PlanInput> = {}): Plan {
  return planJobs({
    facts,
    wanted: facts,
    committed: new Set(facts.map(({ jobId }) => jobId)),
    undecided: new Set(),
    forgotten: new Set(),
    maxConcurrentBackups: 2,
    now: 1_000_000,
    ...change,
  });
}
