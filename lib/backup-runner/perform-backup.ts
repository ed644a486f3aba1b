/** One backup: the engine's entries go straight into a snapshot, whose manifest comes last. */
import { readFile } from 'node:fs/promises';
import type { EngineEntry } from '#engines';
import {
  draftSnapshot,
  normaliseArtefactPath,
  ReadBarrier,
  type RepositoryKey,
  type SnapshotSummary,
} from '#snapshots';
import { bothOrNeither, describeError, formatBytes, HintError } from '#system';
import type { JobContext } from './job-context.ts';
import type { Outcome } from './job-files.ts';
import type { JobSpec } from './job-spec.ts';
import { keyForBackup } from './snapshot-keys.ts';

/** @throws whatever stopped it; no manifest is left then */
export async function performBackup(context: JobContext): Promise<Outcome> {
  const artefactPath = targetOf(context);
  // Before the database is asked for anything: with the wrong passphrase there is no backup.
  const key = await keyForBackup(context);
  await context.reporter.enter('running');
  const scratchDirectory = await context.files.makeScratchDirectory();
  try {
    return await backUp(context, { artefactPath, key, scratchDirectory });
  } finally {
    await context.files.removeScratchDirectory();
  }
}

interface Target {
  readonly artefactPath: string;
  readonly key: RepositoryKey | undefined;
  readonly scratchDirectory: string;
}

async function backUp(context: JobContext, target: Target): Promise<Outcome> {
  const { spec, engine, signal, log } = context;
  const { artefactPath, key, scratchDirectory } = target;
  const reads = new ReadBarrier();
  const settleReads = async (): Promise<void> => await reads.settled();
  const size: Estimate = { bytes: undefined };
  // Side by side: the one waits for the database, the other for the storage.
  const [source, draft] = await bothOrNeither(
    engine.backup({ signal, scratchDirectory, settleReads }),
    draftSnapshot(draftOptions(context, target, size)),
  );
  size.bytes = source.estimatedBytes;
  let isWritten = false;
  try {
    const summary = await draft.write({
      entries: thenUploadLog(source.entries, artefactPath, context),
      attributes: { ...spec.attributes, ...source.attributes, 'job-id': spec.jobId },
      reads,
    });
    isWritten = true;
    log.info('backup complete', {
      artefactPath,
      bytes: summary.totalBytes,
      newBytes: summary.newBytes,
    });
    return outcomeOf(summary, key);
  } catch (error) {
    await removeLog(artefactPath, context);
    throw error;
  } finally {
    await dispose(source, isWritten, context);
  }
}

interface Estimate {
  /** Of the source, once the database has told. */
  bytes: number | undefined;
}

function draftOptions(
  { spec, store, pace, clock, signal, reporter }: JobContext,
  { artefactPath, key }: Target,
  size: Estimate,
): Parameters<typeof draftSnapshot>[0] {
  return {
    store,
    artefactPath,
    chunkPrefix: spec.chunkPrefix,
    compression: spec.compression,
    ...codingOf(spec),
    key,
    limitRead: async (bytes) => await pace.disk(bytes, signal),
    clock,
    signal,
    onProgress: ({ bytesRead }) => reporter.update(bytesRead, size.bytes),
  };
}

function outcomeOf(summary: SnapshotSummary, key: RepositoryKey | undefined): Outcome {
  const { artefactPath, totalBytes: size, newBytes } = summary;
  const message = `${formatBytes(size)} backed up, ${formatBytes(newBytes)} of it new in the bucket`;
  return key === undefined
    ? { status: 'success', artefactPath, size, newBytes, message }
    : {
        status: 'success',
        artefactPath,
        size,
        newBytes,
        message: `${message}, encrypted`,
        keyId: key.keyId,
      };
}

function codingOf({ compressionLevel, recheck }: JobSpec) {
  return {
    ...(compressionLevel === undefined ? {} : { level: compressionLevel }),
    ...(recheck === 'full' ? { recheckEvery: 1 } : {}),
  };
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
