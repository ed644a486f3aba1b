/** Actions that only look: list-jobs, show-job and list-backups. Every unit answers them. */
import type { ActionEvent } from '#ops';
import { HintError } from '#system';
import {
  limitParameter,
  quote,
  requiredParameter,
  textParameter,
  wantsJson,
} from './action-checks.ts';
import type { BackupManagerTypes } from './charm-types.ts';
import { isFinished } from './history.ts';
import type { Manager } from './manager.ts';
import { backupRecord, backupsTable, jobRecord, jobsTable } from './presentation.ts';

type Actions = BackupManagerTypes['actions'];

/** The history with live progress, newest first. */
export function listJobs(event: ActionEvent<Actions['list-jobs']>, manager: Manager): void {
  const database = textParameter(event, 'database');
  const limit = limitParameter(event);
  const live = manager.live();
  const entries = manager
    .history()
    .filter((entry) => database === undefined || entry.database === database)
    .toReversed();
  assertKnownDatabase(manager, database, entries.length);
  const shown = entries.slice(0, limit);
  event.setResults({
    jobs: wantsJson(event)
      ? JSON.stringify(shown.map((entry) => jobRecord(entry, live.get(entry.jobId))))
      : shown.length === 0
        ? `none yet; run: juju run ${manager.application}/leader create-backup`
        : jobsTable(shown, live, manager.ports.clock.now()),
    count: String(entries.length),
    unfinished: String(entries.filter((entry) => !isFinished(entry)).length),
    failed: String(entries.filter((entry) => entry.state === 'error').length),
    ...hiddenNote(entries.length, shown.length),
  });
}

/** One job as flat values. */
export function showJob(event: ActionEvent<Actions['show-job']>, manager: Manager): void {
  const list = `run: juju run ${manager.unitName} list-jobs`;
  const jobId = requiredParameter(event, 'job-id', list);
  const entry = manager.history().find((one) => one.jobId === jobId);
  if (entry === undefined) {
    throw new HintError(`no job is called ${quote(jobId)}`, { code: 'unknown-job', hint: list });
  }
  event.setResults(jobRecord(entry, manager.live().get(jobId)));
}

/** What the bucket holds, newest first. */
export async function listBackups(
  event: ActionEvent<Actions['list-backups']>,
  manager: Manager,
): Promise<void> {
  const database = textParameter(event, 'database');
  const limit = limitParameter(event);
  const json = wantsJson(event);
  const listing = await manager.askStorage(
    async (storage, config, signal) => await storage.list(config, { signal }),
  );
  const backups = listing.backups
    .filter((backup) => database === undefined || backup.application === database)
    .toSorted((a, b) => (a.createdAt < b.createdAt ? 1 : -1));
  const shown = backups.slice(0, limit);
  event.setResults({
    backups: json
      ? JSON.stringify(shown.map(backupRecord))
      : shown.length === 0
        ? `none${database === undefined ? '' : ` of ${quote(database)}`} in ${placeOf(manager)}`
        : backupsTable(shown),
    count: String(backups.length),
    unfinished: String(listing.unfinished.length),
    ...hiddenNote(backups.length, shown.length),
  });
}

function placeOf(manager: Manager): string {
  const { bucket, path } = manager.storageConfig();
  return `bucket ${quote(bucket)}${path === undefined ? '' : ` below ${quote(path)}`}`;
}

/** A name that is neither related nor in the history is more likely a slip than a wish for nothing. */
export function assertKnownDatabase(
  manager: Manager,
  database: string | undefined,
  found: number,
): void {
  const related = manager.databases().map((one) => one.name);
  if (database === undefined || found > 0 || related.includes(database)) {
    return;
  }
  const known = [...new Set([...related, ...manager.history().map((one) => one.database)])];
  throw new HintError(
    `no database is called ${quote(database)}, neither related nor in the history`,
    {
      code: 'unknown-database',
      hint: known.length === 0 ? 'none is known yet' : `known: ${known.join(', ')}`,
    },
  );
}

function hiddenNote(count: number, shown: number): Readonly<Record<string, string>> {
  return count > shown ? { note: `${count - shown} older ones are not shown; raise limit` } : {};
}
