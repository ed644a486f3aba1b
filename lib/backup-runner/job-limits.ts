/** Ends the work of a job that was stopped or has passed a deadline, also when the work itself does not let go. */
import type { Clock } from '#system';
import { watchDeadlines } from './deadline-watch.ts';
import { failureOf, JobStoppedError, RecoveryNeededError } from './failures.ts';
import type { Failure, JobFiles, Outcome } from './job-files.ts';
import { isPastStoppingIn, type JobSpec } from './job-spec.ts';
import type { ProgressReporter } from './progress-reporter.ts';
import type { Redact } from './redact.ts';
import { stoppedJob } from './verdicts.ts';
import type { WorkerTimings } from './worker-timings.ts';

export interface LimitsOptions {
  readonly files: JobFiles;
  readonly clock: Clock;
  readonly timings: Pick<WorkerTimings, 'progressMs' | 'cancelGraceMs'>;
  readonly redact: Redact;
  /** Aborts with a JobStoppedError when the process is asked to end. */
  readonly signal: AbortSignal;
}

export class JobLimits {
  readonly #options: LimitsOptions;
  readonly #stop = new AbortController();
  #reporter: ProgressReporter | undefined;
  #isAbandoned = false;

  constructor(options: LimitsOptions) {
    this.#options = options;
    const { signal } = options;
    signal.addEventListener('abort', () => this.#stop.abort(signal.reason), { once: true });
  }

  /** Aborts when the job has to stop, whoever says so. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /**
   * The outcome of the work, or the reason why it was stopped, soon after it was. What does not end is left behind:
   * of a backup nothing counts without its manifest, and a restore cannot enter the exchange any more.
   * @throws RecoveryNeededError when a restore was left behind: what it had staged must be cleared away
   */
  async keep(
    { jobType, deadline }: JobSpec,
    reporter: ProgressReporter,
    work: Promise<Outcome>,
  ): Promise<Outcome> {
    this.#reporter = reporter;
    const over = new AbortController();
    const watch = this.#watch(deadline, reporter, over.signal);
    const leaving = async (): Promise<Outcome> => {
      await aborted(this.signal, over.signal);
      await this.#options.clock.sleep(this.#options.timings.cancelGraceMs, over.signal);
      if (this.#isPastStopping()) {
        return await work;
      }
      this.#isAbandoned = true;
      reporter.abandon(this.signal.reason);
      throw jobType === 'restore'
        ? new RecoveryNeededError(this.signal.reason)
        : this.signal.reason;
    };
    try {
      return await Promise.race([work, leaving()]);
    } finally {
      over.abort();
      await watch;
    }
  }

  /** What to publish for what was thrown: the stop where it came from one. */
  async explain({ jobType }: JobSpec, error: unknown): Promise<Failure> {
    const isOther = error instanceof RecoveryNeededError && !this.#isAbandoned;
    if (!this.signal.aborted || this.#isPastStopping() || isOther) {
      return failureOf(error, this.#options.redact);
    }
    const failure = await this.#stopFailure(jobType);
    return jobType === 'restore' && !this.#isAbandoned
      ? { ...failure, message: `${failure.message}; the database was not touched` }
      : failure;
  }

  async #watch(
    deadline: JobSpec['deadline'],
    reporter: ProgressReporter,
    signal: AbortSignal,
  ): Promise<void> {
    const { clock, timings } = this.#options;
    const reason = await watchDeadlines({
      deadline,
      startedAt: clock.now().getTime(),
      progressedAt: () => reporter.progressedAt,
      clock,
      intervalMs: timings.progressMs,
      signal,
    });
    if (reason !== undefined && !this.#isPastStopping()) {
      this.#stop.abort(new JobStoppedError(reason));
    }
  }

  async #stopFailure(jobType: JobSpec['jobType']): Promise<Failure> {
    const { files, redact } = this.#options;
    const stopped: unknown = this.signal.reason;
    const known = stopped instanceof JobStoppedError ? stopped.reason : undefined;
    const reason = known ?? (await files.stopNote())?.reason;
    if (reason !== undefined) {
      return stoppedJob(reason, jobType);
    }
    const { code, message } = failureOf(stopped, redact);
    return { code, message: `${jobType} cancelled: ${message}` };
  }

  #isPastStopping(): boolean {
    return this.#reporter !== undefined && isPastStoppingIn(this.#reporter.phase);
  }
}

/** Resolves when `signal` aborts; rejects when `over` does first. */
async function aborted(signal: AbortSignal, over: AbortSignal): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    signal.addEventListener('abort', () => resolve(), { once: true, signal: over });
    over.addEventListener('abort', () => reject(over.reason), { once: true });
  });
}
