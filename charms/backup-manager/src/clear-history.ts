/** The action that forgets finished jobs; unfinished ones and the backups themselves stay. */
import type { ActionEvent } from '#ops';
import { assertLeader, textParameter } from './action-checks.ts';
import type { BackupManagerTypes } from './charm-types.ts';
import { isFinished } from './history.ts';
import type { Manager } from './manager.ts';
import { assertKnownDatabase } from './query-actions.ts';

/** Clears all finished jobs, or those of one database. */
export function clearHistory(
  event: ActionEvent<BackupManagerTypes['actions']['clear-history']>,
  manager: Manager,
): void {
  assertLeader(manager, event);
  const database = textParameter(event, 'database');
  const history = manager.history();
  const concerned = history.filter(
    (entry) => database === undefined || entry.database === database,
  );
  assertKnownDatabase(manager, database, concerned.length);
  const cleared = new Set(concerned.filter(isFinished));
  manager.writeHistory(history.filter((entry) => !cleared.has(entry)));
  event.setResults({
    cleared: String(cleared.size),
    kept: String(history.length - cleared.size),
  });
}
