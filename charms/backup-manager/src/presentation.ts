/** Jobs and backups as people read them (tables) and as programs do (flat values). Pure. */
import type { UnitJobStatus } from '#database-backup';
import { formatBytes, formatDuration } from '#system';
import { heldText } from './held-requests.ts';
import { type HistoryEntry, isFinished } from './history.ts';
import { oneLine, textTable } from './table.ts';

/** Progress of running jobs by job id, as the databases tell it now. */
export type LiveStatuses = ReadonlyMap<string, UnitJobStatus>;

/** A flat record for action results: keys Juju allows. Numbers stay numbers in JSON; Juju's own results are texts. */
export type FlatRecord = Readonly<Record<string, string | number | boolean>>;

/** Percent done, whole; undefined when the end is not known. */
export function percentOf(status: UnitJobStatus | undefined): number | undefined {
  const { bytes, total, percent } = status?.progress ?? {};
  const known =
    percent ??
    (bytes === undefined || total === undefined || total === 0 ? undefined : (bytes / total) * 100);
  return known === undefined ? undefined : Math.min(100, Math.max(0, Math.floor(known)));
}

const JOB_HEADER = ['JOB', 'DATABASE', 'TYPE', 'STATUS', 'REQUESTED', 'TIME', 'SIZE'];

/** An aligned table, newest first; with labels where there are any. */
export function jobsTable(entries: readonly HistoryEntry[], live: LiveStatuses, now: Date): string {
  const isLabelled = entries.some(({ label }) => label !== undefined);
  return textTable(
    [...JOB_HEADER, ...(isLabelled ? ['LABEL'] : []), 'DETAILS'],
    entries.map((entry) => {
      const status = live.get(entry.jobId);
      return [
        entry.jobId,
        entry.database,
        typeText(entry),
        stateText(entry, status),
        timeText(entry.requestedAt),
        durationText(entry, now),
        sizeText(entry.size),
        ...(isLabelled ? [entry.label ?? '-'] : []),
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
    label: entry.label,
    'dry-run': entry.isDryRun,
    force: entry.isForced,
    'undo-of': entry.undoOf,
    items: entry.items?.join(', '),
    'key-id': entry.keyId,
    unit: entry.unit,
    'requested-at': entry.requestedAt,
    'started-at': entry.startedAt,
    'finished-at': entry.finishedAt,
    'cancel-requested-at': entry.cancelRequestedAt,
    'undoable-until': entry.undoableUntil,
    size: entry.size === undefined ? undefined : formatBytes(entry.size),
    'size-bytes': entry.size,
    'stored-bytes': entry.storedSize,
    'artefact-path': entry.artefactPath,
    message: entry.held === undefined ? entry.message : heldText(entry.database),
    'error-code': entry.errorCode,
    hint: entry.hint,
    report: entry.report,
    ...(isFinished(entry) || entry.held !== undefined ? {} : liveRecord(status)),
  });
}

function liveRecord(
  status: UnitJobStatus | undefined,
): Readonly<Record<string, string | number | undefined>> {
  const { phase, message, progress, queue } = status ?? {};
  return {
    phase,
    message,
    progress: progressText(status),
    'progress-bytes': progress?.bytes,
    'progress-total': progress?.total,
    'progress-percent': percentOf(status),
    'eta-seconds': progress?.etaSeconds,
    'queue-position': queue?.position,
    'waits-for': queue?.waitsFor.join(',') || undefined,
  };
}

/** The lines of the job's log that are known, for people. */
export function logText(
  entry: HistoryEntry,
  status: UnitJobStatus | undefined,
): string | undefined {
  const lines = entry.logTail ?? status?.logTail ?? [];
  return lines.length === 0 ? undefined : lines.map(oneLine).join('\n');
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

/** How a job ended, in a line for the log. */
export function outcomeText(entry: HistoryEntry): string {
  const subject = `${typeText(entry)} of ${entry.database} (${oneLine(entry.jobId)})`;
  if (entry.state === 'success') {
    const size = entry.size === undefined ? '' : `, ${formatBytes(entry.size)}`;
    const path =
      entry.artefactPath === undefined ? '' : `, artefact ${oneLine(entry.artefactPath)}`;
    return `${subject} succeeded${size}${path}`;
  }
  const hint = entry.hint === undefined ? '' : `; ${oneLine(entry.hint)}`;
  return `${subject} failed: ${oneLine(entry.message ?? 'the database gave no reason')}${hint}`;
}

/** What was asked, for people. */
export function typeText(entry: HistoryEntry): string {
  if (entry.undoOf !== undefined) {
    return 'undo-restore';
  }
  if (entry.items !== undefined) {
    return 'restore-item';
  }
  return entry.isDryRun === true ? `${entry.jobType} (dry run)` : entry.jobType;
}

function stateText(entry: HistoryEntry, status: UnitJobStatus | undefined): string {
  if (isFinished(entry)) {
    return entry.errorCode === 'cancelled' ? 'cancelled' : entry.state;
  }
  if (entry.cancelRequestedAt !== undefined) {
    return 'cancelling';
  }
  return entry.state === 'requested' ? entry.state : runningText(status);
}

function runningText(status: UnitJobStatus | undefined): string {
  const phase = status?.phase ?? 'running';
  const { position } = status?.queue ?? {};
  if (position !== undefined) {
    return `${phase} (number ${position})`;
  }
  const percent = percentOf(status);
  return percent === undefined ? phase : `${phase} ${percent} %`;
}

/** `3 min 20 s left`; undefined when nobody knows. */
export function etaText(status: UnitJobStatus | undefined): string | undefined {
  const { etaSeconds } = status?.progress ?? {};
  return etaSeconds === undefined ? undefined : `${formatDuration(etaSeconds * 1000)} left`;
}

function durationText(entry: HistoryEntry, now: Date): string {
  const start = Date.parse(entry.startedAt ?? '');
  const end = entry.finishedAt === undefined ? now.getTime() : Date.parse(entry.finishedAt);
  return Number.isNaN(start) ? '-' : formatDuration(Math.max(0, end - start));
}

function detailText(entry: HistoryEntry, status: UnitJobStatus | undefined): string {
  if (!isFinished(entry)) {
    return entry.held === undefined ? openDetailText(status) : heldText(entry.database);
  }
  const { artefactPath, message } = entry;
  const isTold = entry.state === 'error' || entry.items !== undefined;
  return (isTold ? message : (artefactPath ?? message)) ?? '-';
}

function openDetailText(status: UnitJobStatus | undefined): string {
  const { waitsFor = [] } = status?.queue ?? {};
  const parts = [
    etaText(status),
    waitsFor.length === 0 ? undefined : `waits for ${waitsFor.join(', ')}`,
    status?.message,
  ];
  return parts.filter((part) => part !== undefined).join('; ') || '-';
}

function sizeText(bytes: number | undefined): string {
  return bytes === undefined ? '-' : formatBytes(bytes);
}

/** `2026-11-21 02:00:05` (UTC); strangers' times that are none stay as they are. */
export function timeText(time: string): string {
  const parsed = Date.parse(time);
  return Number.isNaN(parsed)
    ? time
    : new Date(parsed).toISOString().slice(0, 19).replace('T', ' ');
}

/** Without the keys that have no value. */
export function definedOnly(
  record: Readonly<Record<string, string | number | boolean | undefined>>,
): FlatRecord {
  const entries = Object.entries(record).filter(
    (entry): entry is [string, string | number | boolean] =>
      entry[1] !== undefined && entry[1] !== '',
  );
  return Object.fromEntries(entries);
}
