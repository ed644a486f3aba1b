/** Jobs that must end soon: 60 s after a crash, 10 s after a cancel, on a machine that has nothing else to do. */
import type { SeenJob } from './evidence.ts';

// Other tests use the same processors; on an idle machine the ends come well within the times themselves.
const PATIENCE = Number(process.env['RANDOM_MODEL_PATIENCE'] ?? 5);
const AFTER_CRASH_MS = 60_000 * PATIENCE;
const AFTER_CANCEL_MS = 10_000 * PATIENCE;

interface Bound {
  readonly why: string;
  readonly ms: number;
  since: number;
}

export class Bounds {
  readonly #bounds = new Map<string, Bound>();
  readonly #now: () => number;

  /** @param now milliseconds */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  crashed(jobId: string): void {
    this.#bounds.set(jobId, { why: 'crash', ms: AFTER_CRASH_MS, since: this.#now() });
  }

  cancelled(jobId: string): void {
    const bound = { why: 'cancel', ms: AFTER_CANCEL_MS, since: this.#now() };
    this.#bounds.set(jobId, this.#bounds.get(jobId) ?? bound);
  }

  /** Something stood in the way of those who would end them: time counts from now. */
  disturbed(): void {
    for (const bound of this.#bounds.values()) {
      bound.since = this.#now();
    }
  }

  /** @param jobs what units are seen to have; a job that no unit has taken or that went with its unit counts as ended */
  late(jobs: ReadonlyMap<string, SeenJob>): readonly string[] {
    const late: string[] = [];
    for (const [jobId, { why, ms, since }] of this.#bounds) {
      const job = jobs.get(jobId);
      if (job === undefined || job.result !== undefined || job.isUntold === true) {
        this.#bounds.delete(jobId);
      } else if (this.#now() - since > ms) {
        late.push(`${jobId} has no end ${ms / 1000} s after a ${why}`);
      }
    }
    return late;
  }

  forget(isGone: (jobId: string) => boolean): void {
    for (const jobId of this.#bounds.keys()) {
      if (isGone(jobId)) {
        this.#bounds.delete(jobId);
      }
    }
  }
}
