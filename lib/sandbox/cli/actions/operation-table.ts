/** `juju operations` as a table. */

import type { OperationInfo } from '../../api.ts';
import { formatTable } from '../output/table.ts';
import { isoTime, type ZoneChoice } from '../output/timestamp.ts';

/** The newest operation first, as Juju lists them. */
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
      operation.tasks.map(({ id }) => id).join(','),
      operation.summary,
    ]),
  );
}
