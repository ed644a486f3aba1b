/** One backup: the engine's entries go straight into a snapshot, whose manifest comes last. */
import { readFile } from 'node:fs/promises';
import type { EngineEntry } from '#engines';
import { normaliseArtefactPath, ReadBarrier, writeSnapshot } from '#snapshots';
import { describeError, formatBytes, HintError } from '#system';
import type { JobContext } from './job-context.ts';
import type { Outcome } from './job-files.ts';
import { keyForBackup } from './snapshot-keys.ts';

/** @throws whatever stopped it; no manifest is left then */
export async function performBackup(context: JobContext): Promise<Outcome> {
  const { spec, engine, files, reporter, signal, log } = context;
  const artefactPath = targetOf(context);
  // Before the database is asked for anything: with the wrong passphrase there is no backup.
  const key = await keyForBackup(context);
  await reporter.enter('running');
  const reads = new ReadBarrier();
  const source = await engine.backup({
    signal,
    scratchDirectory: await files.makeScratchDirectory(),
  });
  let isWritten = false;
  try {
    const summary = await writeSnapshot({
      store: context.store,
      artefactPath,
      chunkPrefix: spec.chunkPrefix,
      entries: thenUploadLog(context.pace.slow(source.entries, signal), artefactPath, context),
      compression: spec.compression,
      ...(spec.compressionLevel === undefined ? {} : { level: spec.compressionLevel }),
      ...(spec.recheck === 'full' ? { recheckEvery: 1 } : {}),
      key,
      attributes: { ...spec.attributes, ...source.attributes, 'job-id': spec.jobId },
      clock: context.clock,
      reads,
      signal,
      onProgress: ({ bytesRead }) => reporter.update(bytesRead, source.estimatedBytes),
    });
    isWritten = true;
    log.info('backup complete', {
      artefactPath,
      bytes: summary.totalBytes,
      newBytes: summary.newBytes,
    });
    const { totalBytes: size, newBytes } = summary;
    const message = `${formatBytes(size)} backed up, ${formatBytes(newBytes)} of it new in the bucket${key === undefined ? '' : ', encrypted'}`;
    return {
      status: 'success',
      artefactPath: summary.artefactPath,
      size,
      newBytes,
      message,
      ...(key === undefined ? {} : { keyId: key.keyId }),
    };
  } catch (error) {
    await removeLog(artefactPath, context);
    throw error;
  } finally {
    await dispose(source, isWritten, context);
    await files.removeScratchDirectory();
  }
}

function targetOf({ spec }: JobContext): string {
  if (spec.artefactPath === undefined) {
    throw new HintError('cannot back up: the job does not say where to', { code: 'invalid-job' });
  }
  return normaliseArtefactPath(spec.artefactPath);
}

// The database has given everything and the manifest is not written yet: the last moment for
// objects that are to lie beside it.
async function* thenUploadLog(
  entries: AsyncIterable<EngineEntry>,
  artefactPath: string,
  context: JobContext,
): AsyncGenerator<EngineEntry, void, undefined> {
  yield* entries;
  await context.reporter.enter('verifying');
  const { store, signal, files } = context;
  await store.put(logKey(artefactPath), await readFile(files.logPath), { signal });
}

function logKey(artefactPath: string): string {
  return `${artefactPath}log.jsonl`;
}

async function removeLog(artefactPath: string, { store, log }: JobContext): Promise<void> {
  try {
    await store.delete([logKey(artefactPath)]);
  } catch (error) {
    log.warning('cannot remove the log from the bucket', { error: describeError(error) });
  }
}

// A backup that is complete stays one if the engine cannot tidy up behind itself.
async function dispose(
  source: AsyncDisposable,
  isWritten: boolean,
  { log }: JobContext,
): Promise<void> {
  try {
    await source[Symbol.asyncDispose]();
  } catch (error) {
    log.warning(
      isWritten
        ? 'the engine could not tidy up after the backup'
        : 'the engine stopped with an error',
      { error: describeError(error) },
    );
  }
}
