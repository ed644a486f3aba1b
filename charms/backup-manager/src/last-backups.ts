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
  const due = [...lastBackups.values()].filter(({ finishedAt, retainedAt }) => {
    const last = Date.parse(retainedAt ?? '');
    return (
      Number.isNaN(last) || last < Date.parse(finishedAt) || (options.isDaily && last <= horizon)
    );
  });
  return new Map(due.map((one) => [one.relationId, one]));
}
