/** What `juju status` says about this application. Pure. */
import { percentDone } from './backup-presentation.ts';
import { coarseAge } from './durations.ts';
import { type HistoryEntry, isFinished, type LastBackup, type LastBackups } from './history.ts';
import { etaText, type LiveStatuses, percentOf } from './presentation.ts';
import type { StorageFault } from './storage-settings.ts';
import { oneLine } from './table.ts';
import type { UpkeepKind, UpkeepRecord } from './upkeep/upkeep.ts';

export interface StatusInput {
  readonly application: string;
  /** What keeps backups from being stored, or is wrong with the configuration. */
  readonly fault: StorageFault | undefined;
  readonly databases: readonly { readonly relationId: number }[];
  readonly history: readonly HistoryEntry[];
  readonly lastBackups: LastBackups;
  /** What the databases say of unfinished jobs. */
  readonly live: LiveStatuses;
  readonly upkeep: readonly UpkeepRecord[];
  readonly now: Date;
}

export interface StatusText {
  readonly kind: 'active' | 'blocked';
  readonly message: string;
}

// `juju status` shows the first 120 characters.
const MAX_REASON = 60;
/** With more databases their ages are a list, and that is what list-databases is for. */
const MAX_NAMED = 3;
const MAX_JOBS = 3;

/** Faults first; else how many databases are protected, what runs, what failed last, and how old backups are. */
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
  const parts = [
    protectedPart(input),
    ...runningParts(input),
    ...runningUpkeep(input),
    ...failedParts(input),
    ...failedUpkeep(input),
    ...ageParts(input),
  ];
  return { kind: 'active', message: parts.join('; ') };
}

function protectedPart({ databases, lastBackups }: StatusInput): string {
  const count = databases.filter((one) => lastBackups.has(one.relationId)).length;
  return `${count} of ${databases.length} ${databases.length === 1 ? 'database' : 'databases'} protected`;
}

const VERBS = { backup: 'backing up', restore: 'restoring' } as const;

function runningParts({ history, live }: StatusInput): readonly string[] {
  const open = history.filter((entry) => !isFinished(entry));
  const shown = open.slice(0, open.length > MAX_JOBS ? MAX_JOBS - 1 : MAX_JOBS);
  const texts = shown.map((entry) => {
    const details = openText(entry, live);
    return `${verbOf(entry)} ${entry.database}${details === '' ? '' : ` (${details})`}`;
  });
  return open.length > shown.length
    ? [...texts, `and ${open.length - shown.length} more jobs`]
    : texts;
}

function verbOf(entry: HistoryEntry): string {
  if (entry.undoOf !== undefined) {
    return 'undoing a restore of';
  }
  return entry.isDryRun === true ? 'trying a restore of' : VERBS[entry.jobType];
}

function openText(entry: HistoryEntry, live: LiveStatuses): string {
  if (entry.cancelRequestedAt !== undefined) {
    return 'cancelling';
  }
  if (entry.state === 'requested') {
    return 'requested';
  }
  const status = live.get(entry.jobId);
  if (status?.queue !== undefined) {
    return `waiting, number ${status.queue.position}`;
  }
  const percent = percentOf(status);
  return [percent === undefined ? undefined : `${percent} %`, etaText(status)]
    .filter((part) => part !== undefined)
    .join(', ');
}

const UPKEEP_VERBS: Readonly<Record<UpkeepKind, string>> = {
  verify: 'verifying a backup',
  retention: 'applying retention',
  sweep: 'sweeping',
};

function runningUpkeep({ upkeep }: StatusInput): readonly string[] {
  return upkeep
    .filter(({ state }) => state === 'running')
    .map((record) => {
      const percent = percentDone(record);
      return `${UPKEEP_VERBS[record.kind]}${percent === undefined ? '' : ` (${percent} %)`}`;
    });
}

/** A failure is shown until a later job of the same kind ends well, or the history is cleared. */
function failedParts({ databases, history }: StatusInput): readonly string[] {
  const latest = new Map<string, HistoryEntry>();
  for (const entry of history) {
    // Nothing failed where somebody stopped it.
    if (isFinished(entry) && entry.errorCode !== 'cancelled') {
      latest.set(`${entry.relationId} ${entry.jobType}`, entry);
    }
  }
  const related = new Set(databases.map((one) => one.relationId));
  return [...latest.values()]
    .filter((entry) => entry.state === 'error' && related.has(entry.relationId))
    .map(
      (entry) =>
        `last ${entry.jobType} of ${entry.database} failed: ${reason(entry.message)}; see show-job`,
    );
}

/** The same for upkeep; the records are newest first. */
function failedUpkeep({ upkeep }: StatusInput): readonly string[] {
  const latest = new Map<string, UpkeepRecord>();
  for (const record of upkeep.toReversed()) {
    if (record.state !== 'running' && record.errorCode !== 'cancelled') {
      latest.set(record.kind === 'verify' ? record.subject : record.kind, record);
    }
  }
  return [...latest.values()]
    .filter(({ state }) => state === 'error')
    .map(({ kind, message }) =>
      kind === 'verify'
        ? `verification failed: ${reason(message)}`
        : `${kind} failed: ${reason(message)}`,
    );
}

function ageParts({ databases, lastBackups, now }: StatusInput): readonly string[] {
  const known = databases.flatMap(({ relationId }) => lastBackups.get(relationId) ?? []);
  const timed = known.filter(({ finishedAt }) => !Number.isNaN(Date.parse(finishedAt)));
  if (timed.length === 0) {
    return [];
  }
  if (databases.length <= MAX_NAMED) {
    return timed.map((last) => `${last.database ?? 'one'} backed up ${agesText(last, now)}`);
  }
  const oldest = timed.toSorted((a, b) => (a.finishedAt < b.finishedAt ? -1 : 1))[0];
  return oldest === undefined
    ? []
    : [`oldest: ${oldest.database ?? 'one'} backed up ${agesText(oldest, now)}`];
}

function agesText({ finishedAt, verifiedAt }: LastBackup, now: Date): string {
  const age = (time: string): string => coarseAge(now.getTime() - Date.parse(time));
  const verified = verifiedAt === undefined ? '' : `, verified ${age(verifiedAt)} ago`;
  return `${age(finishedAt)} ago${verified}`;
}

function reason(message = 'no reason given'): string {
  const text = oneLine(message);
  return text.length > MAX_REASON ? `${text.slice(0, MAX_REASON)}…` : text;
}
