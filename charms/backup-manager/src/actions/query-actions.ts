/** Actions that look at jobs: list-jobs and show-job. Every unit answers them. */
import type { ActionEvent } from '#ops';
import { HintError } from '#system';
import { upkeepRecord, upkeepTable } from '../backup-presentation.ts';
import type { BackupManagerTypes } from '../charm-types.ts';
import { isFinished } from '../history.ts';
import type { Manager } from '../manager.ts';
import { jobRecord, jobsTable, logText } from '../presentation.ts';
import {
  isNamed,
  limitParameter,
  quote,
  requiredParameter,
  textParameter,
  wantsJson,
} from './action-checks.ts';
import { fullJobId } from './find-job.ts';
import { hiddenNote, jsonList } from './lists.ts';

type Actions = BackupManagerTypes['actions'];

/** The history with live progress, newest first; and beside it what is done in the bucket. */
export async function listJobs(
  event: ActionEvent<Actions['list-jobs']>,
  manager: Manager,
): Promise<void> {
  const database = textParameter(event, 'database');
  const limit = limitParameter(event);
  const json = wantsJson(event);
  const live = manager.live();
  const entries = manager
    .history()
    .filter((entry) => isNamed(database, { name: entry.database, relationId: entry.relationId }))
    .toReversed();
  assertKnownDatabase(manager, database, entries.length);
  const shown = entries.slice(0, limit);
  const now = manager.ports.clock.now();
  const upkeep = database === undefined ? await manager.upkeep.records() : [];
  event.setResults({
    jobs: json
      ? // What a dry run found is long, and shown by show-job.
        jsonList(
          shown.map((entry) => ({
            ...jobRecord({ ...entry, report: undefined }, live.get(entry.jobId)),
          })),
        )
      : shown.length === 0
        ? `none yet; run: juju run ${manager.application}/leader create-backup`
        : jobsTable(shown, live, now),
    ...(upkeep.length === 0
      ? {}
      : { upkeep: json ? jsonList(upkeep.map(upkeepRecord)) : upkeepTable(upkeep, now) }),
    count: entries.length,
    unfinished: entries.filter((entry) => !isFinished(entry)).length,
    failed: entries.filter((entry) => entry.state === 'error').length,
    ...hiddenNote(entries.length, shown.length),
  });
}

/** One job as flat values, with what is known of its log. */
export async function showJob(
  event: ActionEvent<Actions['show-job']>,
  manager: Manager,
): Promise<void> {
  const list = `run: juju run ${manager.unitName} list-jobs`;
  const jobId = await fullJobId(manager, requiredParameter(event, 'job-id', list));
  const entry = manager.history().find((one) => one.jobId === jobId);
  if (entry !== undefined) {
    const status = manager.live().get(jobId);
    const log = logText(entry, status);
    event.setResults({ ...jobRecord(entry, status), ...(log === undefined ? {} : { log }) });
    return;
  }
  const upkeep = (await manager.upkeep.records()).find((one) => one.id === jobId);
  if (upkeep === undefined) {
    throw new HintError(`no job is called ${quote(jobId)}`, { code: 'unknown-job', hint: list });
  }
  event.setResults(upkeepRecord(upkeep));
}

/** A name that is neither related nor in the history is more likely a slip than a wish for nothing. */
export function assertKnownDatabase(
  manager: Manager,
  database: string | undefined,
  found: number,
): void {
  if (database === undefined || found > 0) {
    return;
  }
  const databases = manager.databases();
  if (
    databases.some(({ name, relation }) => isNamed(database, { name, relationId: relation.id }))
  ) {
    return;
  }
  const related = databases.map((one) => one.name);
  const known = [...new Set([...related, ...manager.history().map((one) => one.database)])];
  throw new HintError(
    `no database is called ${quote(database)}, neither related nor in the history`,
    {
      code: 'unknown-database',
      hint: known.length === 0 ? 'none is known yet' : `known: ${known.join(', ')}`,
    },
  );
}
