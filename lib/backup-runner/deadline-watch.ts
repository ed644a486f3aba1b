/** Has a worker keep the deadlines of its own job, whether or not a hook comes. */
import type { JobDeadline } from '#database-backup';
import type { Clock } from '#system';
import { overdue, type StopReason } from './deadlines.ts';

export interface WatchOptions {
  readonly deadline: JobDeadline | undefined;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** When the work last moved, asked again each time. */
  readonly progressedAt: () => number;
  readonly clock: Clock;
  readonly intervalMs: number;
  /** Ends the watch. */
  readonly signal: AbortSignal;
}

/** A machine that slept is not a job that stalled: after such a gap between two looks time starts anew. */
const SLEPT_MS = 60_000;

/** @returns the deadline that passed; undefined when the watch was ended before */
export async function watchDeadlines(
  options: WatchOptions,
): Promise<Extract<StopReason, 'run-deadline' | 'stalled'> | undefined> {
  const { deadline, startedAt, clock, intervalMs, signal } = options;
  let lookedAt = clock.now().getTime();
  let awokeAt = 0;
  for (;;) {
    try {
      await clock.sleep(intervalMs, signal);
    } catch {
      return undefined;
    }
    const now = clock.now().getTime();
    awokeAt = now - lookedAt > intervalMs + SLEPT_MS ? now : awokeAt;
    lookedAt = now;
    const progressedAt = Math.max(options.progressedAt(), awokeAt);
    const reason = overdue({ startedAt, progressedAt }, deadline, now);
    if (reason !== undefined) {
      return reason;
    }
  }
}
