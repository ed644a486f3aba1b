/** Puts an end to waiting for storage: hooks and actions must answer soon. */
import { type Clock, HintError } from '#system';

export interface DeadlineOptions {
  readonly clock: Clock;
  readonly ms: number;
  /** What is waited for, for the message. */
  readonly subject: string;
}

/**
 * Runs `work` and gives it a signal that ends it; does not wait for it beyond the deadline even if
 * it ignores the signal.
 * @throws HintError with code `unreachable` when time is up
 */
export async function withDeadline<T>(
  options: DeadlineOptions,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const timer = new AbortController();
  const deadline = new AbortController();
  const expiry = options.clock.sleep(options.ms, timer.signal).then(() => {
    const error = new HintError(`${options.subject} did not answer within ${options.ms / 1000} s`, {
      code: 'unreachable',
      hint: 'check the endpoint, and that this machine reaches it',
    });
    deadline.abort(error);
    throw error;
  });
  try {
    return await Promise.race([work(deadline.signal), expiry]);
  } finally {
    timer.abort();
    // Whichever lost the race ends later, and its outcome no longer matters.
    expiry.catch(() => undefined);
  }
}
