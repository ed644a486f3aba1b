/** How a unit comes into the scope of a relation and leaves it: with its created hook, or without any. */
import { addressOf } from '../model/machines.ts';
import { bagId, NOTHING_SEEN } from '../model/relations.ts';
import { removeRelationIfEmpty } from '../model/removal.ts';
import { ensureSubordinate } from '../model/subordinates.ts';
import type { Transaction } from '../store/store.ts';
import type { AgentServices } from './services.ts';

/**
 * From now on the remote units see this one; its bag says under which address. A principal gets
 * its subordinate.
 */
export function enterScope(
  { address: hostAddress, clock }: Pick<AgentServices, 'address' | 'clock'>,
  transaction: Transaction,
  unit: string,
  relation: number,
): void {
  const id = bagId(relation, unit);
  const before = transaction.get('bag', id);
  if (before?.inScope !== true) {
    const address = addressOf(transaction, unit, hostAddress);
    transaction.put('bag', id, {
      relation,
      entity: unit,
      data: {
        'egress-subnets': `${address}/${address.includes(':') ? 128 : 32}`,
        'ingress-address': address,
        'private-address': address,
      },
      version: (before?.version ?? 0) + 1,
      inScope: true,
    });
  }
  const document = transaction.get('relation', String(relation));
  if (document !== undefined) {
    ensureSubordinate(transaction, document, transaction.require('unit', unit), clock.now());
  }
}

/** Enters a relation on an implicit endpoint, of which no hook tells. */
export function enterSilently(
  services: Pick<AgentServices, 'address' | 'clock'>,
  transaction: Transaction,
  unit: string,
  relation: number,
): void {
  enterScope(services, transaction, unit, relation);
  remember(transaction, unit, relation, { created: true });
}

/** Leaves a relation on an implicit endpoint. */
export function leaveSilently(transaction: Transaction, unit: string, relation: number): void {
  remember(transaction, unit, relation, { broken: true });
  const id = bagId(relation, unit);
  if (transaction.get('bag', id) !== undefined) {
    transaction.patch('bag', id, { inScope: false });
  }
  removeRelationIfEmpty(transaction, relation);
}

function remember(
  transaction: Transaction,
  unit: string,
  relation: number,
  step: { readonly created?: true; readonly broken?: true },
): void {
  const { relations } = transaction.require('unit', unit);
  const memory = relations[String(relation)] ?? NOTHING_SEEN;
  transaction.patch('unit', unit, {
    relations: { ...relations, [String(relation)]: { ...memory, ...step } },
  });
}
