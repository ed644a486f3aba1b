/** The machines of the model: what they are called, which addresses they have, when they go. */

import { ModelError } from '../errors.ts';
import type { Reader, Transaction } from '../store/store.ts';
import { type MachineDocument, MODEL } from './documents.ts';

// `.1` is this host, `.255` everybody.
const FIRST_ADDRESS = 2;
const LAST_ADDRESS = 254;

/** Six digits that name the model on this host, the same as in host names of Juju. */
export function shortId(uuid: string): string {
  return uuid.slice(-6);
}

/**
 * Adds a machine; numbers are never given twice.
 * @returns its id
 */
export function addMachine(
  transaction: Transaction,
  base: MachineDocument['base'],
  now: Date,
): string {
  const { counters, uuid } = transaction.require('model', MODEL);
  const id = String(counters.machine);
  transaction.patch('model', MODEL, { counters: { ...counters, machine: counters.machine + 1 } });
  const address = freeAddress(transaction);
  transaction.put('machine', id, {
    id,
    base,
    hostname: `juju-${shortId(uuid)}-${id}`,
    life: 'alive',
    created: now.toISOString(),
    ...(address === undefined ? {} : { address }),
  });
  return id;
}

/** The lowest address no machine has; undefined where machines have that of this host. */
function freeAddress(reader: Reader): string | undefined {
  const prefix = reader.require('model', MODEL).isolation?.network.prefix;
  if (prefix === undefined) {
    return undefined;
  }
  const taken = new Set(reader.all('machine').map(({ address }) => address));
  for (let last = FIRST_ADDRESS; last <= LAST_ADDRESS; last += 1) {
    const address = `${prefix}.${last}`;
    if (!taken.has(address)) {
      return address;
    }
  }
  throw new ModelError(
    `cannot add a machine: all ${LAST_ADDRESS - FIRST_ADDRESS + 1} addresses of ${prefix}.0/24 are taken`,
    'refused',
  );
}

/** A machine goes with its last unit. */
export function removeMachineIfEmpty(transaction: Transaction, id: string): void {
  const isUsed = transaction.all('unit').some(({ machine }) => machine === id);
  if (!isUsed && transaction.get('machine', id) !== undefined) {
    transaction.remove('machine', id);
  }
}

/** The address of a unit's machine; `hostAddress` where it has none of its own. */
export function addressOf(reader: Reader, unit: string, hostAddress: string): string {
  const machine = reader.get('unit', unit)?.machine ?? '';
  return reader.get('machine', machine)?.address ?? hostAddress;
}

/** Hardware address of the machine at an address; those of a network differ. */
export function hardwareAddress(address: string): string {
  const bytes = address.split('.').slice(1);
  return [
    '00',
    '16',
    '3e',
    ...bytes.map((byte) => Number(byte).toString(16).padStart(2, '0')),
  ].join(':');
}

/** Gives machines to the units of a model that was written before machines were. */
export function addMissingMachines(transaction: Transaction): void {
  const { uuid } = transaction.require('model', MODEL);
  for (const { machine: id, application, created } of transaction.all('unit')) {
    if (transaction.get('machine', id) === undefined) {
      const { base } = transaction.require('application', application);
      const hostname = `juju-${shortId(uuid)}-${id}`;
      transaction.put('machine', id, { id, base, hostname, life: 'alive', created });
    }
  }
}
