/** What `juju status` says about this application. Pure. */

import { formatBytes, formatDuration } from '#system';
import { percentDone } from './backup-presentation.ts';
import { coarseAge } from './durations.ts';
import { type HistoryEntry, isFinished, type LastBackup, type LastBackups } from './history.ts';
import { etaText, type LiveStatuses, percentOf, typeText } from './presentation.ts';
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

/** `juju status` shows no more of a message. */
const MAX_SHOWN = 120;
const MAX_REASON = 60;
/** With more databases their ages are a list, and that is what list-databases is for. */
const MAX_NAMED = 3;
const MAX_JOBS = 3;

/** Faults first; else how many databases are protected, what runs, what failed last, and how old backups are. */
export function describeStatus(input: StatusInput): StatusText {
  if (input.fault !== undefined) {
    return { kind: 'blocked', message: faultText(input.fault, input.application) };
  }
  if (input.databases.length === 0) {
    return {
      kind: 'blocked',
      message: `no database is related; run: juju integrate <database> ${input.application}`,
    };
  }
  const parts = [
    protectedPart(input),
    ...firstStep(input),
    ...runningParts(input),
    ...runningUpkeep(input),
    ...failedParts(input),
    ...failedUpkeep(input),
    ...shrunkParts(input),
    ...ageParts(input),
  ];
  return { kind: 'active', message: parts.join('; ') };
}

function protectedPart({ databases, lastBackups }: StatusInput): string {
  const count = databases.filter((one) => lastBackups.has(one.relationId)).length;
  const noun = databases.length === 1 ? 'database' : 'databases';
  return `${count} of ${databases.length} ${noun} protected${encryptedText(databases, lastBackups)}`;
}

/** Of the last backups, as they are in the bucket. */
function encryptedText(
  databases: StatusInput['databases'],
  lastBackups: StatusInput['lastBackups'],
): string {
  const last = databases.flatMap(({ relationId }) => lastBackups.get(relationId) ?? []);
  const encrypted = last.filter(({ keyId }) => keyId !== undefined).length;
  if (encrypted === 0) {
    return '';
  }
  return encrypted === last.length ? ', encrypted' : `, ${encrypted} of them encrypted`;
}

/** All of it where it fits; else what is wrong in short, and the command that tells more. */
function faultText({ code, message, hint }: StorageFault, application: string): string {
  const full = `${message}; ${hint}`;
  if (full.length <= MAX_SHOWN || CONFIGURED.includes(code)) {
    return full;
  }
  const rest = `; run: juju run ${application}/leader check-storage`;
  const room = MAX_SHOWN - rest.length;
  const forms = shortForms(message);
  const fitting = forms.find((form) => form.length <= room);
  return `${fitting ?? `${forms.at(-1)?.slice(0, room - 1)}…`}${rest}`;
}

/** Their hint is the command that ends them. */
const CONFIGURED: readonly string[] = [
  'not-configured',
  'configured-twice',
  'secret-not-granted',
  'bad-secret',
  'invalid-configuration',
  'invalid-retention',
  'invalid-rate',
  'bad-passphrase',
];

/** From the most telling to the shortest: with the bucket and the server, with the one that matters, with neither. */
function shortForms(message: string): readonly string[] {
  const [place = '', bucket = '', server = ''] =
    /^cannot [^:]*?(bucket "[^"]*") at (?:https?:\/\/)?(\S+): /.exec(message) ?? [];
  const what = message.slice(place.length);
  const bare = `S3: ${what}`;
  if (place === '') {
    return [bare];
  }
  const named = what.includes('bucket') ? `S3 ${bucket}: ${what}` : `S3 at ${server}: ${what}`;
  return [`S3 ${bucket} at ${server}: ${what}`, named, bare];
}

/** Where nothing was ever asked. */
function firstStep({ history, lastBackups, application }: StatusInput): readonly string[] {
  return history.length === 0 && lastBackups.size === 0
    ? [`run: juju run ${application}/leader create-backup`]
    : [];
}

function shrunkParts({ databases, lastBackups }: StatusInput): readonly string[] {
  return databases.flatMap(({ relationId }) => {
    const last = lastBackups.get(relationId);
    return last?.shrunkFrom === undefined ? [] : [shrunkText(last)];
  });
}

/** That the last backup is much smaller than the one before. */
export function shrunkText({ database = 'one', size = 0, shrunkFrom = 0 }: LastBackup): string {
  return `last backup of ${database} has ${formatBytes(size)}, the one before ${formatBytes(shrunkFrom)}`;
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
  if (entry.items !== undefined) {
    return 'restoring items of';
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
      latest.set(`${entry.relationId} ${typeText(entry)}`, entry);
    }
  }
  const related = new Set(databases.map((one) => one.relationId));
  return [...latest.values()]
    .filter((entry) => entry.state === 'error' && related.has(entry.relationId))
    .map(
      (entry) =>
        `last ${typeText(entry)} of ${entry.database} failed: ${reason(entry.message)}; see show-job`,
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

function agesText(last: LastBackup, now: Date): string {
  const { finishedAt, verifiedAt, restoredAt, restoreSeconds } = last;
  const age = (time: string): string => coarseAge(now.getTime() - Date.parse(time));
  const verified = verifiedAt === undefined ? '' : `, verified ${age(verifiedAt)} ago`;
  const proved =
    restoredAt === undefined || restoreSeconds === undefined || restoredAt !== verifiedAt
      ? verified
      : `, proved restorable ${age(restoredAt)} ago in ${formatDuration(restoreSeconds * 1000)}`;
  return `${age(finishedAt)} ago${proved}`;
}

function reason(message = 'no reason given'): string {
  const text = oneLine(message);
  return text.length > MAX_REASON ? `${text.slice(0, MAX_REASON)}…` : text;
}
