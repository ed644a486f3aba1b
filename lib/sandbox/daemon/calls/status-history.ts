/** Past statuses: what was written down, and for machines what is. */

import type { Calls } from '../../api.ts';
import type { StatusChange, StatusInfo } from '../../api-status.ts';
import type { CallContext } from './call-context.ts';
import { status } from './status.ts';

export function statusHistory(
  context: CallContext,
  { entity }: Calls['status-history']['params'],
): readonly StatusChange[] {
  const machine = status(context).machines.find(({ id }) => id === entity);
  return machine === undefined
    ? context.history.read(entity)
    : [change(entity, 'machine', machine.machine), change(entity, 'juju-machine', machine.agent)];
}

function change(
  entity: string,
  type: StatusChange['type'],
  { current, message, since }: StatusInfo,
): StatusChange {
  return {
    entity,
    type,
    status: current,
    ...(message === undefined ? {} : { message }),
    since: since ?? '',
  };
}
