/** The second half of every restore and undo: staged data are proved, exchanged for the live ones, and settled. */
import type { KeptCopy, Proof, StagedUndo } from '#engines';
import { type Clock, formatDuration, hasErrorCode } from '#system';
import { RecoveryNeededError } from './failures.ts';
import type { JobContext } from './job-context.ts';
import type { ProgressReporter } from './progress-reporter.ts';

/** After these nothing is left for a recovery to do. */
const FINAL = ['restore-rolled-back', 'forced-restore-failed'];
const SIGN_OF_LIFE_MS = 60_000;

export interface Replaced {
  readonly unavailableMs: number;
  readonly kept: KeptCopy | undefined;
}

/** Has the engine prove the staged data. */
export async function proveStaged(
  staged: StagedUndo,
  { reporter, signal, clock, log }: JobContext,
): Promise<Proof> {
  const proof = await withSignsOfLife(reporter, clock, async () => await staged.verify(signal));
  for (const finding of proof.findings) {
    log.info(finding);
  }
  signal.throwIfAborted();
  return proof;
}

/**
 * @throws RecoveryNeededError when the database is in a state that only the engine's recovery ends;
 *   anything else thrown leaves a state that is final
 */
export async function replaceLive(
  staged: StagedUndo,
  { reporter, log }: JobContext,
): Promise<Replaced> {
  try {
    await reporter.enter('swapping');
  } catch (error) {
    await orNeedRecovery(async () => await staged.abort());
    throw error;
  }
  const { unavailableMs } = await swap(staged);
  log.info('data exchanged', { unavailableMs });
  await reporter.enter('cleaning-up');
  const kept = await orNeedRecovery(async () => await staged.commit());
  return { unavailableMs, kept };
}

// From here on a request to stop comes too late: going through with it is the shortest way to a
// database that serves.
async function swap(staged: StagedUndo): Promise<{ readonly unavailableMs: number }> {
  try {
    return await staged.swap(new AbortController().signal);
  } catch (error) {
    throw FINAL.some((code) => hasErrorCode(error, code)) ? error : new RecoveryNeededError(error);
  }
}

/** A step whose failure leaves things to the engine's recovery. */
export async function orNeedRecovery<T>(step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    throw new RecoveryNeededError(error);
  }
}

/** `served again after 1.3 s`, and until when there is a way back. */
export function describeReplaced({ unavailableMs, kept }: Replaced): string {
  const back =
    kept === undefined
      ? ''
      : `; what it replaced is kept until ${kept.until} and comes back by undo-restore`;
  return `served again after ${formatDuration(unavailableMs)}${back}`;
}

/** `undoableUntil`, where there is a way back. */
export function undoableUntil(kept: KeptCopy | undefined): { readonly undoableUntil?: string } {
  return kept === undefined ? {} : { undoableUntil: kept.until };
}

// Programs of the database look through all the data and say nothing meanwhile. They have limits of
// their own; a job is not stalled while they run.
async function withSignsOfLife<T>(
  reporter: ProgressReporter,
  clock: Clock,
  work: () => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const beating = beat(reporter, clock, over.signal);
  try {
    return await work();
  } finally {
    over.abort();
    await beating;
  }
}

async function beat(reporter: ProgressReporter, clock: Clock, over: AbortSignal): Promise<void> {
  for (;;) {
    try {
      await clock.sleep(SIGN_OF_LIFE_MS, over);
    } catch {
      return;
    }
    reporter.moved();
  }
}
