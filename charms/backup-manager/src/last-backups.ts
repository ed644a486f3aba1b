/** What follows from proofs and times for the last backups of each database. Pure. */
import type { HistoryEntry, LastBackup, LastBackups } from './history.ts';
import { applicationPrefix } from './retention-targets.ts';
import type { Proof } from './upkeep/upkeep.ts';

/** Notes when a backup of each application was last proved restorable. The same object where nothing is new. */
export function withProofs(lastBackups: LastBackups, proofs: readonly Proof[]): LastBackups {
  const known = proofs
    .map((proof) => ({ ...proof, prefix: applicationPrefix(proof.artefactPath) }))
    .filter(({ prefix }) => prefix !== undefined)
    .toSorted((a, b) => (a.verifiedAt < b.verifiedAt ? -1 : 1));
  const newest = new Map(known.map((proof) => [proof.prefix, proof]));
  let isChanged = false;
  const next = [...lastBackups.values()].map((last): LastBackup => {
    const proof = newest.get(applicationPrefix(last.artefactPath ?? ''));
    if (proof === undefined || proof.verifiedAt <= (last.verifiedAt ?? '')) {
      return last;
    }
    isChanged = true;
    return { ...last, verifiedAt: proof.verifiedAt, verifiedPath: proof.artefactPath };
  });
  return isChanged ? new Map(next.map((one) => [one.relationId, one])) : lastBackups;
}

/** Smaller than that by half, and somebody should look whether it holds all there was. */
const SHRUNK = 0.5;

/** Size of the backup before where `size` is suspiciously smaller; undefined where it is not, or nobody knows. */
export function shrunkFrom(
  before: number | undefined,
  size: number | undefined,
): number | undefined {
  return before !== undefined && size !== undefined && size < before * SHRUNK ? before : undefined;
}

/**
 * A restore that ended well has read and checked all of a backup and started a server on it, dry run or not: a proof,
 * and a measure of how long it takes. One that was forced may have passed over damage.
 */
export function withRestores(
  lastBackups: LastBackups,
  outcomes: readonly HistoryEntry[],
): LastBackups {
  const restores = outcomes.filter(
    ({ jobType, state, undoOf, isForced, items }) =>
      jobType === 'restore' &&
      state === 'success' &&
      undoOf === undefined &&
      isForced !== true &&
      // Some of it proves nothing of the rest.
      items === undefined,
  );
  const next = [...lastBackups.values()].map((last) => {
    const entry = restores.findLast(({ artefactPath }) => isSameOrigin(artefactPath, last));
    const [start, end] = [Date.parse(entry?.startedAt ?? ''), Date.parse(entry?.finishedAt ?? '')];
    if (entry === undefined || Number.isNaN(end - start)) {
      return last;
    }
    return {
      ...last,
      restoredAt: entry.finishedAt,
      restoreSeconds: Math.max(0, Math.round((end - start) / 1000)),
      verifiedAt: entry.finishedAt,
      verifiedPath: entry.artefactPath,
    };
  });
  return restores.length === 0 ? lastBackups : new Map(next.map((one) => [one.relationId, one]));
}

/** Whether a backup is one of those the last backup of a database is of. */
function isSameOrigin(artefactPath: string | undefined, last: LastBackup): boolean {
  const prefix = applicationPrefix(artefactPath ?? '');
  return prefix === undefined
    ? artefactPath !== undefined && artefactPath === last.artefactPath
    : prefix === applicationPrefix(last.artefactPath ?? '');
}

/** Version 0.1 did not note which backup it was; its history may tell. */
export function completed(last: LastBackup, history: readonly HistoryEntry[]): LastBackup {
  if (last.artefactPath !== undefined) {
    return last;
  }
  const entry = history.findLast(
    (one) =>
      one.relationId === last.relationId && one.jobType === 'backup' && one.state === 'success',
  );
  return entry === undefined
    ? last
    : { ...last, database: entry.database, artefactPath: entry.artefactPath, size: entry.size };
}

const DAY_MS = 86_400_000;

/** Those with a backup that retention has not seen yet, or where it was last looked at a day ago. */
export function dueForRetention(
  lastBackups: LastBackups,
  options: { readonly now: Date; readonly isDaily: boolean },
): LastBackups {
  const horizon = options.now.getTime() - DAY_MS;
  const due = [...lastBackups.values()].filter((one) => {
    // What it lacks may be in the older ones only.
    if (one.shrunkFrom !== undefined) {
      return false;
    }
    const { finishedAt, retainedAt } = one;
    const last = Date.parse(retainedAt ?? '');
    return (
      Number.isNaN(last) || last < Date.parse(finishedAt) || (options.isDaily && last <= horizon)
    );
  });
  return new Map(due.map((one) => [one.relationId, one]));
}
