/** After a restore that stopped in the middle: has the engine bring the database back, and says how it ended. */
import type { Engine, RecoveryOutcome } from '#engines';
import { type Clock, isProcessAlive } from '#system';
import { failureOf } from './failures.ts';
import type { Claim, Failure, JobFiles, Outcome, ProgressNote, Result } from './job-files.ts';
import type { JobLog } from './job-log.ts';
import type { Redact } from './redact.ts';
import { undoableUntil } from './replace-data.ts';
import { failedRecovery, lostRestore } from './verdicts.ts';

export interface RecoveryContext {
  readonly files: JobFiles;
  readonly createEngine: () => Engine;
  readonly clock: Clock;
  readonly log: JobLog;
  readonly redact: Redact;
  /** Waits before the engine is asked again. */
  readonly delaysMs: readonly number[];
}

/** How long the worker that gave up may take to leave; it only has to tell the charm. */
const FAREWELL_MS = 120_000;

const POLL_MS = 200;

const OLD_DATA = 'the data from before the restore are in place';

/** Ends with a result of the job in every case but the death of this process. */
export async function performRecovery(context: RecoveryContext): Promise<void> {
  const { files } = context;
  const claim = await files.claim();
  if (claim === undefined) {
    return;
  }
  await waitForDeath(context);
  try {
    const outcome = await recover(context);
    await conclude(claim, outcome, context);
  } catch (error) {
    const failure = failedRecovery(failureOf(error, context.redact).message, await files.failure());
    const result = await resultFor(claim, { status: 'error', failure }, context);
    await files.createResult({ ...result, recoveryPending: true });
    context.log.error(failure.message, { code: failure.code });
  }
}

// The engine leaves a restore alone whose process lives. That process has nothing left to do: it
// has noted its failure, or it is the one that died.
async function waitForDeath({ files, clock, log }: RecoveryContext): Promise<void> {
  const gate = await files.gate();
  if (gate?.by !== 'worker') {
    return;
  }
  const deadline = clock.now().getTime() + FAREWELL_MS;
  while (isProcessAlive(gate.identity)) {
    if (clock.now().getTime() > deadline) {
      log.warning('the worker that gave up does not end, killing it', { pid: gate.identity.pid });
      process.kill(gate.identity.pid, 'SIGKILL');
    }
    await clock.sleep(POLL_MS);
  }
}

async function recover(context: RecoveryContext): Promise<RecoveryOutcome> {
  const { createEngine, clock, log, delaysMs } = context;
  const engine = createEngine();
  for (const delayMs of delaysMs) {
    try {
      return await engine.recoverInterruptedRestore();
    } catch {
      log.warning('recovery failed, trying again', { inMs: delayMs });
      await clock.sleep(delayMs);
    }
  }
  return await engine.recoverInterruptedRestore();
}

async function conclude(
  claim: Claim,
  recovered: RecoveryOutcome,
  context: RecoveryContext,
): Promise<void> {
  const { files, clock, log } = context;
  const outcome = await outcomeOf(claim, recovered, context);
  const isNew = await files.createResult(await resultFor(claim, outcome, context));
  if (!isNew) {
    await files.writeRecovered({ outcome: STATES[recovered], at: clock.now().toISOString() });
  }
  log.info('recovery done', { outcome: recovered });
}

const STATES: Readonly<Record<RecoveryOutcome, string>> = {
  nothing: OLD_DATA,
  'rolled-back': OLD_DATA,
  completed: 'the restored data serve',
  'data-gone':
    'nothing serves: the old data had been dropped beforehand, as force allows; restore a backup again',
};

async function outcomeOf(
  claim: Claim,
  recovered: RecoveryOutcome,
  context: RecoveryContext,
): Promise<Outcome> {
  const { files } = context;
  const [failure, progress] = [await files.failure(), await files.progress()];
  // `cleaning-up` is noted when the restored data had passed their checks.
  if (recovered === 'completed' || (recovered === 'nothing' && progress?.phase === 'cleaning-up')) {
    return await restored(claim, progress, failure, context);
  }
  const state = STATES[recovered];
  return { status: 'error', failure: failure ? withState(failure, state) : lostRestore(state) };
}

async function restored(
  claim: Claim,
  progress: ProgressNote | undefined,
  failure: Failure | undefined,
  { createEngine }: RecoveryContext,
): Promise<Outcome> {
  const reason = failure?.message ?? 'its worker died';
  const kept = (await createEngine().keptCopies()).find(({ name }) => name === claim.jobId);
  return {
    status: 'success',
    artefactPath: claim.artefactPath ?? '',
    size: progress?.total ?? 0,
    message: `restored data passed their checks and serve; only tidying up was interrupted: ${reason}`,
    ...undoableUntil(kept),
  };
}

function withState(failure: Failure, state: string): Failure {
  return { ...failure, message: `${failure.message}; after recovery ${state}` };
}

async function resultFor(
  claim: Claim,
  outcome: Outcome,
  { files, clock }: RecoveryContext,
): Promise<Result> {
  const gate = await files.gate();
  return {
    claim,
    outcome,
    ...(gate?.by === 'worker' ? { startedAt: gate.startedAt } : {}),
    finishedAt: clock.now().toISOString(),
  };
}
