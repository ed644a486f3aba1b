/** The action that forgets finished jobs; unfinished ones and the backups themselves stay. */
import type { ActionEvent } from '#ops';
import type { BackupManagerTypes } from '../charm-types.ts';
import { parseDuration } from '../durations.ts';
import { type HistoryEntry, isFinished } from '../history.ts';
import type { Manager } from '../manager.ts';
import { assertLeader, isNamed, textParameter } from './action-checks.ts';
import { assertKnownDatabase } from './query-actions.ts';

/** Clears all finished jobs, or those of one database, or those that ended long ago. */
export async function clearHistory(
  event: ActionEvent<BackupManagerTypes['actions']['clear-history']>,
  manager: Manager,
): Promise<void> {
  assertLeader(manager, event);
  const database = textParameter(event, 'database');
  const age = textParameter(event, 'older-than');
  const horizon =
    age === undefined
      ? Number.POSITIVE_INFINITY
      : manager.ports.clock.now().getTime() - parseDuration('older-than', age) * 1000;
  const history = manager.history();
  const concerned = history.filter((entry) =>
    isNamed(database, { name: entry.database, relationId: entry.relationId }),
  );
  assertKnownDatabase(manager, database, concerned.length);
  const cleared = new Set(
    concerned.filter((entry) => isFinished(entry) && endedAt(entry) < horizon),
  );
  manager.writeHistory(history.filter((entry) => !cleared.has(entry)));
  // What is done in the bucket belongs to no database, and its outcome is of no use later.
  const forgotten = database === undefined && age === undefined ? await manager.upkeep.forget() : 0;
  event.setResults({
    cleared: cleared.size,
    kept: history.length - cleared.size,
    ...(forgotten === 0 ? {} : { 'upkeep-cleared': forgotten }),
  });
}

function endedAt(entry: HistoryEntry): number {
  return Date.parse(entry.finishedAt ?? entry.requestedAt) || 0;
}
