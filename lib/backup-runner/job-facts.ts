/** Reads the journal's files as facts for the planner, and as records for people. Pure but for `isAlive`. */
import type { JobProgress, JobQueue } from '#database-backup';
import type { JobTimes } from './deadlines.ts';
import type { Claim, Outcome, ProgressNote, Registration } from './job-files.ts';
import { isPastStoppingIn, type JobPhase, type JobRecord } from './job-spec.ts';
import type { IsAlive, JournalEntry } from './journal.ts';
import type { JobFacts, JobStage, RecoveryFacts } from './plan-jobs.ts';

/** What the planner needs to know of one entry. */
export function factsOf(entry: JournalEntry, isAlive: IsAlive): JobFacts {
  const { jobId, jobType, sequence, items } = entry.claim;
  const alive = (it: Registration): boolean => it.identity !== undefined && isAlive(it.identity);
  const waiting = entry.workers.filter(alive);
  const [first] = waiting;
  return {
    jobId,
    jobType,
    sequence,
    ...(items === undefined ? {} : { isOfItems: true }),
    stage: stageOf(entry),
    waitingWorkers: waiting.map(({ token }) => token),
    ...(first === undefined ? {} : { waitingSince: Date.parse(first.startedAt) }),
    ...(entry.confirmation === undefined ? {} : { confirmedWorker: entry.confirmation.token }),
    workerLives: entry.gate?.by === 'worker' && isAlive(entry.gate.identity),
    attempts: entry.workers.length,
    recovery: recoveryOf(entry, entry.recoveries.some(alive)),
    times: timesOf(entry),
    isPastStopping: isPastStopping(entry),
    ...(entry.stop === undefined
      ? {}
      : { stop: { at: Date.parse(entry.stop.at), reason: entry.stop.reason } }),
    ...signsOfLife(entry),
  };
}

function signsOfLife({ progress, gate, suspicion }: JournalEntry) {
  const startedAt = gate?.by === 'worker' ? gate.startedAt : undefined;
  const heartbeatAt = progress?.heartbeatAt ?? startedAt;
  return {
    ...(heartbeatAt === undefined ? {} : { heartbeatAt: Date.parse(heartbeatAt) }),
    ...(suspicion === undefined || suspicion.heartbeatAt !== heartbeatAt
      ? {}
      : { suspectedAt: Date.parse(suspicion.at) }),
  };
}

function timesOf({ claim, gate, progress }: JournalEntry): JobTimes {
  const startedAt = gate?.by === 'worker' ? Date.parse(gate.startedAt) : undefined;
  const progressedAt = progress === undefined ? undefined : Date.parse(progress.progressedAt);
  return {
    arrivedAt: arrivalOf(claim),
    ...(startedAt === undefined ? {} : { startedAt }),
    ...(progressedAt === undefined ? {} : { progressedAt }),
  };
}

/** When the job was asked for; the claim where that is not told, or said to be in the future. */
export function arrivalOf({
  requestedAt,
  claimedAt,
}: Pick<Claim, 'requestedAt' | 'claimedAt'>): number {
  const claimed = Date.parse(claimedAt);
  const requested = requestedAt === undefined ? Number.NaN : Date.parse(requestedAt);
  return requested < claimed ? requested : claimed;
}

function isPastStopping({ progress }: JournalEntry): boolean {
  return progress !== undefined && isPastStoppingIn(progress.phase);
}

function recoveryOf(entry: JournalEntry, workerLives: boolean): RecoveryFacts {
  const last = entry.recoveries.at(-1);
  return {
    pending: entry.result?.recoveryPending === true && entry.recovered === undefined,
    workerLives,
    attempts: entry.recoveries.length,
    ...(last === undefined ? {} : { lastStartedAt: Date.parse(last.startedAt) }),
  };
}

function stageOf(entry: JournalEntry): JobStage {
  if (entry.result !== undefined) {
    return 'finished';
  }
  if (entry.failure !== undefined) {
    return 'failed';
  }
  if (entry.gate === undefined) {
    return 'waiting';
  }
  return entry.gate.by === 'worker' ? 'started' : 'closed';
}

/** @param queue its place in the queue, if it is queued */
export function recordOf(
  entry: JournalEntry,
  facts: JobFacts,
  queue: JobQueue | undefined,
): JobRecord {
  const { jobId, jobType, compression, artefactPath, requestedAt, claimedAt } = entry.claim;
  return {
    jobId,
    jobType,
    compression,
    // Where a backup is to lie is no artefact before it is complete.
    ...(artefactPath === undefined || jobType === 'backup' ? {} : { artefactPath }),
    ...(requestedAt === undefined ? {} : { requestedAt }),
    claimedAt,
    ...standing(entry, facts, queue),
  };
}

type Standing = Omit<JobRecord, 'jobId' | 'jobType' | 'compression' | 'claimedAt'>;

function standing(entry: JournalEntry, facts: JobFacts, queue: JobQueue | undefined): Standing {
  const { result, gate } = entry;
  if (result !== undefined) {
    return {
      ...(result.startedAt === undefined ? {} : { startedAt: result.startedAt }),
      finishedAt: result.finishedAt,
      ...ending(result.outcome, entry),
    };
  }
  if (gate?.by === 'runner') {
    return { finishedAt: gate.at, ...ending({ status: 'error', failure: gate.failure }, entry) };
  }
  if (gate?.by === 'worker') {
    return { state: 'running', startedAt: gate.startedAt, ...activity(entry, facts) };
  }
  return queue === undefined
    ? { state: 'claimed', phase: 'starting' }
    : {
        state: 'queued',
        phase: 'queued',
        queuePosition: queue.position,
        waitsFor: queue.waitsFor,
      };
}

function ending(outcome: Outcome, entry: JournalEntry): Standing & Pick<JobRecord, 'state'> {
  if (outcome.status === 'success') {
    const { status: state, ...facts } = outcome;
    return { state, ...facts };
  }
  const { code, message, hint } = outcome.failure;
  const later = entry.recovered === undefined ? '' : `; later: ${entry.recovered.outcome}`;
  return {
    state: 'error',
    errorCode: code,
    message: message + later,
    ...(hint === undefined ? {} : { hint }),
    ...(entry.result?.logTail === undefined ? {} : { logTail: entry.result.logTail }),
  };
}

function activity(entry: JournalEntry, facts: JobFacts): Omit<Standing, 'state'> {
  const note = entry.progress;
  const phase = phaseOf(entry, facts);
  return note === undefined
    ? { phase }
    : {
        phase,
        ...progressOf(note),
        heartbeatAt: note.heartbeatAt,
        progressedAt: note.progressedAt,
      };
}

function phaseOf(entry: JournalEntry, facts: JobFacts): JobPhase {
  if (facts.stage === 'failed' || !facts.workerLives) {
    return entry.claim.jobType === 'restore' ? 'recovering' : 'running';
  }
  const phase = entry.progress?.phase ?? 'running';
  return entry.stop !== undefined && !isPastStoppingIn(phase) ? 'cancelling' : phase;
}

function progressOf(note: ProgressNote): { progress?: JobProgress } {
  const { bytes, total, percent, etaSeconds } = note;
  if (bytes === undefined) {
    return {};
  }
  return {
    progress: {
      bytes,
      ...(total === undefined ? {} : { total }),
      ...(percent === undefined ? {} : { percent }),
      ...(etaSeconds === undefined ? {} : { etaSeconds }),
    },
  };
}
