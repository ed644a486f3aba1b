/** The action that brings back what a restore replaced. */
import type { RelatedDatabase } from '#database-backup';
import type { ActionEvent } from '#ops';
import { HintError } from '#system';
import type { BackupManagerTypes } from '../charm-types.ts';
import { assertAgreed } from '../features.ts';
import { type HistoryEntry, isFinished, isRealRestore } from '../history.ts';
import type { Manager } from '../manager.ts';
import { assertLeader, chooseDatabase, quote, textParameter } from './action-checks.ts';
import { featuresOf, newJob, report } from './new-job.ts';

type Event = ActionEvent<BackupManagerTypes['actions']['undo-restore']>;

/** A job that undoes the last restore of a database, or the one named. */
export function undoRestore(event: Event, manager: Manager): void {
  assertLeader(manager, event);
  const jobId = textParameter(event, 'job-id');
  const database = textParameter(event, 'database');
  const undone = chooseRestore(manager, { jobId, database });
  const target = manager.databases().find(({ relation }) => relation.id === undone.relationId);
  if (target === undefined) {
    throw new HintError(
      `the relation over which ${undone.jobId} restored ${undone.database} is gone`,
      {
        code: 'nothing-to-undo',
        hint: 'restore a backup instead: see list-backups',
      },
    );
  }
  assertUndoable(manager, undone);
  assertAgreed(featuresOf(manager, [target]), 'undo-restore', {
    wish: 'undoing a restore and would restore the backup again, so nothing was asked',
    hint: 'restore an older backup instead: see list-backups',
  });
  const job = {
    ...newJob(manager, 'restore'),
    artefactPath: undone.artefactPath ?? '',
    undoOf: undone.jobId,
  };
  manager.request([{ target, job }]);
  report(event, manager, [{ target, job }]);
}

interface Wanted {
  readonly jobId: string | undefined;
  readonly database: string | undefined;
}

/** @throws HintError naming what can be undone */
function chooseRestore(manager: Manager, { jobId, database }: Wanted): HistoryEntry {
  const wanted: RelatedDatabase | undefined =
    database === undefined ? undefined : chooseDatabase(manager, database);
  const restores = manager
    .history()
    .filter((entry) => isRealRestore(entry) && entry.state === 'success')
    .filter((entry) => wanted === undefined || entry.relationId === wanted.relation.id);
  if (jobId !== undefined) {
    return namedRestore(manager, restores, jobId);
  }
  // Of each database only the last one can be undone.
  const last = [...new Map(restores.map((entry) => [entry.relationId, entry])).values()];
  const [only, ...others] = last.filter((entry) => isStillKept(manager, entry));
  if (only !== undefined && others.length > 0) {
    throw new HintError('restores of several databases can be undone', {
      code: 'ambiguous-database',
      hint: `name one: ${[only, ...others].map((entry) => `database=${entry.database}`).join(' or ')}`,
    });
  }
  const chosen = only ?? last.at(-1);
  if (chosen === undefined) {
    throw new HintError(
      `no restore${database === undefined ? '' : ` of ${quote(database)}`} is in the history`,
      { code: 'nothing-to-undo', hint: 'see list-jobs, or restore a backup: see list-backups' },
    );
  }
  return chosen;
}

function namedRestore(
  manager: Manager,
  restores: readonly HistoryEntry[],
  jobId: string,
): HistoryEntry {
  const entry = restores.find((one) => one.jobId === jobId);
  if (entry === undefined) {
    const known = manager.history().find((one) => one.jobId === jobId);
    throw new HintError(
      known === undefined
        ? `no job is called ${quote(jobId)}`
        : `${quote(jobId)} is no restore that replaced data`,
      { code: 'nothing-to-undo', hint: `run: juju run ${manager.unitName} list-jobs` },
    );
  }
  return entry;
}

/** @throws HintError when something later was restored, or the time is over, or it runs already */
function assertUndoable(manager: Manager, undone: HistoryEntry): void {
  const history = manager.history();
  const later = history
    .slice(history.indexOf(undone) + 1)
    .filter((entry) => isRealRestore(entry) && entry.relationId === undone.relationId);
  const superseding = later.find((entry) => entry.state === 'success' || !isFinished(entry));
  if (superseding !== undefined) {
    throw new HintError(
      `${undone.jobId} is not the last restore of ${undone.database}: ${superseding.jobId} came later`,
      { code: 'undo-superseded', hint: 'undo that one first, or wait for its end: see list-jobs' },
    );
  }
  if (!isStillKept(manager, undone)) {
    throw new HintError(
      undone.undoableUntil === undefined
        ? `what ${undone.jobId} replaced was not kept`
        : `what ${undone.jobId} replaced was kept until ${undone.undoableUntil}`,
      { code: 'nothing-to-undo', hint: 'restore an older backup instead: see list-backups' },
    );
  }
}

function isStillKept(manager: Manager, { undoableUntil }: HistoryEntry): boolean {
  return Date.parse(undoableUntil ?? '') > manager.ports.clock.now().getTime();
}
