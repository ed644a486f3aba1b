/**
 * Who leads an application. A leader holds a lease of a minute that its agent renews every half a
 * minute, so that who is told to lead leads for half a minute at least. When its agent is lost, the
 * lease runs out and another unit claims it; when the unit is removed, it is handed over at once.
 * https://github.com/juju/juju/blob/3.6/internal/worker/leadership
 */
import type { Reader, Transaction } from '../store/store.ts';
import type { ApplicationDocument, UnitDocument } from './documents.ts';
import { compareUnits } from './names.ts';

const LEASE_MS = 60_000;

/** Makes the first living unit the leader, if possible one whose agent runs; nobody when there is none. */
export function electLeader(transaction: Transaction, application: string): void {
  const alive = candidates(transaction, application);
  const leader = alive.find(isRunning) ?? alive[0];
  transaction.patch('application', application, { leader: leader?.name });
}

/**
 * When the lease that this unit would claim runs out (it may have, by now); undefined where the
 * leader is well or another unit is before this one.
 */
export function leaseEnd(
  reader: Reader,
  { name, leader }: ApplicationDocument,
  unit: UnitDocument,
): Date | undefined {
  const lost = reader.get('unit', leader ?? '')?.agentStoppedAt;
  const isNext = candidates(reader, name).find(isRunning)?.name === unit.name;
  return lost === undefined || !isNext ? undefined : new Date(Date.parse(lost) + LEASE_MS);
}

function candidates(reader: Reader, application: string): readonly UnitDocument[] {
  return reader
    .within('unit', application)
    .filter(({ life }) => life === 'alive')
    .toSorted((a, b) => compareUnits(a.name, b.name));
}

function isRunning({ agentStoppedAt }: UnitDocument): boolean {
  return agentStoppedAt === undefined;
}
