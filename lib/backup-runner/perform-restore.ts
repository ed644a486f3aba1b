/** One restore: everything is fetched and verified beside the live data before these are touched. */
import type { RestoreRequest, StagedRestore } from '#engines';
import { openSnapshot, type Snapshot } from '#snapshots';
import { formatBytes, HintError, hasErrorCode } from '#system';
import { RecoveryNeededError } from './failures.ts';
import type { JobContext } from './job-context.ts';
import type { Outcome } from './job-files.ts';

/**
 * @throws RecoveryNeededError when the database is in a state that only the engine's recovery ends;
 *   anything else thrown leaves the old data serving
 */
export async function performRestore(context: JobContext): Promise<Outcome> {
  const { engine, reporter, signal, log } = context;
  await reporter.enter('running');
  const snapshot = await openSnapshot(context.store, sourceOf(context));
  signal.throwIfAborted();
  const request = requestFor(snapshot);
  await engine.prepareRestore(request);
  const staged = await engine.createRestore(request);
  await stage(staged, snapshot, context);
  await swap(staged, context);
  await reporter.enter('cleaning-up');
  await orNeedRecovery(async () => await staged.commit());
  const size = request.totalBytes;
  log.info('restore complete', { artefactPath: snapshot.artefactPath, bytes: size });
  return {
    status: 'success',
    artefactPath: snapshot.artefactPath,
    size,
    message: `${formatBytes(size)} restored`,
  };
}

function sourceOf({ spec }: JobContext): string {
  if (spec.artefactPath === undefined) {
    throw new HintError('cannot restore: the job does not say what', { code: 'invalid-job' });
  }
  return spec.artefactPath;
}

function requestFor({ manifest }: Snapshot): RestoreRequest {
  return { attributes: manifest.attributes, totalBytes: manifest.totals.bytes };
}

async function stage(
  staged: StagedRestore,
  snapshot: Snapshot,
  { reporter, signal }: JobContext,
): Promise<void> {
  try {
    signal.throwIfAborted();
    await reporter.enter('fetching');
    await snapshot.restoreTo({
      directory: staged.stagingDirectory,
      signal,
      onProgress: ({ bytesVerified, totalBytes }) => reporter.update(bytesVerified, totalBytes),
    });
    await reporter.enter('verifying');
    await staged.verify(signal);
    signal.throwIfAborted();
  } catch (error) {
    await orNeedRecovery(async () => await staged.abort());
    throw error;
  }
}

// From here on a request to stop comes too late: going through with it is the shortest way to a
// database that serves.
async function swap(staged: StagedRestore, { reporter }: JobContext): Promise<void> {
  await reporter.enter('swapping');
  try {
    await staged.swap(new AbortController().signal);
  } catch (error) {
    throw hasErrorCode(error, 'restore-rolled-back') ? error : new RecoveryNeededError(error);
  }
}

async function orNeedRecovery(step: () => Promise<void>): Promise<void> {
  try {
    await step();
  } catch (error) {
    throw new RecoveryNeededError(error);
  }
}
