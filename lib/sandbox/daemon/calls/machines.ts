/** add-machine, remove-machine, and on which machine a new unit comes. */
import type { Calls, RemoveResult } from '../../api.ts';
import { ModelError } from '../../errors.ts';
import type { ApplicationDocument } from '../../model/documents.ts';
import { addMachine, removeMachineIfEmpty } from '../../model/machines.ts';
import { compareUnits } from '../../model/names.ts';
import { destroyUnit } from '../../model/removal.ts';
import type { Reader, Transaction } from '../../store/store.ts';
import type { CallContext } from './call-context.ts';
import { forceUnits } from './removal.ts';

const DEFAULT_BASE = { name: 'ubuntu', channel: '24.04' };

/**
 * The machine of a new unit: the one told (`--to 3`), else a new one.
 * @throws ModelError where there is no such machine or it has another base
 */
export function placeUnit(
  transaction: Transaction,
  { name, base }: ApplicationDocument,
  directive: string | undefined,
  now: Date,
): string {
  if (directive === undefined) {
    return addMachine(transaction, base, now);
  }
  if (!/^\d+$/.test(directive)) {
    throw new ModelError(
      `cannot place a unit of ${JSON.stringify(name)} on ${JSON.stringify(directive)}: the sandbox has no containers and zones, only machines by number`,
      'refused',
    );
  }
  const machine = transaction.get('machine', directive);
  if (machine === undefined) {
    throw new ModelError(`machine ${directive} not found`, 'not-found');
  }
  const wanted = `${base.name}@${base.channel}`;
  const found = `${machine.base.name}@${machine.base.channel}`;
  if (wanted !== found) {
    throw new ModelError(
      `cannot assign a unit of ${JSON.stringify(name)} to machine ${directive}: base does not match: unit has ${JSON.stringify(wanted)}, machine has ${JSON.stringify(found)}`,
    );
  }
  return directive;
}

export function addMachines(
  { services }: CallContext,
  { count = 1, base }: Calls['add-machine']['params'],
): Calls['add-machine']['result'] {
  if (!Number.isInteger(count) || count < 1) {
    throw new ModelError('machine count must be a positive integer');
  }
  const [name = DEFAULT_BASE.name, channel = DEFAULT_BASE.channel] = base?.split('@') ?? [];
  const chosen = { name, channel: channel.split('/', 1)[0] ?? channel };
  const machines = services.store.transact((transaction) =>
    Array.from({ length: count }, () => addMachine(transaction, chosen, services.clock.now())),
  );
  return { machines };
}

export async function removeMachines(
  { services }: CallContext,
  { machines, force = false, noWait = false, dryRun = false }: Calls['remove-machine']['params'],
): Promise<readonly RemoveResult[]> {
  const results = machines.map((id) => checkRemoval(services.store, id, force));
  if (dryRun) {
    return results;
  }
  for (const { name, units } of results.filter(({ error }) => error === undefined)) {
    services.store.transact((transaction) => {
      for (const unit of units) {
        destroyUnit(transaction, unit);
      }
      forceUnits(services, transaction, { units, force, noWait });
      // With units it goes with the last of them.
      removeMachineIfEmpty(transaction, name);
    });
    if (services.store.get('machine', name) === undefined) {
      await services.machines.remove(name);
    }
  }
  return results;
}

function checkRemoval(reader: Reader, id: string, force: boolean): RemoveResult {
  if (reader.get('machine', id) === undefined) {
    return { name: id, units: [], error: `machine ${id} not found` };
  }
  const units = reader
    .all('unit')
    .filter(({ machine }) => machine === id)
    .map(({ name }) => name)
    .toSorted(compareUnits);
  const [first] = units;
  return first === undefined || force
    ? { name: id, units }
    : { name: id, units, error: `machine ${id} has unit ${JSON.stringify(first)} assigned` };
}
