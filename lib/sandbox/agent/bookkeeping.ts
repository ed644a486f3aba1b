/** What a unit's agent changes in the model without running anything. */
import { applicationOf } from '../model/names.ts';
import type { Transaction } from '../store/store.ts';
import { finishHook } from './finish-hook.ts';
import type { Operation } from './operation.ts';
import { enterSilently, leaveSilently } from './scope-operation.ts';
import type { AgentServices } from './services.ts';

const KINDS = [
  'skip-hook',
  'claim-leadership',
  'accept-leadership',
  'resign-leadership',
  'enter-scope',
  'leave-scope',
] as const;

export type Bookkeeping = Extract<Operation, { kind: (typeof KINDS)[number] }>;

export function isBookkeeping(operation: Operation): operation is Bookkeeping {
  return KINDS.some((kind) => kind === operation.kind);
}

export function keepBooks(
  services: Pick<AgentServices, 'address' | 'clock'>,
  transaction: Transaction,
  unit: string,
  operation: Bookkeeping,
): void {
  switch (operation.kind) {
    case 'skip-hook':
      finishHook(transaction, unit, operation.hook, services.clock.now().toISOString());
      break;
    case 'claim-leadership':
      transaction.patch('application', applicationOf(unit), { leader: unit });
      break;
    case 'accept-leadership':
      transaction.patch('unit', unit, {
        leaderAccepted: true,
        pending: {
          hook: { kind: 'lifecycle', name: 'leader-elected' },
          state: 'queued',
          failures: 0,
        },
      });
      break;
    case 'resign-leadership':
      transaction.patch('unit', unit, { leaderAccepted: false });
      break;
    case 'enter-scope':
      enterSilently(services, transaction, unit, operation.relation);
      break;
    case 'leave-scope':
      leaveSilently(transaction, unit, operation.relation);
      break;
  }
}
