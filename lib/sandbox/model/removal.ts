/** How relations, units and applications go away: first dying, gone when nobody needs them. */
import type { Reader, Transaction } from '../store/store.ts';
import { electLeader } from './leadership.ts';
import { removeMachineIfEmpty } from './machines.ts';
import { applicationOf } from './names.ts';
import { bagId, isPeer, relationsOf } from './relations.ts';
import { detachAllStorage, dropAttachment, storageOf } from './storage.ts';
import { subordinatesKeptBy, subordinatesOf } from './subordinates.ts';

/**
 * Marks a relation as dying; it goes at once when no unit takes part. Subordinates that only it
 * kept beside their principals die with it.
 */
export function destroyRelation(transaction: Transaction, id: number): void {
  const relation = transaction.patch('relation', String(id), { life: 'dying' });
  for (const { name } of subordinatesKeptBy(transaction, relation)) {
    destroyUnit(transaction, name);
  }
  removeRelationIfEmpty(transaction, id);
}

/** Removes a dying relation that no unit takes part in any more, with its data. */
export function removeRelationIfEmpty(transaction: Transaction, id: number): void {
  const relation = transaction.get('relation', String(id));
  // The other model is still to hear of it where it believes the relation alive.
  const isAwaited = relation?.crossModel?.otherLife === 'alive';
  if (relation?.life === 'dying' && !isAwaited && !hasParticipants(transaction, id)) {
    removeRelation(transaction, id);
  }
}

/** What goes with a unit beside itself. */
export interface Destruction {
  /** Also the storage that could be attached to others. */
  readonly storage?: boolean;
}

/**
 * Marks a unit as dying, and its subordinates. It leaves its relations' scopes at once, so that the
 * others see it depart before it has run its own hooks.
 */
export function destroyUnit(
  transaction: Transaction,
  name: string,
  { storage = false }: Destruction = {},
): void {
  const unit = transaction.require('unit', name);
  if (unit.life === 'dying') {
    return;
  }
  transaction.patch('unit', name, { life: 'dying' });
  detachAllStorage(transaction, name, storage);
  for (const relation of relationsOf(transaction, unit.application)) {
    const id = bagId(relation.id, name);
    if (transaction.get('bag', id) !== undefined) {
      transaction.patch('bag', id, { inScope: false });
    }
  }
  for (const subordinate of subordinatesOf(transaction, name)) {
    destroyUnit(transaction, subordinate.name, { storage });
  }
}

// Juju's default, where --no-wait is not given.
const FORCE_WAIT_MS = 60_000;

/**
 * Sees to it that a dying unit and its subordinates go, hooks or no hooks: after a minute it is dead, and runs none any
 * more; after a further one it is gone, whoever should have removed it. A second force may only hurry it.
 * https://github.com/juju/juju/blob/3.6/state/cleanup.go
 */
export function forceUnit(
  transaction: Transaction,
  name: string,
  { now, noWait = false }: { readonly now: Date; readonly noWait?: boolean },
): void {
  const waitMs = noWait ? 0 : FORCE_WAIT_MS;
  const after = (ms: number) => new Date(now.getTime() + ms).toISOString();
  const { forced } = transaction.require('unit', name);
  if (forced === undefined || forced.deadAt > after(waitMs)) {
    transaction.patch('unit', name, {
      forced: { deadAt: after(waitMs), goneAt: after(2 * waitMs) },
    });
  }
  for (const subordinate of subordinatesOf(transaction, name)) {
    forceUnit(transaction, subordinate.name, { now, noWait });
  }
}

/** Marks an application with its relations and units as dying; it goes with its last unit. */
export function destroyApplication(
  transaction: Transaction,
  name: string,
  destruction: Destruction = {},
): void {
  transaction.patch('application', name, { life: 'dying' });
  for (const relation of relationsOf(transaction, name)) {
    if (!isPeer(relation)) {
      destroyRelation(transaction, relation.id);
    }
  }
  for (const unit of transaction.within('unit', name)) {
    destroyUnit(transaction, unit.name, destruction);
  }
  removeApplicationIfEmpty(transaction, name);
}

/** Removes a unit, hands its leadership over, and takes along what dies with it. */
export function removeUnit(transaction: Transaction, name: string): void {
  const unit = transaction.require('unit', name);
  transaction.remove('unit', name);
  cancelTasks(transaction, name);
  for (const { id, since } of storageOf(transaction, name)) {
    dropAttachment(transaction, id, since);
  }
  removeSecretsOf(transaction, 'unit', name);
  forgetConsumer(transaction, name);
  const application = transaction.get('application', unit.application);
  if (application?.leader === name) {
    electLeader(transaction, unit.application);
  }
  for (const relation of relationsOf(transaction, unit.application)) {
    const id = bagId(relation.id, name);
    if (transaction.get('bag', id) !== undefined) {
      transaction.patch('bag', id, { inScope: false });
    }
    removeRelationIfEmpty(transaction, relation.id);
  }
  removeApplicationIfEmpty(transaction, unit.application);
  removeMachineIfEmpty(transaction, unit.machine);
}

function removeApplicationIfEmpty(transaction: Transaction, name: string): void {
  const application = transaction.get('application', name);
  if (application?.life !== 'dying' || transaction.within('unit', name).length > 0) {
    return;
  }
  for (const relation of relationsOf(transaction, name)) {
    if (isPeer(relation)) {
      removeRelation(transaction, relation.id);
    }
  }
  removeSecretsOf(transaction, 'application', name);
  for (const offer of transaction.all('offer')) {
    if (offer.application === name) {
      transaction.remove('offer', offer.name);
    }
  }
  transaction.remove('application', name);
}

/** Removes a relation with all its data and everybody's memory of it. */
export function removeRelation(transaction: Transaction, id: number): void {
  const remote = transaction.get('relation', String(id))?.crossModel?.remote;
  transaction.remove('relation', String(id));
  for (const { entity } of transaction.within('bag', String(id))) {
    transaction.remove('bag', bagId(id, entity));
  }
  for (const secret of transaction.all('secret')) {
    if (secret.grants.some((grant) => grant.relation === id)) {
      transaction.patch('secret', secret.id, {
        grants: secret.grants.filter((grant) => grant.relation !== id),
      });
    }
  }
  for (const unit of transaction.all('unit')) {
    if (unit.relations[String(id)] !== undefined) {
      const kept = Object.entries(unit.relations).filter(([key]) => key !== String(id));
      transaction.patch('unit', unit.name, { relations: Object.fromEntries(kept) });
    }
  }
  removeRemoteIfUnused(transaction, remote ?? '');
}

/** Marks a consumed application and its relations as dying; it goes with the last of them. */
export function destroyRemote(transaction: Transaction, name: string): void {
  transaction.patch('remote', name, { life: 'dying' });
  for (const relation of relationsOf(transaction, name)) {
    destroyRelation(transaction, relation.id);
  }
  removeRemoteIfUnused(transaction, name);
}

/** A consumer's proxy lives as long as its relations; so does a consumed application once it is dying. */
function removeRemoteIfUnused(transaction: Transaction, name: string): void {
  const remote = transaction.get('remote', name);
  const isWanted = remote?.kind === 'saas' && remote.life === 'alive';
  if (remote === undefined || isWanted || relationsOf(transaction, name).length > 0) {
    return;
  }
  removeSecretsOf(transaction, 'application', name);
  for (const secret of transaction.all('secret')) {
    for (const unit of Object.keys(secret.consumers)) {
      if (applicationOf(unit) === name) {
        forgetConsumer(transaction, unit);
      }
    }
  }
  transaction.remove('remote', name);
}

/**
 * A unit takes part while its bag is in scope, and while it still owes hooks of the relation: a
 * dying unit has left the scope and yet runs its departed and broken.
 */
function hasParticipants(reader: Reader, id: number): boolean {
  return (
    reader.within('bag', String(id)).some(({ inScope }) => inScope) ||
    reader.all('unit').some(({ relations }) => {
      const memory = relations[String(id)];
      return memory?.created === true && !memory.broken;
    })
  );
}

function cancelTasks(transaction: Transaction, unit: string): void {
  for (const task of transaction.all('task')) {
    if (task.unit === unit && task.status === 'pending') {
      transaction.patch('task', task.id, { status: 'cancelled', message: 'unit removed' });
    }
  }
}

function removeSecretsOf(
  transaction: Transaction,
  kind: 'application' | 'unit',
  name: string,
): void {
  for (const secret of transaction.all('secret')) {
    if (secret.owner.kind === kind && secret.owner.name === name) {
      transaction.remove('secret', secret.id);
    }
  }
}

function forgetConsumer(transaction: Transaction, unit: string): void {
  for (const secret of transaction.all('secret')) {
    if (secret.consumers[unit] !== undefined) {
      const kept = Object.entries(secret.consumers).filter(([name]) => name !== unit);
      transaction.patch('secret', secret.id, { consumers: Object.fromEntries(kept) });
    }
  }
}
