/** What `juju status` says about this application. Pure. */
import { type HistoryEntry, isFinished, type LastBackups } from './history.ts';
import type { StorageFault } from './storage-settings.ts';
import { oneLine } from './table.ts';

export interface StatusInput {
  readonly application: string;
  /** Why nothing can be stored, if so. */
  readonly fault: StorageFault | undefined;
  readonly databases: readonly { readonly relationId: number }[];
  readonly history: readonly HistoryEntry[];
  readonly lastBackups: LastBackups;
  /** Job id → percent done, of running jobs whose end is known. */
  readonly percents: ReadonlyMap<string, number>;
}

export interface StatusText {
  readonly kind: 'active' | 'blocked';
  readonly message: string;
}

// `juju status` shows the first 120 characters.
const MAX_REASON = 60;

/** Faults first; else how many databases are protected, what runs, and what failed last. */
export function describeStatus(input: StatusInput): StatusText {
  if (input.fault !== undefined) {
    return { kind: 'blocked', message: `${input.fault.message}; ${input.fault.hint}` };
  }
  if (input.databases.length === 0) {
    return {
      kind: 'blocked',
      message: `no database is related; run: juju integrate <database> ${input.application}`,
    };
  }
  const parts = [protectedPart(input), ...runningParts(input), ...failedParts(input)];
  return { kind: 'active', message: parts.join('; ') };
}

function protectedPart({ databases, lastBackups }: StatusInput): string {
  const count = databases.filter((one) => lastBackups.has(one.relationId)).length;
  return `${count} of ${databases.length} ${databases.length === 1 ? 'database' : 'databases'} protected`;
}

const VERBS = { backup: 'backing up', restore: 'restoring' } as const;

function runningParts({ history, percents }: StatusInput): readonly string[] {
  return history
    .filter((entry) => !isFinished(entry))
    .map((entry) => {
      const percent = percents.get(entry.jobId);
      const details = entry.state === 'requested' ? 'requested' : percentText(percent);
      return `${VERBS[entry.jobType]} ${entry.database}${details === undefined ? '' : ` (${details})`}`;
    });
}

function percentText(percent: number | undefined): string | undefined {
  return percent === undefined ? undefined : `${percent} %`;
}

/** A failure is shown until a later job of the same kind ends well, or the history is cleared. */
function failedParts({ databases, history }: StatusInput): readonly string[] {
  const latest = new Map<string, HistoryEntry>();
  for (const entry of history.filter(isFinished)) {
    latest.set(`${entry.relationId} ${entry.jobType}`, entry);
  }
  const related = new Set(databases.map((one) => one.relationId));
  return [...latest.values()]
    .filter((entry) => entry.state === 'error' && related.has(entry.relationId))
    .map((entry) => `last ${entry.jobType} of ${entry.database} failed: ${reason(entry)}`);
}

function reason({ message = 'no reason given' }: HistoryEntry): string {
  const text = oneLine(message);
  return text.length > MAX_REASON ? `${text.slice(0, MAX_REASON)}…` : text;
}
