/** The action that tells how each related database stands. Every unit answers it. */
import type { UnitJobStatus } from '#database-backup';
import type { ActionEvent } from '#ops';
import { formatBytes, formatDuration } from '#system';
import type { BackupManagerTypes } from '../charm-types.ts';
import { exactAge } from '../durations.ts';
import { type HistoryEntry, isFinished } from '../history.ts';
import type { Manager } from '../manager.ts';
import { definedOnly, type FlatRecord, percentOf, typeText } from '../presentation.ts';
import { textTable } from '../table.ts';
import { wantsJson } from './action-checks.ts';
import { jsonList } from './lists.ts';

/** Last backup, its age and size, when one was last verified, what runs and what failed. */
export function listDatabases(
  event: ActionEvent<BackupManagerTypes['actions']['list-databases']>,
  manager: Manager,
): void {
  const json = wantsJson(event);
  const now = manager.ports.clock.now();
  const last = manager.peers.lastBackups();
  const history = Map.groupBy(manager.history(), (entry) => entry.relationId);
  const live = manager.live();
  const records = manager.databases().map((database) => {
    const { relation } = database;
    const entries = history.get(relation.id) ?? [];
    const known = last.get(relation.id);
    const { finishedAt, size, verifiedAt, keyId } = known ?? {};
    return definedOnly({
      database: database.name,
      relation: relation.id,
      'last-backup': finishedAt,
      'age-seconds': secondsSince(finishedAt, now),
      'size-bytes': size,
      'shrunk-from-bytes': known?.shrunkFrom,
      'last-verified': verifiedAt,
      'last-restored': known?.restoredAt,
      'restore-seconds': known?.restoreSeconds,
      encrypted: finishedAt === undefined ? undefined : keyId !== undefined,
      'key-id': keyId,
      running: runningText(entries, live),
      failed: failureText(entries),
      features: [...manager.features(database)].toSorted().join(',') || 'none',
    });
  });
  event.setResults({
    databases: json
      ? jsonList(records)
      : records.length === 0
        ? `none is related; run: juju integrate <database> ${manager.application}`
        : databasesTable(records, now),
    count: records.length,
    protected: records.filter((record) => record['last-backup'] !== undefined).length,
  });
}

const HEADER = [
  'DATABASE',
  'RELATION',
  'LAST BACKUP',
  'SIZE',
  'KEY',
  'LAST VERIFIED',
  'RESTORES IN',
  'RUNNING',
  'LAST FAILURE',
];

function databasesTable(records: readonly FlatRecord[], now: Date): string {
  return textTable(
    HEADER,
    records.map((record) => [
      text(record['database']),
      text(record['relation']),
      agoText(record['last-backup'], now),
      sizeText(record),
      text(record['key-id']),
      agoText(record['last-verified'], now),
      typeof record['restore-seconds'] === 'number'
        ? formatDuration(record['restore-seconds'] * 1000)
        : '-',
      text(record['running']),
      text(record['failed']),
    ]),
  );
}

/** With a word where it is suspiciously small. */
function sizeText(record: FlatRecord): string {
  const { 'size-bytes': size, 'shrunk-from-bytes': before } = record;
  if (typeof size !== 'number') {
    return '-';
  }
  return typeof before === 'number'
    ? `${formatBytes(size)} (was ${formatBytes(before)})`
    : formatBytes(size);
}

function runningText(
  entries: readonly HistoryEntry[],
  live: ReadonlyMap<string, UnitJobStatus>,
): string | undefined {
  const open = entries.filter((entry) => !isFinished(entry));
  const texts = open.map((entry) => {
    const percent = percentOf(live.get(entry.jobId));
    return percent === undefined ? typeText(entry) : `${typeText(entry)} ${percent} %`;
  });
  return texts.join(', ') || undefined;
}

/** The last job's failure, where it failed. */
function failureText(entries: readonly HistoryEntry[]): string | undefined {
  const last = entries.findLast(isFinished);
  return last?.state === 'error' ? `${typeText(last)}: ${last.message ?? 'no reason'}` : undefined;
}

function agoText(time: FlatRecord[string] | undefined, now: Date): string {
  return typeof time === 'string' ? `${exactAge(now.getTime() - Date.parse(time))} ago` : 'never';
}

function secondsSince(time: string | undefined, now: Date): number | undefined {
  const then = Date.parse(time ?? '');
  return Number.isNaN(then) ? undefined : Math.max(0, Math.round((now.getTime() - then) / 1000));
}

function text(value: FlatRecord[string] | undefined): string {
  return value === undefined ? '-' : String(value);
}
