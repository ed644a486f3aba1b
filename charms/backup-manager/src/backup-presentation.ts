/** Backups, retention and upkeep as people read them (tables) and as programs do (flat values). Pure. */
import type { RetentionDecision } from '#snapshots';
import { formatBytes, formatDuration } from '#system';
import { exactAge } from './durations.ts';
import { definedOnly, type FlatRecord, timeText } from './presentation.ts';
import type { BackupDetails, BackupInfo, DeletedBackup } from './storage.ts';
import { textTable } from './table.ts';
import type { UpkeepRecord } from './upkeep/upkeep.ts';

const BACKUP_HEADER = [
  'CREATED',
  'AGE',
  'DATABASE',
  'MODEL',
  'ENGINE',
  'SIZE',
  'STORED',
  'KEY',
  'MARKS',
];

/** An aligned table, in the order given; with labels where there are any. */
export function backupsTable(backups: readonly BackupInfo[], now: Date): string {
  const isLabelled = backups.some(({ label }) => label !== undefined);
  return textTable(
    [...BACKUP_HEADER, ...(isLabelled ? ['LABEL'] : []), 'ARTEFACT-PATH'],
    backups.map((backup) => [
      timeText(backup.createdAt),
      ageText(backup.createdAt, now),
      backup.application ?? '-',
      backup.model ?? '-',
      [backup.engine, backup.engineVersion].filter((part) => part !== undefined).join(' ') || '-',
      formatBytes(backup.bytes),
      formatBytes(backup.storedBytes),
      backup.keyId ?? '-',
      marksText(backup, now),
      ...(isLabelled ? [backup.label ?? '-'] : []),
      backup.artefactPath,
    ]),
  );
}

/** A backup as flat values. */
export function backupRecord(backup: BackupInfo, now: Date): FlatRecord {
  const { marks } = backup;
  return definedOnly({
    'artefact-path': backup.artefactPath,
    'created-at': backup.createdAt,
    'age-seconds': secondsSince(backup.createdAt, now),
    database: backup.application,
    model: backup.model,
    engine: backup.engine,
    'engine-version': backup.engineVersion,
    'job-id': backup.jobId,
    label: backup.label,
    'size-bytes': backup.bytes,
    'stored-bytes': backup.storedBytes,
    encrypted: backup.keyId !== undefined,
    'key-id': backup.keyId,
    'verified-at': marks.verifiedAt,
    'damaged-at': marks.damagedAt,
    kept: marks.isKept,
    'in-use': marks.isPinned,
  });
}

/** The same with all that is known of it. */
export function backupDetails(backup: BackupDetails, now: Date): FlatRecord {
  return {
    ...backupRecord(backup, now),
    ...definedOnly({
      age: ageText(backup.createdAt, now),
      'started-at': backup.startedAt,
      unit: backup.unit,
      'model-uuid': backup.modelUuid,
      entries: backup.entries,
      files: backup.files,
      chunks: backup.chunks,
      size: formatBytes(backup.bytes),
      stored: formatBytes(backup.storedBytes),
      needed: formatBytes(backup.neededBytes),
      'needed-bytes': backup.neededBytes,
      marks: marksText(backup, now),
      'format-version': backup.formatVersion,
    }),
  };
}

/** Deleted ones, in the order given. */
export function deletedTable(deleted: readonly DeletedBackup[], now: Date): string {
  return textTable(
    ['DELETED', 'AGE', 'ARTEFACT-PATH'],
    deleted.map(({ artefactPath, deletedAt }) => [
      timeText(deletedAt),
      ageText(deletedAt, now),
      artefactPath,
    ]),
  );
}

/** What retention would do, and why. */
export function retentionTable(decisions: readonly RetentionDecision[], now: Date): string {
  return textTable(
    ['DECISION', 'CREATED', 'AGE', 'ARTEFACT-PATH', 'BECAUSE'],
    decisions.map(({ artefactPath, createdAt, keep, reasons }) => [
      keep ? 'keep' : 'delete',
      timeText(createdAt),
      ageText(createdAt, now),
      artefactPath,
      reasons.join(', '),
    ]),
  );
}

/** Upkeep beside the jobs. */
export function upkeepTable(records: readonly UpkeepRecord[], now: Date): string {
  return textTable(
    ['ID', 'TYPE', 'STATUS', 'STARTED', 'TIME', 'SUBJECT', 'DETAILS'],
    records.map((record) => [
      record.id,
      record.kind,
      upkeepState(record),
      timeText(record.startedAt),
      formatDuration(
        Math.max(
          0,
          Date.parse(record.finishedAt ?? now.toISOString()) - Date.parse(record.startedAt),
        ),
      ),
      record.subject,
      record.message ?? '-',
    ]),
  );
}

/** One of them as flat values. */
export function upkeepRecord(record: UpkeepRecord): FlatRecord {
  return definedOnly({
    'job-id': record.id,
    type: record.kind,
    status: record.state,
    subject: record.subject,
    'started-at': record.startedAt,
    'finished-at': record.finishedAt,
    'progress-bytes': record.bytes,
    'progress-total': record.totalBytes,
    'progress-percent': percentDone(record),
    message: record.message,
    'error-code': record.errorCode,
    hint: record.hint,
  });
}

/** Whole percent; undefined when the end is not known. */
export function percentDone({ bytes, totalBytes }: UpkeepRecord): number | undefined {
  return bytes === undefined || totalBytes === undefined || totalBytes === 0
    ? undefined
    : Math.min(100, Math.floor((bytes / totalBytes) * 100));
}

function upkeepState(record: UpkeepRecord): string {
  const percent = record.state === 'running' ? percentDone(record) : undefined;
  return percent === undefined ? record.state : `${record.state} ${percent} %`;
}

function marksText({ marks }: BackupInfo, now: Date): string {
  const words = [
    marks.damagedAt === undefined ? undefined : 'DAMAGED',
    marks.verifiedAt === undefined ? undefined : `verified ${ageText(marks.verifiedAt, now)} ago`,
    marks.isKept ? 'kept' : undefined,
    marks.isPinned ? 'in use' : undefined,
  ];
  return words.filter((word) => word !== undefined).join(', ') || '-';
}

function ageText(time: string, now: Date): string {
  const seconds = secondsSince(time, now);
  return seconds === undefined ? '-' : exactAge(seconds * 1000);
}

/** Whole seconds; undefined for a stranger's time that is none. */
function secondsSince(time: string, now: Date): number | undefined {
  const then = Date.parse(time);
  return Number.isNaN(then) ? undefined : Math.max(0, Math.round((now.getTime() - then) / 1000));
}
