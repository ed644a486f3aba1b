/** Jobs and backups as people read them (tables) and as programs do (flat values). Pure. */
import type { UnitJobStatus } from '#database-backup';
import { formatBytes, formatDuration } from '#system';
import { type HistoryEntry, isFinished } from './history.ts';
import type { BackupInfo } from './storage.ts';
import { oneLine, textTable } from './table.ts';

/** Progress of running jobs by job id, as the databases tell it now. */
export type LiveStatuses = ReadonlyMap<string, UnitJobStatus>;

/** A flat record for action results: keys Juju allows, values as text. */
export type FlatRecord = Readonly<Record<string, string>>;

/** Percent done, whole; undefined when the end is not known. */
export function percentOf(status: UnitJobStatus | undefined): number | undefined {
  const { bytes, total, percent } = status?.progress ?? {};
  const known =
    percent ??
    (bytes === undefined || total === undefined || total === 0 ? undefined : (bytes / total) * 100);
  return known === undefined ? undefined : Math.min(100, Math.max(0, Math.floor(known)));
}

/** An aligned table, newest first. */
export function jobsTable(entries: readonly HistoryEntry[], live: LiveStatuses, now: Date): string {
  return textTable(
    ['JOB', 'DATABASE', 'TYPE', 'STATUS', 'REQUESTED', 'TIME', 'SIZE', 'DETAILS'],
    entries.map((entry) => {
      const status = live.get(entry.jobId);
      return [
        entry.jobId,
        entry.database,
        entry.jobType,
        stateText(entry, status),
        timeText(entry.requestedAt),
        durationText(entry, now),
        sizeText(entry.size),
        detailText(entry, status),
      ];
    }),
  );
}

/** Everything known about a job; keys without a value are left out. */
export function jobRecord(entry: HistoryEntry, status: UnitJobStatus | undefined): FlatRecord {
  return definedOnly({
    'job-id': entry.jobId,
    database: entry.database,
    type: entry.jobType,
    status: entry.state,
    unit: entry.unit,
    'requested-at': entry.requestedAt,
    'started-at': entry.startedAt,
    'finished-at': entry.finishedAt,
    size: entry.size === undefined ? undefined : formatBytes(entry.size),
    'size-bytes': numberText(entry.size),
    'artefact-path': entry.artefactPath,
    message: entry.message,
    'error-code': entry.errorCode,
    hint: entry.hint,
    ...(isFinished(entry) ? {} : liveRecord(status)),
  });
}

function liveRecord(
  status: UnitJobStatus | undefined,
): Readonly<Record<string, string | undefined>> {
  return {
    phase: status?.phase,
    message: status?.message,
    progress: progressText(status),
    'progress-bytes': numberText(status?.progress?.bytes),
    'progress-total': numberText(status?.progress?.total),
    'progress-percent': numberText(percentOf(status)),
  };
}

/** For example `42%`, or `1.5 GiB` where the end is not known. */
function progressText(status: UnitJobStatus | undefined): string | undefined {
  const percent = percentOf(status);
  const bytes = status?.progress?.bytes;
  if (percent !== undefined) {
    return `${percent}%`;
  }
  return bytes === undefined ? undefined : formatBytes(bytes);
}

/** An aligned table, in the order given. */
export function backupsTable(backups: readonly BackupInfo[]): string {
  return textTable(
    ['CREATED', 'DATABASE', 'MODEL', 'ENGINE', 'SIZE', 'STORED', 'ARTEFACT-PATH'],
    backups.map((backup) => [
      timeText(backup.createdAt),
      backup.application ?? '-',
      backup.model ?? '-',
      [backup.engine, backup.engineVersion].filter((part) => part !== undefined).join(' ') || '-',
      formatBytes(backup.bytes),
      formatBytes(backup.storedBytes),
      backup.artefactPath,
    ]),
  );
}

/** A backup as flat values. */
export function backupRecord(backup: BackupInfo): FlatRecord {
  return definedOnly({
    'artefact-path': backup.artefactPath,
    'created-at': backup.createdAt,
    database: backup.application,
    model: backup.model,
    engine: backup.engine,
    'engine-version': backup.engineVersion,
    'job-id': backup.jobId,
    'size-bytes': numberText(backup.bytes),
    'stored-bytes': numberText(backup.storedBytes),
  });
}

/** How a job ended, in a line for the log. */
export function outcomeText(entry: HistoryEntry): string {
  const subject = `${entry.jobType} of ${entry.database} (${oneLine(entry.jobId)})`;
  if (entry.state === 'success') {
    const size = entry.size === undefined ? '' : `, ${formatBytes(entry.size)}`;
    const path =
      entry.artefactPath === undefined ? '' : `, artefact ${oneLine(entry.artefactPath)}`;
    return `${subject} succeeded${size}${path}`;
  }
  const hint = entry.hint === undefined ? '' : `; ${oneLine(entry.hint)}`;
  return `${subject} failed: ${oneLine(entry.message ?? 'the database gave no reason')}${hint}`;
}

function stateText(entry: HistoryEntry, status: UnitJobStatus | undefined): string {
  if (entry.state !== 'running') {
    return entry.state;
  }
  const percent = percentOf(status);
  const phase = status?.phase ?? 'running';
  return percent === undefined ? phase : `${phase} ${percent} %`;
}

function durationText(entry: HistoryEntry, now: Date): string {
  const start = Date.parse(entry.startedAt ?? '');
  const end = entry.finishedAt === undefined ? now.getTime() : Date.parse(entry.finishedAt);
  return Number.isNaN(start) ? '-' : formatDuration(Math.max(0, end - start));
}

function detailText(entry: HistoryEntry, status: UnitJobStatus | undefined): string {
  if (entry.state === 'running') {
    return status?.message ?? '-';
  }
  return (entry.state === 'error' ? entry.message : entry.artefactPath) ?? '-';
}

function sizeText(bytes: number | undefined): string {
  return bytes === undefined ? '-' : formatBytes(bytes);
}

/** `2026-11-21 02:00:05` (UTC); strangers' times that are none stay as they are. */
function timeText(time: string): string {
  const parsed = Date.parse(time);
  return Number.isNaN(parsed)
    ? time
    : new Date(parsed).toISOString().slice(0, 19).replace('T', ' ');
}

function numberText(value: number | undefined): string | undefined {
  return value === undefined ? undefined : String(value);
}

function definedOnly(record: Readonly<Record<string, string | undefined>>): FlatRecord {
  const entries = Object.entries(record).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== '',
  );
  return Object.fromEntries(entries);
}
