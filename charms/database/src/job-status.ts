/** From a record of the runner to the status the requirer reads. Pure. */
import type { JobRecord, JobSpec } from '#backup-runner';
import { type Job, type JobQueue, type JobStatus, statusOf } from '#database-backup';
import type { Outcome } from './ledger.ts';

/** How a job of this unit stands. @param kept restores whose replaced data are still here */
export function statusOfRecord(
  job: Job,
  record: JobRecord,
  kept: ReadonlySet<string> = new Set(),
): JobStatus {
  const { state, phase, progress, message, errorCode, hint, artefactPath, size } = record;
  const { newBytes: storedSize, keyId, logTail, report } = record;
  // What was promised may have gone since: brought back, over time, or dropped for its space.
  const undoableUntil = kept.has(record.jobId) ? record.undoableUntil : undefined;
  const { requestedAt, startedAt, finishedAt } = record;
  return statusOf(job, {
    status: state === 'success' || state === 'error' ? state : 'running',
    ...defined({ phase, progress, message, errorCode, hint, artefactPath, size, storedSize }),
    ...defined({ keyId, queue: queueOf(record), logTail, report, undoableUntil }),
    ...defined({ requestedAt, startedAt, finishedAt }),
  });
}

function queueOf({ queuePosition, waitsFor }: JobRecord): JobQueue | undefined {
  return queuePosition === undefined
    ? undefined
    : { position: queuePosition, waitsFor: waitsFor ?? [] };
}

/** What the ledger says about a job whose record is no more. */
export function statusOfOutcome(job: Job, outcome: Outcome): JobStatus {
  return statusOf(job, outcome);
}

/** How an ended job ended; undefined while it has not. */
export function outcomeOf(record: JobRecord): Outcome | undefined {
  const { state, message, errorCode, hint, artefactPath, keyId } = record;
  return state === 'success' || state === 'error'
    ? { status: state, ...defined({ message, errorCode, hint, artefactPath, keyId }) }
    : undefined;
}

/** An outcome decided without running anything, as the runner wants it. */
export function failureOf(outcome: Outcome): NonNullable<JobSpec['refusal']> {
  const { errorCode, message, hint } = outcome;
  return { code: errorCode ?? 'refused', message: message ?? 'refused', ...defined({ hint }) };
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** Without the keys that have no value: an optional key is absent or has one. */
export function defined<T extends Record<string, unknown>>(fields: T): Defined<T> {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Defined<T>;
}
