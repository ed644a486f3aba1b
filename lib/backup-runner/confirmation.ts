/**
 * The way of a worker to its job: it waits for the charm's confirmation, then goes through the gate.
 *
 * A hook that starts a worker may fail afterwards; what it wrote to the ledger is then dropped, the process is
 * not. So nothing is touched before a later hook has found the claim in the committed ledger.
 */
import { type Clock, describeError, type ProcessIdentity } from '#system';
import type { JobFiles } from './job-files.ts';
import type { JobLog } from './job-log.ts';

export interface PermissionOptions {
  readonly files: JobFiles;
  readonly token: string;
  /** Has the charm reconcile; resolves when it has. */
  readonly fire: () => Promise<void>;
  readonly clock: Clock;
  readonly log: JobLog;
  /** Aborts when the job is cancelled. */
  readonly signal: AbortSignal;
  /** Waits between the attempts; as many attempts, plus one. */
  readonly delaysMs: readonly number[];
}

/** @returns undefined once confirmed, else why there will be no confirmation */
export async function waitForPermission(options: PermissionOptions): Promise<string | undefined> {
  const { clock, signal, delaysMs } = options;
  let reason = 'its claim was not confirmed by the charm';
  for (const delayMs of [...delaysMs, undefined]) {
    const early = await lookForDecision(options);
    if (early !== undefined) {
      return early.reason;
    }
    reason = (await tryToFire(options)) ?? reason;
    const late = await lookForDecision(options);
    if (late !== undefined) {
      return late.reason;
    }
    if (delayMs !== undefined) {
      await clock.sleep(delayMs, signal).catch(() => undefined);
    }
  }
  return reason;
}

interface Decision {
  readonly reason: string | undefined;
}

async function lookForDecision({
  files,
  token,
  signal,
}: PermissionOptions): Promise<Decision | undefined> {
  if (signal.aborted) {
    return { reason: 'it was asked to stop' };
  }
  if ((await files.gate()) !== undefined) {
    return { reason: 'the job was decided without it' };
  }
  const confirmation = await files.confirmation();
  return confirmation?.token === token ? { reason: undefined } : undefined;
}

async function tryToFire({ fire, log }: PermissionOptions): Promise<string | undefined> {
  try {
    await fire();
    return undefined;
  } catch (error) {
    const reason = describeError(error);
    log.warning('cannot reach the charm', { error: reason });
    return `the charm could not be reached: ${reason}`;
  }
}

/** @returns false when another worker, or the runner, was first: then the job is none of ours */
export async function passGate(
  files: JobFiles,
  token: string,
  identity: ProcessIdentity,
  startedAt: string,
): Promise<boolean> {
  return await files.createGate({ by: 'worker', token, identity, startedAt });
}
