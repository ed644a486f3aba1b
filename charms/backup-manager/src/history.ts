/**
 * What was ever asked, and how it ended: the entries kept in the peer databag. Pure.
 * They outlive relations and units, and end only by clear-history or by the bound.
 */
import type { JobState, JobType } from '#database-backup';

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
  readonly message?: string | undefined;
  readonly errorCode?: string | undefined;
  readonly hint?: string | undefined;
}

// About 0.5 KB each: far below what Juju stores in a databag, and years of nightly backups.
const MAX_FINISHED = 1000;

/** Whether the entry has its outcome; it never changes after that. */
export function isFinished(entry: HistoryEntry): boolean {
  return entry.state === 'success' || entry.state === 'error';
}

/** Reads the databag's text; what is not an entry is left out. Never throws. */
export function parseHistory(text: string | undefined): readonly HistoryEntry[] {
  const list = decodeList(text);
  return list.filter(isEntry);
}

/** Text for the databag: oldest first, the oldest finished ones dropped beyond the bound. */
export function encodeHistory(entries: readonly HistoryEntry[]): string {
  let surplus = entries.filter(isFinished).length - MAX_FINISHED;
  const kept = entries.filter((entry) => {
    const isDropped = surplus > 0 && isFinished(entry);
    surplus -= isDropped ? 1 : 0;
    return !isDropped;
  });
  return JSON.stringify(kept);
}

/** The last successful backup made over each relation, by relation id. Outlives cleared history. */
export type LastBackups = ReadonlyMap<number, LastBackup>;

interface LastBackup {
  readonly relationId: number;
  readonly finishedAt: string;
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
