/** `juju operations` as a table. */

import type { OperationInfo } from '../../api.ts';
import { formatTable } from '../output/table.ts';
import { isoTime, type ZoneChoice } from '../output/timestamp.ts';

// Juju shows so many tasks of an operation.
const MAX_TASKS = 5;

/** One line an operation, in the order given. */
export function formatOperationTable(
  operations: readonly OperationInfo[],
  zone: ZoneChoice,
): string {
  const time = (at: string | undefined) =>
    at === undefined ? '' : isoTime(new Date(at), zone).slice(0, 19);
  return formatTable(
    [{ title: 'ID', align: 'right' }, 'Status', 'Started', 'Finished', 'Task IDs', 'Summary'],
    operations.map((operation) => [
      operation.id,
      operation.status,
      time(operation.started),
      time(operation.completed),
      shortened(operation.tasks.map(({ id }) => id)),
      operation.summary,
    ]),
  );
}

function shortened(ids: readonly string[]): string {
  return ids.slice(0, MAX_TASKS).join(',') + (ids.length > MAX_TASKS ? '...' : '');
}
