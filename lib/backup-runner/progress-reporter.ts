/** Keeps the job's progress file fresh, with a sign of life, and has the charm told. Failing to do so stops no job. */
import { type Clock, describeError } from '#system';
import type { EventNotifier } from './event-notifier.ts';
import type { JobFiles, ProgressNote } from './job-files.ts';
import type { JobLog } from './job-log.ts';
import type { JobPhase } from './job-spec.ts';

export interface ReporterOptions {
  readonly files: JobFiles;
  readonly notifier: EventNotifier;
  readonly clock: Clock;
  readonly log: JobLog;
  readonly intervalMs: number;
}

export class ProgressReporter implements AsyncDisposable {
  readonly #options: ReporterOptions;
  readonly #ended = new AbortController();
  readonly #ticking: Promise<void>;
  #phase: JobPhase = 'running';
  #bytes: number | undefined;
  #total: number | undefined;
  #reportedBytes: number | undefined;
  #progressedAt: string;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: ReporterOptions) {
    this.#options = options;
    this.#progressedAt = options.clock.now().toISOString();
    this.#ticking = this.#tick();
  }

  get phase(): JobPhase {
    return this.#phase;
  }

  /** Resolves once the phase is on disk: what follows may be judged by it after a crash. */
  async enter(phase: JobPhase): Promise<void> {
    this.#phase = phase;
    this.#progressedAt = this.#options.clock.now().toISOString();
    this.#options.log.info(`phase: ${phase}`);
    await this.#write();
    this.#options.notifier.phaseChanged();
  }

  /** Bytes done so far, and of how many, where known. */
  update(bytes: number, total: number | undefined): void {
    this.#bytes = bytes;
    this.#total = total;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
    await this.#ticking;
    await this.#writing;
  }

  async #tick(): Promise<void> {
    const { clock, intervalMs, notifier } = this.#options;
    for (;;) {
      try {
        await clock.sleep(intervalMs, this.#ended.signal);
      } catch {
        return;
      }
      const hasMoved = this.#bytes !== this.#reportedBytes;
      if (hasMoved) {
        this.#reportedBytes = this.#bytes;
        this.#progressedAt = clock.now().toISOString();
      }
      await this.#write();
      if (hasMoved) {
        notifier.progressed();
      }
    }
  }

  /** One note after the other, so that an old one never replaces a new one. */
  async #write(): Promise<void> {
    this.#writing = this.#writeAfter(this.#writing);
    await this.#writing;
  }

  async #writeAfter(previous: Promise<void>): Promise<void> {
    const { files, log } = this.#options;
    await previous;
    try {
      await files.writeProgress(this.#note());
    } catch (error) {
      log.warning('cannot note the progress', { error: describeError(error) });
    }
  }

  #note(): ProgressNote {
    const total = this.#total;
    const bytes = this.#bytes;
    return {
      phase: this.#phase,
      heartbeatAt: this.#options.clock.now().toISOString(),
      progressedAt: this.#progressedAt,
      ...(bytes === undefined ? {} : { bytes }),
      ...(total === undefined ? {} : { total }),
      ...(bytes === undefined || total === undefined ? {} : { percent: percentOf(bytes, total) }),
    };
  }
}

/** Whole percent; 100 is kept for the end, as totals of a running database are estimates. */
function percentOf(bytes: number, total: number): number {
  return total <= 0 ? 0 : Math.min(99, Math.floor((bytes / total) * 100));
}
