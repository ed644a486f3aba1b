/** Where commands of a person on a machine run: `juju ssh` and `juju scp`. */
import { loginEnvironment, machinePlace } from '../../agent/machine-place.ts';
import type { Calls } from '../../api.ts';
import { ModelError } from '../../errors.ts';
import { type CallContext, requireUnit } from './call-context.ts';
import { resolveTarget } from './enqueue.ts';

/** The place of a unit (`app/0`, `app/leader`) or machine. @throws ModelError when there is none. */
export async function place(
  context: CallContext,
  { target }: Calls['place']['params'],
): Promise<Calls['place']['result']> {
  const machine = machineOf(context, target);
  const { home, files, enter } = await machinePlace(context.services, machine);
  const shell = await enter({ file: '/bin/bash', args: [], cwd: home });
  return { machine, home, files, shell, env: loginEnvironment(home) };
}

function machineOf({ services: { store } }: CallContext, target: string): string {
  if (!target.includes('/')) {
    if (store.get('machine', target) === undefined) {
      throw new ModelError(`machine ${target} not found`, 'not-found');
    }
    return target;
  }
  const { unit, error } = resolveTarget(store, target);
  if (unit === undefined) {
    throw new ModelError(error ?? `unit ${JSON.stringify(target)} not found`, 'not-found');
  }
  return requireUnit(store, unit).machine;
}
