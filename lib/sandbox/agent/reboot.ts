/**
 * What stands for a reboot: all processes of the machine end, then its started units run `start`.
 * Without isolation the processes of its units are all there is of a machine.
 */
import { endSandboxProcesses } from '../client/sweep-processes.ts';
import type { Transaction } from '../store/store.ts';
import type { HookContext } from './hook-context.ts';
import type { AgentServices } from './services.ts';
import { unitDirectory } from './unit-directory.ts';

/** Marks the units of the machine, if the hook or the commands have asked for a reboot. */
export function noteReboot(transaction: Transaction, context: HookContext): void {
  const unit = transaction.get('unit', context.unit);
  if (!context.wantsReboot || unit === undefined) {
    return;
  }
  transaction.patch('unit', unit.name, {
    agent: { current: 'rebooting', since: context.now() },
  });
  for (const { name, machine, started } of transaction.all('unit')) {
    if (machine === unit.machine && started) {
      transaction.patch('unit', name, { rebooted: true });
    }
  }
}

/** Ends the processes of the machine, if the hook or the commands have asked for a reboot. */
export async function carryOutReboot(
  { store, paths, clock, machines, log }: AgentServices,
  { unit, wantsReboot }: HookContext,
): Promise<void> {
  const machine = store.get('unit', unit)?.machine;
  if (!wantsReboot || machine === undefined) {
    return;
  }
  log.write({ unit, level: 'INFO', module: 'juju.worker.uniter', message: 'rebooting' });
  if (await machines.restart(machine)) {
    return;
  }
  for (const neighbour of store.all('unit').filter((one) => one.machine === machine)) {
    await endSandboxProcesses(unitDirectory(paths, neighbour.name).root, clock);
  }
}
