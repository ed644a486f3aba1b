/** Tells the charm that something changed, by firing its event: not too often, one at a time, and surely at the end. */
import { type Clock, describeError } from '#system';
import type { JobLog } from './job-log.ts';

export interface NotifierOptions {
  /** Fires the event and resolves when the charm has handled it; may take long: other hooks go first. */
  readonly fire: () => Promise<void>;
  readonly clock: Clock;
  readonly log: JobLog;
  /** Least time between two events about mere progress. */
  readonly intervalMs: number;
  /** Waits between the attempts to fire the last event; as many attempts, plus one. */
  readonly retryDelaysMs: readonly number[];
}

export class EventNotifier {
  readonly #options: NotifierOptions;
  #request: 'none' | 'later' | 'now' = 'none';
  #loop: Promise<void> | undefined;
  #pause = new AbortController();
  #lastFiredAt = Number.NEGATIVE_INFINITY;

  constructor(options: NotifierOptions) {
    this.#options = options;
  }

  /** Progress: fires when the interval has passed. */
  progressed(): void {
    this.#enqueue('later');
  }

  /** A new phase: fires as soon as no event is under way. */
  phaseChanged(): void {
    this.#enqueue('now');
    this.#pause.abort();
  }

  /** Fires once more, after everything under way, until it succeeds or the attempts are used up. */
  async finish(): Promise<void> {
    this.#request = 'none';
    this.#pause.abort();
    await this.#loop;
    const { fire, clock, log, retryDelaysMs } = this.#options;
    for (const delayMs of [...retryDelaysMs, undefined]) {
      try {
        await fire();
        return;
      } catch (error) {
        log.warning('cannot tell the charm; it will find the result at its next hook', {
          error: describeError(error),
        });
      }
      if (delayMs !== undefined) {
        await clock.sleep(delayMs);
      }
    }
  }

  #enqueue(request: 'later' | 'now'): void {
    this.#request = this.#request === 'now' ? 'now' : request;
    this.#loop ??= this.#run();
  }

  async #run(): Promise<void> {
    const { fire, clock, log } = this.#options;
    while (this.#request !== 'none') {
      await this.#waitForTurn();
      if (this.#isIdle()) {
        break;
      }
      this.#request = 'none';
      this.#lastFiredAt = clock.now().getTime();
      try {
        await fire();
      } catch (error) {
        log.warning('cannot tell the charm about progress', { error: describeError(error) });
      }
    }
    this.#loop = undefined;
  }

  async #waitForTurn(): Promise<void> {
    const { clock, intervalMs } = this.#options;
    const waitMs = this.#lastFiredAt + intervalMs - clock.now().getTime();
    if (this.#request === 'now' || waitMs <= 0) {
      return;
    }
    this.#pause = new AbortController();
    try {
      await clock.sleep(waitMs, this.#pause.signal);
    } catch {
      // Aborted: a phase changed, or it is the end.
    }
  }

  // While it slept, `finish` may have taken the request back.
  #isIdle(): boolean {
    return this.#request === 'none';
  }
}
