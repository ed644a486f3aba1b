/** How units come to be. */
import type { Transaction } from '../store/store.ts';
import { MODEL } from './documents.ts';
import { electLeader } from './leadership.ts';
import { addInitialStorage } from './storage.ts';

/**
 * Adds a unit on a machine; numbers are never given twice, not even to an application of the same
 * name. The first unit of an application leads it.
 * @param place `principal` for a subordinate: the unit whose machine it shares; `attachStorage`:
 *   ids of detached storage it gets instead of new
 * @returns its name
 */
export function createUnit(
  transaction: Transaction,
  application: string,
  now: Date,
  place: {
    readonly machine: string;
    readonly principal?: string;
    readonly attachStorage?: readonly string[];
  },
): string {
  const { attachStorage = [], ...where } = place;
  const { charm, charmVersion = 0 } = transaction.require('application', application);
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
    ...where,
    charm,
    charmSeen: charmVersion,
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
  addInitialStorage(transaction, name, attachStorage, since);
  if (transaction.require('application', application).leader === undefined) {
    electLeader(transaction, application);
  }
  return name;
}
