/**
 * Decides what one reconcile does, from the facts of the journal alone. Pure: no file, no process, no time
 * but the one given. The locks are derived here from live workers, so none can be left behind.
 */
import type { JobDeadline, JobType } from '#database-backup';
import { isStartMissed, type JobTimes, overdue, type StopReason } from './deadlines.ts';
import { type Candidate, grantLocks } from './job-locks.ts';

/**
 * - `waiting`: claimed, and no worker has been let through its gate.
 * - `closed`: the gate was shut for good with a verdict that has yet to be written down as result.
 * - `started`: one worker went through the gate.
 * - `failed`: that worker gave up in the middle of a restore; the database needs recovery.
 * - `finished`: there is a result.
 */
export type JobStage = 'waiting' | 'closed' | 'started' | 'failed' | 'finished';

/** What the journal says about one job. */
export interface JobFacts {
  readonly jobId: string;
  readonly jobType: JobType;
  /** A restore of some files beside the live data: it runs beside backups, as one of them. */
  readonly isOfItems?: boolean;
  /** Order of arrival on this unit. */
  readonly sequence: number;
  readonly stage: JobStage;
  /** `waiting`: tokens of live workers, of which normally there is one at most. */
  readonly waitingWorkers: readonly string[];
  /** `waiting`: when the first of these was started, in ms since the epoch. */
  readonly waitingSince?: number;
  /** `waiting`: the one worker that may go through the gate. */
  readonly confirmedWorker?: string;
  /** `started`, `failed`: whether the worker that went through the gate lives. */
  readonly workerLives: boolean;
  /** Workers started for it so far. */
  readonly attempts: number;
  readonly recovery: RecoveryFacts;
  readonly times: JobTimes;
  /** `started`: whether live data are being exchanged, so that going on is the shortest way to a database. */
  readonly isPastStopping: boolean;
  /** `started`: when its worker was asked to stop, in ms since the epoch, and why. */
  readonly stop?: { readonly at: number; readonly reason: StopReason };
  /** `started`: when its worker last gave a sign of life, in ms since the epoch. */
  readonly heartbeatAt?: number;
  /** `started`: since when it is suspected to hang; it has given no sign since. */
  readonly suspectedAt?: number;
}

export interface RecoveryFacts {
  /** Whether a finished restore left a database that must be looked after. */
  readonly pending: boolean;
  readonly workerLives: boolean;
  /** Recovery workers started so far. */
  readonly attempts: number;
  /** When a recovery was last started, in ms since the epoch. */
  readonly lastStartedAt?: number;
}

/** A job in the request that this unit has to run. */
interface WantedJob {
  readonly jobId: string;
  readonly jobType: JobType;
  /** Asked for still, so that its end is told; but it is to end. */
  readonly isCancelled?: boolean;
  readonly deadline?: JobDeadline;
  /** Why it must not be run, where it is new. */
  readonly refusal?: object;
  readonly items?: readonly string[];
}

export interface PlanInput {
  readonly facts: readonly JobFacts[];
  readonly wanted: readonly WantedJob[];
  /** Job ids in the ledger, as committed before this hook. */
  readonly committed: ReadonlySet<string>;
  /** Neither wanted nor withdrawn: what runs goes on, nothing is begun. */
  readonly undecided: ReadonlySet<string>;
  /** Wanted ids whose record was once here and has been forgotten. */
  readonly forgotten: ReadonlySet<string>;
  readonly maxConcurrentBackups: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Why the runner itself ends a job. */
export type Verdict =
  | 'withdrawn'
  | 'cancelled'
  | 'start-deadline'
  /** As the request says itself. */
  | 'refused'
  | 'not-confirmed'
  | 'unknown-claim'
  | 'already-run';

export type Action =
  | { readonly kind: 'claim'; readonly jobId: string; readonly sequence: number }
  /** Claims a job only to end it at once. */
  | {
      readonly kind: 'refuse';
      readonly jobId: string;
      readonly sequence: number;
      readonly verdict: Verdict;
    }
  /** Shuts the gate of a job nobody started and writes its result. */
  | { readonly kind: 'end'; readonly jobId: string; readonly verdict: Verdict }
  /** Writes the result of a shut gate, after a crash between the two. */
  | { readonly kind: 'settle'; readonly jobId: string }
  /** Writes the result of a dead worker's backup, or of a restore whose recovery workers die as well. */
  | { readonly kind: 'bury'; readonly jobId: string }
  /** Asks a running worker to stop (SIGTERM). */
  | { readonly kind: 'stop'; readonly jobId: string; readonly reason: StopReason }
  /** Ends a worker that was asked to stop and does not (SIGKILL). */
  | { readonly kind: 'kill'; readonly jobId: string; readonly reason: StopReason | 'silent' }
  /** Notes that a worker gives no sign of life. */
  | { readonly kind: 'suspect'; readonly jobId: string }
  /** Ends workers that hang before they began (SIGKILL); another is started then. */
  | { readonly kind: 'discard'; readonly jobId: string }
  | { readonly kind: 'recover'; readonly jobId: string }
  | { readonly kind: 'confirm'; readonly jobId: string; readonly token: string }
  | { readonly kind: 'start'; readonly jobId: string; readonly confirmed: boolean };

export interface Plan {
  readonly actions: readonly Action[];
  /** Queued jobs, and the jobs each waits for. */
  readonly waitsFor: ReadonlyMap<string, readonly string[]>;
}

/** So many workers may give up or die before anything began, then the job ends. */
export const MAX_ATTEMPTS = 5;

/** A recovery that failed fires an event, which must not start the next one at once. */
export const RECOVERY_INTERVAL_MS = 30_000;

/** How long a worker that was asked to stop may take; it needs 6 s itself at most, see worker-timings.ts. */
export const KILL_AFTER_MS = 9_000;

/** A worker gives a sign of life every few seconds, whatever it does. */
export const SILENCE_MS = 600_000;

/** A machine that slept makes all workers look silent for a moment. */
export const SUSPICION_MS = 60_000;

/** A worker leaves by itself within three minutes, not counting what it waits for its turn on the machine. */
export const START_PATIENCE_MS = 300_000;

/** Deadlines of running jobs are the workers' own to keep; hooks act when a worker hangs. */
export const OVERDUE_SLACK_MS = 30_000;

interface Situation extends Omit<PlanInput, 'wanted'> {
  /** The first of each id counts. */
  readonly wanted: ReadonlyMap<string, WantedJob>;
}

/** @returns the actions in the order to apply them; applying them twice does no harm */
export function planJobs(request: PlanInput): Plan {
  const wanted = new Map(request.wanted.toReversed().map((job) => [job.jobId, job]));
  const input: Situation = { ...request, wanted };
  const arrivals = planArrivals(input, request.wanted);
  const jobs = [...input.facts, ...arrivals.claimed].toSorted(bySequence);
  const ends = jobs.flatMap((job) => planEnd(job, input));
  const ended = new Set(ends.filter(endsJob).map((action) => action.jobId));
  const open = jobs.filter((job) => !ended.has(job.jobId));
  const grants = grantLocks(
    open.flatMap((job) => asCandidate(job, input)),
    input.maxConcurrentBackups,
  );
  return {
    actions: [
      ...arrivals.actions,
      ...ends,
      ...planRecovery(open, input, grants.idle),
      ...grants.confirmed.map(({ jobId, token }): Action => ({ kind: 'confirm', jobId, token })),
      ...grants.started.map(
        (jobId): Action => ({ kind: 'start', jobId, confirmed: input.committed.has(jobId) }),
      ),
    ],
    waitsFor: grants.waitsFor,
  };
}

function bySequence(left: JobFacts, right: JobFacts): number {
  return left.sequence - right.sequence;
}

function planArrivals(
  input: Situation,
  asked: PlanInput['wanted'],
): { actions: Action[]; claimed: JobFacts[] } {
  const known = new Set(input.facts.map((job) => job.jobId));
  let sequence = input.facts.reduce((highest, job) => Math.max(highest, job.sequence), 0);
  const actions: Action[] = [];
  const claimed: JobFacts[] = [];
  for (const { jobId, jobType, items } of asked) {
    if (known.has(jobId)) {
      continue;
    }
    known.add(jobId);
    sequence += 1;
    const verdict = refusal(jobId, input);
    if (verdict === undefined) {
      actions.push({ kind: 'claim', jobId, sequence });
      claimed.push({
        ...newFacts(jobId, jobType, sequence),
        ...(items === undefined ? {} : { isOfItems: true }),
      });
    } else {
      actions.push({ kind: 'refuse', jobId, sequence, verdict });
    }
  }
  return { actions, claimed };
}

// Whoever claimed it may have run it: the unit this one replaced, or this one before it forgot.
function refusal(jobId: string, input: Situation): Verdict | undefined {
  if (input.forgotten.has(jobId)) {
    return 'already-run';
  }
  if (input.committed.has(jobId)) {
    return 'unknown-claim';
  }
  const { isCancelled, refusal: reason } = input.wanted.get(jobId) ?? {};
  if (isCancelled === true) {
    return 'cancelled';
  }
  return reason === undefined ? undefined : 'refused';
}

function newFacts(jobId: string, jobType: JobType, sequence: number): JobFacts {
  return {
    jobId,
    jobType,
    sequence,
    stage: 'waiting',
    waitingWorkers: [],
    workerLives: false,
    attempts: 0,
    recovery: { pending: false, workerLives: false, attempts: 0 },
    times: {},
    isPastStopping: false,
  };
}

function planEnd(job: JobFacts, input: Situation): Action[] {
  const { jobId } = job;
  switch (job.stage) {
    case 'waiting':
      return planEndOfWaiting(job, input);
    case 'closed':
      return [{ kind: 'settle', jobId }];
    case 'started':
      if (job.workerLives) {
        return planStop(job, input);
      }
      return isBeyondHelp(job) ? [{ kind: 'bury', jobId }] : [];
    case 'failed':
      return isBeyondHelp(job) ? [{ kind: 'bury', jobId }] : [];
    case 'finished':
      return [];
  }
}

function isBeyondHelp(job: JobFacts): boolean {
  const { attempts, workerLives } = job.recovery;
  return job.jobType === 'backup' || (attempts >= MAX_ATTEMPTS && !workerLives);
}

function planEndOfWaiting(job: JobFacts, input: Situation): Action[] {
  const { jobId } = job;
  const verdict = stopRequest(job, input) ?? verdictOnWaiting(job, input);
  if (verdict !== undefined) {
    return [{ kind: 'end', jobId, verdict }];
  }
  const hangs = input.now - (job.waitingSince ?? input.now) > START_PATIENCE_MS;
  return hangs ? [{ kind: 'discard', jobId }] : [];
}

function verdictOnWaiting(job: JobFacts, input: Situation): Verdict | undefined {
  if (isStartMissed(job.times, input.wanted.get(job.jobId)?.deadline, input.now)) {
    return 'start-deadline';
  }
  // A worker that waits already has all it needs.
  if (job.waitingWorkers.length === 0 && input.wanted.get(job.jobId)?.refusal !== undefined) {
    return 'refused';
  }
  const isInVain = job.waitingWorkers.length === 0 && job.attempts >= MAX_ATTEMPTS;
  return isInVain ? 'not-confirmed' : undefined;
}

function planStop(job: JobFacts, input: Situation): Action[] {
  const { jobId, stop } = job;
  const silence = planSilence(job, input.now);
  if (silence.length > 0) {
    return silence;
  }
  const reason = stop?.reason ?? stopRequest(job, input) ?? overdueByFar(job, input);
  if (reason === undefined || job.isPastStopping) {
    return [];
  }
  const isDeaf = stop !== undefined && input.now - stop.at >= KILL_AFTER_MS;
  return [{ kind: isDeaf ? 'kill' : 'stop', jobId, reason }];
}

/** The process hangs, not its work: killing it is the way to a database that serves, also in an exchange. */
function planSilence({ jobId, heartbeatAt, suspectedAt, times }: JobFacts, now: number): Action[] {
  const isSilent = now - (heartbeatAt ?? times.startedAt ?? now) > SILENCE_MS;
  if (!isSilent) {
    return [];
  }
  if (suspectedAt === undefined) {
    return [{ kind: 'suspect', jobId }];
  }
  return now - suspectedAt < SUSPICION_MS ? [] : [{ kind: 'kill', jobId, reason: 'silent' }];
}

function overdueByFar({ jobId, times }: JobFacts, input: Situation): StopReason | undefined {
  return overdue(times, input.wanted.get(jobId)?.deadline, input.now - OVERDUE_SLACK_MS);
}

function stopRequest(job: JobFacts, input: Situation): 'withdrawn' | 'cancelled' | undefined {
  if (input.undecided.has(job.jobId)) {
    return undefined;
  }
  const wanted = input.wanted.get(job.jobId);
  // A request that came back with the same id and another type is not the job that was claimed.
  if (wanted?.jobType !== job.jobType) {
    return 'withdrawn';
  }
  return wanted.isCancelled === true ? 'cancelled' : undefined;
}

function isWanted(job: JobFacts, input: Situation): boolean {
  return input.wanted.get(job.jobId)?.jobType === job.jobType;
}

function endsJob(action: Action): boolean {
  return action.kind === 'end' || action.kind === 'settle' || action.kind === 'bury';
}

function needsRecovery(job: JobFacts): boolean {
  return (
    job.jobType === 'restore' &&
    (job.stage === 'failed' || (job.stage === 'started' && !job.workerLives))
  );
}

function asCandidate(job: JobFacts, input: Situation): Candidate[] {
  const { jobId } = job;
  if (job.recovery.workerLives || needsRecovery(job)) {
    return [{ jobId, jobType: 'restore', standing: 'holds' }];
  }
  const jobType = lockOf(job);
  if (job.stage === 'started') {
    return [{ jobId, jobType, standing: 'holds' }];
  }
  if (job.stage !== 'waiting') {
    return [];
  }
  const candidate = waitingCandidate(job, input);
  return candidate.standing === 'holds' || isWanted(job, input) ? [candidate] : [];
}

/** What it is, as far as others have to make way for it. */
function lockOf({ jobType, isOfItems }: JobFacts): JobType {
  return isOfItems === true ? 'backup' : jobType;
}

function waitingCandidate(job: JobFacts, input: Situation): Candidate {
  const { jobId, confirmedWorker } = job;
  const jobType = lockOf(job);
  if (confirmedWorker !== undefined && job.waitingWorkers.includes(confirmedWorker)) {
    return { jobId, jobType, standing: 'holds' };
  }
  const token = job.waitingWorkers[0];
  if (token === undefined) {
    return { jobId, jobType, standing: 'waits' };
  }
  return { jobId, jobType, standing: 'starts', token, committed: input.committed.has(jobId) };
}

function planRecovery(open: readonly JobFacts[], input: Situation, idle: boolean): Action[] {
  // One that was tried in vain is tried again while nothing else runs: it may end an outage.
  const job = open.find(needsRecovery) ?? (idle ? open.findLast(isPending) : undefined);
  if (job === undefined || job.recovery.workerLives) {
    return [];
  }
  const { lastStartedAt } = job.recovery;
  const due = lastStartedAt === undefined || lastStartedAt + RECOVERY_INTERVAL_MS <= input.now;
  return due ? [{ kind: 'recover', jobId: job.jobId }] : [];
}

function isPending(job: JobFacts): boolean {
  return job.stage === 'finished' && job.recovery.pending;
}
