/** The action that stops a job, or a piece of upkeep. */
import type { ActionEvent } from '#ops';
import { HintError } from '#system';
import type { BackupManagerTypes } from '../charm-types.ts';
import { type HistoryEntry, isFinished } from '../history.ts';
import type { Manager } from '../manager.ts';
import { withdrawn } from '../reconcile.ts';
import { assertLeader, quote, requiredParameter } from './action-checks.ts';
import { fullJobId } from './find-job.ts';

type Event = ActionEvent<BackupManagerTypes['actions']['cancel-job']>;

/** Asks for a cancel where the database understands that; else takes the request back, and records that. */
export async function cancelJob(event: Event, manager: Manager): Promise<void> {
  const list = `run: juju run ${manager.unitName} list-jobs`;
  const jobId = await fullJobId(manager, requiredParameter(event, 'job-id', list));
  if (await cancelUpkeep(event, manager, jobId)) {
    return;
  }
  assertLeader(manager, event);
  const entry = manager.history().find((one) => one.jobId === jobId);
  if (entry === undefined) {
    throw new HintError(`no job is called ${quote(jobId)}`, { code: 'unknown-job', hint: list });
  }
  if (isFinished(entry)) {
    throw new HintError(`${quote(jobId)} has ended already: ${entry.state}`, {
      code: 'already-ended',
      hint: `run: juju run ${manager.unitName} show-job job-id=${jobId}`,
    });
  }
  event.setResults({
    'job-id': jobId,
    database: entry.database,
    status: cancel(manager, entry) ? 'cancelling' : 'cancelled',
    follow: `juju run ${manager.unitName} show-job job-id=${jobId}`,
  });
}

/** @returns whether its outcome is still to come */
function cancel(manager: Manager, entry: HistoryEntry): boolean {
  const now = manager.ports.clock.now();
  const isAgreed = manager.cancel(entry) === 'asked';
  const next = isAgreed
    ? { ...entry, cancelRequestedAt: entry.cancelRequestedAt ?? now.toISOString() }
    : withdrawn(entry, now);
  manager.writeHistory(manager.history().map((one) => (one === entry ? next : one)));
  return isAgreed;
}

/** Upkeep is ended on the unit that does it. */
async function cancelUpkeep(event: Event, manager: Manager, id: string): Promise<boolean> {
  const record = await manager.upkeep.cancel(id);
  if (record === undefined) {
    const elsewhere = manager.peers.upkeepOfOthers().some((one) => one.id === id);
    if (elsewhere) {
      throw new HintError(`${quote(id)} is done by another unit`, {
        code: 'other-unit',
        hint: `repeat on each other unit of ${manager.application}`,
      });
    }
    return false;
  }
  if (record.state !== 'running') {
    throw new HintError(`${quote(id)} has ended already: ${record.state}`, {
      code: 'already-ended',
      hint: `run: juju run ${manager.unitName} show-job job-id=${id}`,
    });
  }
  event.setResults({
    'job-id': id,
    status: 'cancelling',
    follow: `juju run ${manager.unitName} show-job job-id=${id}`,
  });
  return true;
}
