/** When a job has taken too long. Pure; used by the planner and by the worker itself. */
import type { JobDeadline } from '#database-backup';

/** Why a job that runs is stopped. */
export type StopReason = 'withdrawn' | 'cancelled' | 'run-deadline' | 'stalled';

/** Milliseconds since the epoch; those not known are left out. */
export interface JobTimes {
  /** When it was asked for, or claimed, whichever came first. */
  readonly arrivedAt?: number;
  readonly startedAt?: number;
  /** When its work last moved. */
  readonly progressedAt?: number;
}

/** Whether a job that has not begun has waited too long. */
export function isStartMissed(
  { arrivedAt }: JobTimes,
  deadline: JobDeadline | undefined,
  now: number,
): boolean {
  return isPast(arrivedAt, deadline?.startSeconds, now);
}

/** Why a running job has to stop; undefined while it may go on. Its age alone is no stall. */
export function overdue(
  { startedAt, progressedAt }: JobTimes,
  deadline: JobDeadline | undefined,
  now: number,
): Extract<StopReason, 'run-deadline' | 'stalled'> | undefined {
  if (isPast(startedAt, deadline?.runSeconds, now)) {
    return 'run-deadline';
  }
  const movedAt = progressedAt ?? startedAt;
  return isPast(movedAt, deadline?.stallSeconds, now) ? 'stalled' : undefined;
}

function isPast(from: number | undefined, seconds: number | undefined, now: number): boolean {
  return from !== undefined && seconds !== undefined && now - from > seconds * 1000;
}
