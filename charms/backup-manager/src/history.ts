/**
 * What was ever asked, and how it ended: the entries kept in the peer databag. Pure.
 * They outlive relations and units, and end only by clear-history or by the bound.
 */
import type { Job, JobState, JobType } from '#database-backup';

/** A job as it was asked for; keys and passphrase are added when it is sent. */
export type HeldJob = Omit<Job, 'storageConfig' | 'encryption'>;

/** `requested`: no provider unit has spoken about it yet. */
type EntryState = 'requested' | JobState;

export interface HistoryEntry {
  readonly jobId: string;
  readonly jobType: JobType;
  /** Name of the related application. */
  readonly database: string;
  /** The relation it was asked over; a relation made anew is another one. */
  readonly relationId: number;
  readonly state: EntryState;
  readonly requestedAt: string;
  readonly startedAt?: string | undefined;
  readonly finishedAt?: string | undefined;
  /** The provider unit that performs or performed it. */
  readonly unit?: string | undefined;
  readonly artefactPath?: string | undefined;
  readonly size?: number | undefined;
  /** Bytes a backup added to the bucket. */
  readonly storedSize?: number | undefined;
  /** Names the key a backup is encrypted with. */
  readonly keyId?: string | undefined;
  readonly message?: string | undefined;
  readonly errorCode?: string | undefined;
  readonly hint?: string | undefined;
  // Entries of version 0.1 have none of these.
  readonly label?: string | undefined;
  readonly isDryRun?: boolean | undefined;
  readonly isForced?: boolean | undefined;
  /** A backup that was to be encrypted. */
  readonly isEncrypted?: boolean | undefined;
  /** A restore of these files and directories only, beside the live data. */
  readonly items?: readonly string[] | undefined;
  /** The restore that this one takes back. */
  readonly undoOf?: string | undefined;
  /** Until when it can be undone. */
  readonly undoableUntil?: string | undefined;
  /** Not sent yet: the job, without keys. Only where it waits for the database to introduce itself. */
  readonly held?: HeldJob | undefined;
  /** When somebody asked to cancel it. */
  readonly cancelRequestedAt?: string | undefined;
  /** What a dry run found. */
  readonly report?: string | undefined;
  /** The end of the log of a job that failed. */
  readonly logTail?: readonly string[] | undefined;
}

/** Finished entries kept unless told: about 0.5 KB each, and years of nightly backups. */
export const DEFAULT_LIMIT = 1000;
export const MAX_LIMIT = 10_000;

// Logs and reports are long, and of interest for the latest.
const MAX_DETAILED = 50;

/** Whether the entry has its outcome; it never changes after that. */
export function isFinished(entry: HistoryEntry): boolean {
  return entry.state === 'success' || entry.state === 'error';
}

/** Ids of the relations over which something unfinished was asked. */
export function busyRelations(history: readonly HistoryEntry[]): ReadonlySet<number> {
  return new Set(history.filter((entry) => !isFinished(entry)).map((entry) => entry.relationId));
}

/** Whether it changed data when it ended well. */
export function isRealRestore(entry: HistoryEntry): boolean {
  return entry.jobType === 'restore' && entry.isDryRun !== true && entry.items === undefined;
}

/** Reads the databag's text; what is not an entry is left out. Never throws. */
export function parseHistory(text: string | undefined): readonly HistoryEntry[] {
  const list = decodeList(text);
  return list.filter(isEntry);
}

/** Text for the databag: oldest first, the oldest finished ones dropped beyond the bound. */
export function encodeHistory(entries: readonly HistoryEntry[], limit = DEFAULT_LIMIT): string {
  const finished = entries.filter(isFinished).length;
  let position = 0;
  const kept = entries.flatMap((entry) => {
    if (!isFinished(entry)) {
      return [entry];
    }
    position += 1;
    const newer = finished - position;
    return newer >= limit ? [] : [newer < MAX_DETAILED ? entry : withoutDetails(entry)];
  });
  return JSON.stringify(kept);
}

function withoutDetails(entry: HistoryEntry): HistoryEntry {
  return entry.logTail === undefined && entry.report === undefined
    ? entry
    : { ...entry, logTail: undefined, report: undefined };
}

/** What is known of each relation's backups, by relation id. Outlives cleared history. */
export type LastBackups = ReadonlyMap<number, LastBackup>;

export interface LastBackup {
  readonly relationId: number;
  /** When the last successful one ended. */
  readonly finishedAt: string;
  // Those written by version 0.1 have none of these.
  readonly database?: string | undefined;
  readonly artefactPath?: string | undefined;
  readonly size?: number | undefined;
  /** Names the key it is encrypted with; undefined where it is not. */
  readonly keyId?: string | undefined;
  /** When one of this application was last proved restorable, and which. */
  readonly verifiedAt?: string | undefined;
  readonly verifiedPath?: string | undefined;
  /** When a backup of it was last restored or tried, and how long that took. */
  readonly restoredAt?: string | undefined;
  readonly restoreSeconds?: number | undefined;
  /** Size of the backup before, where the last one is less than half of it: data may be missing. */
  readonly shrunkFrom?: number | undefined;
  /** When retention was last begun. */
  readonly retainedAt?: string | undefined;
}

/** Reads the databag's text. Never throws. */
export function parseLastBackups(text: string | undefined): LastBackups {
  const valid = decodeList(text).filter(isLastBackup);
  return new Map(valid.map((one) => [one.relationId, one]));
}

/** Text for the databag. */
export function encodeLastBackups(lastBackups: LastBackups): string {
  return JSON.stringify([...lastBackups.values()]);
}

function decodeList(text: string | undefined): readonly unknown[] {
  try {
    const value: unknown = JSON.parse(text ?? '[]');
    return Array.isArray(value) ? value : [];
  } catch {
    return [];
  }
}

function isLastBackup(value: unknown): value is LastBackup {
  return (
    isRecord(value) &&
    typeof value['relationId'] === 'number' &&
    typeof value['finishedAt'] === 'string'
  );
}

const STATES: readonly unknown[] = ['requested', 'running', 'success', 'error'];
const TYPES: readonly unknown[] = ['backup', 'restore'];

function isEntry(value: unknown): value is HistoryEntry {
  return (
    isRecord(value) &&
    typeof value['jobId'] === 'string' &&
    typeof value['database'] === 'string' &&
    typeof value['relationId'] === 'number' &&
    typeof value['requestedAt'] === 'string' &&
    STATES.includes(value['state']) &&
    TYPES.includes(value['jobType'])
  );
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
