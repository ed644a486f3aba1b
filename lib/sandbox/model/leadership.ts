/** Who leads an application. */
import type { Transaction } from '../store/store.ts';
import { compareUnits } from './names.ts';

/** Makes the first living unit the leader; nobody when there is none. */
export function electLeader(transaction: Transaction, application: string): void {
  const alive = transaction
    .within('unit', application)
    .filter(({ life }) => life === 'alive')
    .map(({ name }) => name)
    .toSorted(compareUnits);
  transaction.patch('application', application, { leader: alive[0] });
}
