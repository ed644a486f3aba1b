/** How units come to be. */
import type { Transaction } from '../store/store.ts';
import { MODEL } from './documents.ts';
import { electLeader } from './leadership.ts';

/**
 * Adds a unit on a machine; numbers are never given twice, not even to an application of the same
 * name. The first unit of an application leads it.
 * @param place `principal` for a subordinate: the unit whose machine it shares
 * @returns its name
 */
export function createUnit(
  transaction: Transaction,
  application: string,
  now: Date,
  place: { readonly machine: string; readonly principal?: string },
): string {
  const { unitNumbers } = transaction.require('model', MODEL);
  const number = unitNumbers[application] ?? 0;
  transaction.patch('model', MODEL, {
    unitNumbers: { ...unitNumbers, [application]: number + 1 },
  });
  const name = `${application}/${number}`;
  const since = now.toISOString();
  transaction.put('unit', name, {
    name,
    application,
    ...place,
    life: 'alive',
    created: since,
    workload: { current: 'waiting', message: 'agent initialising', since },
    agent: { current: 'allocating', since },
    statusSet: false,
    ports: [],
    installed: false,
    started: false,
    stopped: false,
    leaderAccepted: false,
    relations: {},
    state: {},
  });
  if (transaction.require('application', application).leader === undefined) {
    electLeader(transaction, application);
  }
  return name;
}
