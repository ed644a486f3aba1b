/** One restore: everything is fetched and verified beside the live data before these are touched. */
import type { Proof, RestorePlan, RestoreRequest, StagedRestore } from '#engines';
import { type KeyRing, openSnapshot, pinSnapshot, type Snapshot, verifySnapshot } from '#snapshots';
import { describeError, formatBytes, HintError } from '#system';
import { type JobContext, sourceOf } from './job-context.ts';
import type { Outcome } from './job-files.ts';
import { performItemRestore } from './perform-item-restore.ts';
import { performUndo } from './perform-undo.ts';
import {
  describeReplaced,
  orNeedRecovery,
  proveStaged,
  replaceLive,
  undoableUntil,
} from './replace-data.ts';
import { describeDryRun } from './restore-report.ts';
import { keysForRestore } from './snapshot-keys.ts';

/**
 * A restore, the dry run of one, or an undo, as the job says.
 * @throws RecoveryNeededError when the database is in a state that only the engine's recovery ends;
 *   anything else thrown leaves the old data serving, unless it is `forced-restore-failed`
 */
export async function performRestore(context: JobContext): Promise<Outcome> {
  await context.reporter.enter('running');
  if (context.spec.items !== undefined) {
    return await performItemRestore(context, context.spec.items);
  }
  return context.spec.undoOf === undefined
    ? await restoreSnapshot(context)
    : await performUndo(context);
}

async function restoreSnapshot(context: JobContext): Promise<Outcome> {
  const { engine, signal, spec, store } = context;
  const keys = await keysForRestore(context, sourceOf(context));
  const snapshot = await openSnapshot(store, sourceOf(context), { keys, signal });
  const request = requestFor(snapshot, context);
  const plan = await engine.prepareRestore(request);
  signal.throwIfAborted();
  const found = await fetchAndProve({ snapshot, keys }, request, plan, context);
  return spec.isDryRun === true
    ? await endDryRun(snapshot, plan, found, context)
    : await replace(snapshot, found, context);
}

/** What lies ready to replace the live data; nothing in a dry run without room for it. */
interface Proved {
  readonly staged: StagedRestore | undefined;
  readonly proof: Proof | undefined;
  readonly tookMs: number;
}

interface Source {
  readonly snapshot: Snapshot;
  readonly keys: KeyRing | undefined;
}

/** Nobody deletes the snapshot while it is read. */
async function fetchAndProve(
  { snapshot, keys }: Source,
  request: RestoreRequest,
  plan: RestorePlan,
  context: JobContext,
): Promise<Proved> {
  const { store, spec, signal, clock, log } = context;
  const begun = performance.now();
  await using pin = await pinSnapshot(store, snapshot.artefactPath, {
    who: `restore ${spec.jobId}`,
    signal,
  });
  const { artefactPath } = snapshot;
  log.info('snapshot opened', { artefactPath, isProtected: pin.isHeld });
  await verifySnapshot(store, artefactPath, { level: 'structure', keys, signal, clock });
  if (plan.dropsLiveData) {
    await proveReadable({ snapshot, keys }, context);
    if (spec.isDryRun === true) {
      return { staged: undefined, proof: undefined, tookMs: performance.now() - begun };
    }
  }
  const staged = await context.engine.createRestore(request);
  const proof = await stage(staged, snapshot, context);
  return { staged, proof, tookMs: performance.now() - begun };
}

/** The last chance to find damage while there still are data to keep. */
async function proveReadable(
  { snapshot: { artefactPath }, keys }: Source,
  { store, reporter, signal, clock }: JobContext,
): Promise<void> {
  await reporter.enter('verifying');
  await verifySnapshot(store, artefactPath, {
    level: 'full',
    keys,
    signal,
    clock,
    onProgress: ({ bytesVerified, totalBytes }) => reporter.update(bytesVerified, totalBytes),
  });
}

function requestFor({ manifest }: Snapshot, { spec }: JobContext): RestoreRequest {
  return {
    attributes: manifest.attributes,
    totalBytes: manifest.totals.bytes,
    name: spec.jobId,
    keepHours: spec.keepHours ?? 0,
    isForced: spec.isForced === true,
  };
}

async function stage(
  staged: StagedRestore,
  snapshot: Snapshot,
  context: JobContext,
): Promise<Proof> {
  try {
    context.signal.throwIfAborted();
    return staged.plan.dropsLiveData
      ? await dropAndFetch(staged, snapshot, context)
      : await fetchBeside(staged, snapshot, context);
  } catch (error) {
    await orNeedRecovery(async () => await staged.abort());
    throw error;
  }
}

async function fetchBeside(
  staged: StagedRestore,
  snapshot: Snapshot,
  context: JobContext,
): Promise<Proof> {
  await context.reporter.enter('fetching');
  await fetch(staged, snapshot, context);
  await context.reporter.enter('verifying');
  return await proveStaged(staged, context);
}

// Without old data there is no way back but forward: nothing stops it from here on, and its phase says so.
async function dropAndFetch(
  staged: StagedRestore,
  snapshot: Snapshot,
  context: JobContext,
): Promise<Proof> {
  const unstoppable = { ...context, signal: new AbortController().signal };
  await context.reporter.enter('swapping');
  context.log.warning('no room for two copies: dropping the live data first, as forced');
  await orNeedRecovery(async () => await staged.makeRoom());
  try {
    await fetch(staged, snapshot, unstoppable);
    return await proveStaged(staged, unstoppable);
  } catch (error) {
    throw nothingServes(error);
  }
}

async function fetch(
  { stagingDirectory: directory }: StagedRestore,
  snapshot: Snapshot,
  { signal, reporter, pace }: JobContext,
): Promise<void> {
  await snapshot.restoreTo({
    directory,
    signal,
    pace: async (bytes) => await pace.disk(bytes, signal),
    onProgress: ({ bytesVerified, totalBytes }) => reporter.update(bytesVerified, totalBytes),
  });
}

function nothingServes(reason: unknown): HintError {
  return new HintError(
    `cannot restore, and nothing serves: the old data were dropped beforehand, as force allows: ${describeError(reason)}`,
    { code: 'forced-restore-failed', hint: 'restore this or another backup', cause: reason },
  );
}

async function replace(
  { artefactPath, manifest }: Snapshot,
  { staged }: Proved,
  context: JobContext,
): Promise<Outcome> {
  if (staged === undefined) {
    throw new HintError('cannot restore: nothing was staged', { code: 'internal-error' });
  }
  const replaced = await replaceLive(staged, context);
  const size = manifest.totals.bytes;
  context.log.info('restore complete', { artefactPath, bytes: size });
  const { droppedCopies, dropsLiveData } = staged.plan;
  const notes = [
    `${formatBytes(size)} restored, ${describeReplaced(replaced)}`,
    ...droppedCopies.map(({ name }) => `what ${name} had replaced was dropped to make room`),
    ...(dropsLiveData ? ['what it replaced was dropped beforehand, as forced'] : []),
  ];
  const message = notes.join('; ');
  return { status: 'success', artefactPath, size, message, ...undoableUntil(replaced.kept) };
}

async function endDryRun(
  snapshot: Snapshot,
  plan: RestorePlan,
  { staged, proof, tookMs }: Proved,
  { spec }: JobContext,
): Promise<Outcome> {
  await orNeedRecovery(async () => await staged?.abort());
  const { manifest, artefactPath } = snapshot;
  return {
    status: 'success',
    artefactPath,
    size: manifest.totals.bytes,
    message: `dry run: ${formatBytes(manifest.totals.bytes)} could be restored; the live data were not touched`,
    report: describeDryRun({ manifest, plan, proof, tookMs, keepHours: spec.keepHours ?? 0 }),
  };
}
