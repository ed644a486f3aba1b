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

const RATE_WINDOW_MS = 60_000;

export class ProgressReporter implements AsyncDisposable {
  readonly #options: ReporterOptions;
  readonly #ended = new AbortController();
  readonly #abandoned = new AbortController();
  readonly #rate = new ByteRate();
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

  /** When the work last moved, in ms since the epoch. */
  get progressedAt(): number {
    return Date.parse(this.#progressedAt);
  }

  /** From now on no phase can be entered: whoever tries gets the reason thrown. */
  abandon(reason: unknown): void {
    this.#abandoned.abort(reason);
  }

  /** Resolves once the phase is on disk: what follows may be judged by it after a crash. */
  async enter(phase: JobPhase): Promise<void> {
    this.#abandoned.signal.throwIfAborted();
    this.#phase = phase;
    this.#progressedAt = this.#options.clock.now().toISOString();
    this.#options.log.info(`phase: ${phase}`);
    await this.#write();
    this.#options.notifier.phaseChanged();
  }

  /** Notes that the work moves, where there are no bytes to count. */
  moved(): void {
    this.#progressedAt = this.#options.clock.now().toISOString();
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
      this.#rate.note(clock.now().getTime(), this.#bytes);
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

  #outlook(bytes: number, total: number): Pick<ProgressNote, 'percent' | 'etaSeconds'> {
    const rate = this.#rate.perSecond;
    return {
      percent: percentOf(bytes, total),
      ...(rate === undefined || bytes > total
        ? {}
        : { etaSeconds: Math.ceil((total - bytes) / rate) }),
    };
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
      ...(bytes === undefined || total === undefined ? {} : this.#outlook(bytes, total)),
    };
  }
}

/** How fast it went in the last minute. */
class ByteRate {
  #samples: readonly { readonly at: number; readonly bytes: number }[] = [];

  note(at: number, bytes: number | undefined): void {
    const last = this.#samples.at(-1);
    if (bytes === undefined) {
      return;
    }
    // Counting began anew, in another phase.
    const kept = last !== undefined && bytes < last.bytes ? [] : this.#samples;
    this.#samples = [...kept.filter((one) => at - one.at <= RATE_WINDOW_MS), { at, bytes }];
  }

  /** Bytes per second; undefined as long as nobody can tell. */
  get perSecond(): number | undefined {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    if (first === undefined || last === undefined || last.bytes <= first.bytes) {
      return undefined;
    }
    return ((last.bytes - first.bytes) * 1000) / (last.at - first.at);
  }
}

/** Whole percent; 100 is kept for the end, as totals of a running database are estimates. */
function percentOf(bytes: number, total: number): number {
  return total <= 0 ? 0 : Math.min(99, Math.floor((bytes / total) * 100));
}
