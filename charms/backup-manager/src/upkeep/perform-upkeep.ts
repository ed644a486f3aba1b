/** What the process of an upkeep does in the bucket. */
import type { ObjectStore } from '#object-store';
import {
  deleteSnapshot,
  isSnapshotError,
  type KeyRing,
  keysFor,
  listSnapshots,
  openKeyRing,
  parseRetention,
  planRetention,
  type SnapshotInfo,
  type SweepReport,
  sweep,
  verifySnapshot,
} from '#snapshots';
import { type Clock, formatBytes, formatDuration, HintError } from '#system';
import { candidatesFor, type RetentionTarget } from '../retention-targets.ts';
import type { Proof, UpkeepTask } from './upkeep.ts';

export interface UpkeepContext {
  readonly store: ObjectStore;
  /** What opens encrypted backups. */
  readonly passphrases: readonly string[] | undefined;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: { readonly bytes: number; readonly totalBytes: number }) => void;
  readonly log: (line: string) => void;
}

export interface UpkeepOutcome {
  readonly message: string;
  readonly proofs?: readonly Proof[];
}

/** @throws HintError saying what is damaged, or what the storage refuses */
export async function performUpkeep(
  task: UpkeepTask,
  context: UpkeepContext,
): Promise<UpkeepOutcome> {
  switch (task.kind) {
    case 'verify':
      return await verify(task.artefactPath, context);
    case 'retention':
      return await retain(task, context);
    case 'sweep':
      return await sweepAll(task, context);
  }
}

async function verify(
  path: string,
  { store, passphrases, clock, signal, onProgress }: UpkeepContext,
): Promise<UpkeepOutcome> {
  const keys = await keysFor(store, path, passphrases, { signal });
  const { artefactPath, readBytes, elapsedMs } = await verifySnapshot(store, path, {
    level: 'full',
    keys,
    clock,
    signal,
    onProgress: ({ bytesVerified, totalBytes }) => onProgress({ bytes: bytesVerified, totalBytes }),
  });
  return {
    message: `all of it can be restored: ${formatBytes(readBytes)} read in ${formatDuration(elapsedMs)}`,
    proofs: [{ artefactPath, verifiedAt: clock.now().toISOString() }],
  };
}

async function retain(
  task: UpkeepTask & { readonly kind: 'retention' },
  context: UpkeepContext,
): Promise<UpkeepOutcome> {
  const messages: string[] = [];
  const proofs: Proof[] = [];
  const swept: string[] = [];
  for (const target of task.targets) {
    // One application after the other: the bucket serves backups at the same time.
    // oxlint-disable-next-line no-await-in-loop
    const result = await retainOne(target, task.rules, context);
    messages.push(result.message);
    proofs.push(...result.proofs);
    swept.push(...(result.isKnown ? [target.prefix] : []));
  }
  if (task.sweeps) {
    const order = { prefixes: swept, isDryRun: false, rules: task.rules };
    messages.push((await sweepAll(order, context)).message);
  }
  return { message: messages.join('; '), proofs };
}

async function retainOne(
  target: RetentionTarget,
  rules: string,
  context: UpkeepContext,
): Promise<{ message: string; proofs: readonly Proof[]; isKnown: boolean }> {
  const { store, clock, signal } = context;
  const parsed = parseRetention(rules);
  const listing = await listSnapshots(store, `${target.prefix}backups/`, { signal, clock });
  const candidates = candidatesFor(target, listing.snapshots.map(candidate));
  if (candidates === undefined || parsed === undefined) {
    const message = `${target.database}: its last backup is not in this bucket, so nothing was decided`;
    return { message, proofs: [], isKnown: false };
  }
  const decisions = planRetention(candidates, parsed, clock.now());
  const doomed = decisions.filter(({ keep }) => !keep);
  let deleted = 0;
  for (const { artefactPath, reasons } of doomed) {
    // oxlint-disable-next-line no-await-in-loop
    const isGone = await deleteUnlessNeeded(artefactPath, context);
    deleted += isGone ? 1 : 0;
    context.log(`${isGone ? 'deleted' : 'left'} ${artefactPath}: ${reasons.join(', ')}`);
  }
  const newest = candidates
    .filter(({ verifiedAt }) => verifiedAt !== undefined)
    .toSorted((a, b) => ((a.verifiedAt ?? '') < (b.verifiedAt ?? '') ? 1 : -1))[0];
  return {
    message: `${target.database}: ${decisions.length - deleted} kept, ${deleted} deleted`,
    proofs:
      newest?.verifiedAt === undefined
        ? []
        : [{ artefactPath: newest.artefactPath, verifiedAt: newest.verifiedAt }],
    isKnown: true,
  };
}

function candidate({ artefactPath, manifest, marks }: SnapshotInfo) {
  const modelUuid = manifest.attributes['model-uuid'];
  return {
    artefactPath,
    createdAt: manifest.createdAt,
    modelUuid: typeof modelUuid === 'string' ? modelUuid : undefined,
    verifiedAt: marks.verifiedAt,
    damagedAt: marks.damagedAt,
    isKept: marks.isKept,
    isPinned: marks.isPinned,
  };
}

/** Marked or read since the decision, or gone already: then it is left as it is. */
async function deleteUnlessNeeded(
  artefactPath: string,
  { store, clock, signal }: UpkeepContext,
): Promise<boolean> {
  try {
    await deleteSnapshot(store, artefactPath, { clock, signal });
    return true;
  } catch (error) {
    const codes = ['kept', 'in-use', 'not-found', 'deleted'] as const;
    if (codes.some((code) => isSnapshotError(error, code))) {
      return false;
    }
    throw error;
  }
}

/** Those of an application whose backups were never encrypted are none. */
async function keysIn(
  prefix: string,
  { store, passphrases, signal }: Pick<UpkeepContext, 'store' | 'passphrases' | 'signal'>,
): Promise<KeyRing | undefined> {
  return passphrases === undefined
    ? undefined
    : await openKeyRing({ store, chunkPrefix: `${prefix}chunks/`, signal }, passphrases);
}

type SweepOrder = Pick<UpkeepTask & { readonly kind: 'sweep' }, 'prefixes' | 'isDryRun' | 'rules'>;

async function sweepAll(
  { prefixes, isDryRun: dryRun, rules = '' }: SweepOrder,
  { store, passphrases, clock, signal, log }: UpkeepContext,
): Promise<UpkeepOutcome> {
  const failed = parseRetention(rules);
  const reports: SweepReport[] = [];
  for (const prefix of prefixes) {
    // oxlint-disable-next-line no-await-in-loop
    const keys = await keysIn(prefix, { store, passphrases, signal });
    // oxlint-disable-next-line no-await-in-loop
    reports.push(await sweep(store, prefix, { clock, signal, dryRun, keys, failed }));
  }
  const removed = dryRun ? 'would remove' : 'removed';
  for (const { artefactPath, keep, reasons } of reports.flatMap(({ attempts }) => attempts)) {
    log(`${keep ? 'left' : removed} ${artefactPath}: ${reasons.join(', ')}`);
  }
  return { message: `${removed} ${sweptText(reports)}` };
}

/** @throws HintError where the storage did not let something go */
function sweptText(reports: readonly SweepReport[]): string {
  const sum = (pick: (report: SweepReport) => number): number =>
    reports.reduce((total, report) => total + pick(report), 0);
  const retained = sum(({ retainedObjects }) => retainedObjects);
  if (retained > 0) {
    const reason = reports.find((one) => one.retainedReason !== undefined)?.retainedReason;
    throw new HintError(`the storage kept ${retained} objects that nobody needs: ${reason}`, {
      code: 'not-deleted',
      hint: 'allow s3:DeleteObject, or wait until they are no longer locked',
    });
  }
  const left = sum(({ attempts }) => attempts.filter(({ keep }) => keep).length);
  const packs = `${sum(({ removedPacks }) => removedPacks)} of ${sum((report) => report.packs)} packs`;
  const remains = `${sum(({ removedArtefacts }) => removedArtefacts.length)} remains of backups`;
  const rest = left === 0 ? '' : `; ${left} not completed ${left === 1 ? 'stays' : 'stay'}`;
  return `${formatBytes(sum(({ removedBytes }) => removedBytes))} that no backup needs (${packs}, ${remains})${rest}`;
}
