/**
 * Which unit runs the jobs. The units are independent servers, so it must not move with the leadership: backups of
 * now this server, now that one, would be taken for one history. Pure; docs/decisions/0006-assignment.md.
 */
import type { Ledger, LedgerEntry, Primary } from './ledger.ts';

/** The record in the text; undefined when there is none or it is damaged. */
export function parsePrimary(text: string | undefined): Primary | undefined {
  try {
    const raw = JSON.parse(text ?? 'null') as Partial<Primary> | null;
    return typeof raw?.unit === 'string' && Number.isInteger(raw.epoch)
      ? { unit: raw.unit, epoch: raw.epoch ?? 0 }
      : undefined;
  } catch {
    return undefined;
  }
}

export function encodePrimary({ unit, epoch }: Primary): string {
  return JSON.stringify({ unit, epoch });
}

export interface Election {
  readonly recorded: Primary | undefined;
  readonly ledger: Ledger;
  /** The leader, who elects. */
  readonly self: string;
  /** Units the leader sees, itself included; a young leader does not see all of them yet. */
  readonly living: ReadonlySet<string>;
  /** Units known to be gone. */
  readonly gone: ReadonlySet<string>;
}

/** Keeps the primary as long as it may live; undefined while nobody can tell who it was. */
export function electPrimary(election: Election): Primary | undefined {
  const { recorded, ledger, self, living, gone } = election;
  if (recorded !== undefined && !gone.has(recorded.unit)) {
    return recorded;
  }
  const epoch = highestEpoch(recorded, ledger) + 1;
  // Versions without a record ran jobs on the leader of the day: the last one of these holds the data.
  const former = recorded === undefined ? [...ledger.values()].at(-1)?.unit : undefined;
  if (former === undefined || gone.has(former)) {
    return { unit: self, epoch };
  }
  return living.has(former) ? { unit: former, epoch } : undefined;
}

function highestEpoch(recorded: Primary | undefined, ledger: Ledger): number {
  return [...ledger.values()].reduce(
    (highest, entry) => Math.max(highest, entry.epoch ?? 0),
    recorded?.epoch ?? 0,
  );
}

/** Whether the unit a job was assigned to may still take it up: nobody has, and the assignment still counts. */
export function isFresh(
  entry: LedgerEntry,
  primary: Primary | undefined,
  ownClaims: ReadonlySet<string>,
  jobId: string,
): boolean {
  return (
    entry.outcome === undefined &&
    entry.isTaken !== true &&
    entry.epoch !== undefined &&
    entry.epoch === primary?.epoch &&
    !ownClaims.has(jobId)
  );
}
