/**
 * Decides how long the remains of backups that were never completed stay: interrupted, or still running, which nobody can
 * tell apart before the grace is over. Pure, and it says why.
 */
import type { ObjectInfo } from '#object-store';
import { MANIFEST_OBJECT, STARTED_OBJECT } from '../format.ts';
import { DAY_MS, SWEEP_GRACE_MS } from './grace.ts';
import { DELETED_MANIFEST } from './marks.ts';
import { compareNewestFirst, type RetentionDecision, type RetentionRules } from './retention.ts';

/** A backup that began and has no manifest. Times are ISO 8601, by the clock of the store. */
export interface FailedAttempt {
  readonly artefactPath: string;
  readonly startedAt: string;
  /** When the latest of its objects was written. */
  readonly lastSignAt: string;
}

export interface FailedOptions {
  /** None of them: what failed goes with the first sweep after the grace. */
  readonly rules: Pick<RetentionRules, 'failed' | 'failedDays'>;
  readonly now: Date;
  readonly graceMs?: number;
}

/**
 * Decisions, newest first. What gave a sign of life within the grace stays and counts for no rule, because it may still run. Age
 * counts from the last sign of life.
 */
export function planFailed(
  attempts: readonly FailedAttempt[],
  { rules, now, graceMs = SWEEP_GRACE_MS }: FailedOptions,
): readonly RetentionDecision[] {
  let counted = 0;
  const decide = (one: FailedAttempt): readonly string[] => {
    const age = now.getTime() - Date.parse(one.lastSignAt);
    if (age <= graceMs) {
      return [`not completed; younger than ${hours(graceMs)}, so that it may still run`];
    }
    counted += 1;
    return [
      ...(counted <= (rules.failed ?? 0) ? [`failed ${counted} of ${rules.failed}`] : []),
      ...(age < (rules.failedDays ?? 0) * DAY_MS
        ? [`failed, and younger than ${rules.failedDays} days`]
        : []),
    ];
  };
  return attempts
    .map((one) => ({ ...one, createdAt: one.startedAt }))
    .toSorted(compareNewestFirst)
    .map((one) => {
      const { artefactPath, createdAt } = one;
      const why = decide(one);
      const reasons = why.length > 0 ? why : ['failed, and no rule keeps it'];
      return { artefactPath, createdAt, keep: why.length > 0, reasons };
    });
}

type Objects = ReadonlyMap<string, Pick<ObjectInfo, 'modifiedAt'>>;

/** @param objects What lies below the path, by name. @returns undefined for what is complete, deleted or no backup */
export function attemptOf(artefactPath: string, objects: Objects): FailedAttempt | undefined {
  const started = objects.get(STARTED_OBJECT);
  const isOther = objects.has(MANIFEST_OBJECT) || objects.has(DELETED_MANIFEST);
  return started === undefined || isOther
    ? undefined
    : {
        artefactPath,
        startedAt: started.modifiedAt.toISOString(),
        lastSignAt: lastSignOf(objects).toISOString(),
      };
}

/** When the latest was written. */
export function lastSignOf(objects: Objects): Date {
  return new Date(Math.max(...[...objects.values()].map(({ modifiedAt }) => modifiedAt.getTime())));
}

function hours(ms: number): string {
  return `${Math.round(ms / 3_600_000)} h`;
}
