/** remove-unit, remove-application, resolved. */
import type { AgentServices } from '../../agent/services.ts';
import type { Calls, RemoveResult } from '../../api.ts';
import type { ForceParams } from '../../api-units.ts';
import { ModelError } from '../../errors.ts';
import { connectionsOf } from '../../model/cross-model.ts';
import { compareUnits } from '../../model/names.ts';
import { destroyApplication, destroyUnit, forceUnit } from '../../model/removal.ts';
import { storageFate } from '../../model/storage.ts';
import type { Reader, Transaction } from '../../store/store.ts';
import { type CallContext, requireUnit } from './call-context.ts';

export function removeUnits(
  { services }: CallContext,
  { units, dryRun, destroyStorage = false, ...forcing }: Calls['remove-unit']['params'],
): readonly RemoveResult[] {
  return units.map((name) => {
    const unit = services.store.get('unit', name);
    if (unit === undefined) {
      const error = `unit ${JSON.stringify(name)} does not exist`;
      return { name, units: [], error };
    }
    if (unit.principal !== undefined) {
      const error = `unit ${JSON.stringify(name)} is a subordinate, to remove use remove-relation. Note: this will remove all units of ${JSON.stringify(unit.application)}`;
      return { name, units: [], error };
    }
    const storage = describeFate(services.store, [name], destroyStorage);
    if (dryRun !== true) {
      services.store.transact((transaction) => {
        destroyUnit(transaction, name, { storage: destroyStorage });
        forceUnits(services, transaction, { units: [name], ...forcing });
      });
    }
    return { name, units: [], ...storage };
  });
}

export function removeApplications(
  { services }: CallContext,
  {
    applications,
    dryRun,
    destroyStorage = false,
    ...forcing
  }: Calls['remove-application']['params'],
): readonly RemoveResult[] {
  return applications.map((name) => {
    if (services.store.get('application', name) === undefined) {
      const error = `application ${JSON.stringify(name)} not found`;
      return { name, units: [], error };
    }
    const consumers = forcing.force === true ? 0 : consumersOf(services.store, name);
    if (consumers > 0) {
      const plural = consumers === 1 ? '' : 's';
      const error = `cannot destroy application ${JSON.stringify(name)}: application is used by ${consumers} consumer${plural}`;
      return { name, units: [], error };
    }
    const units = services.store
      .within('unit', name)
      .map((unit) => unit.name)
      .toSorted(compareUnits);
    const storage = describeFate(services.store, units, destroyStorage);
    if (dryRun !== true) {
      services.store.transact((transaction) => {
        destroyApplication(transaction, name, { storage: destroyStorage });
        forceUnits(services, transaction, { units, ...forcing });
      });
    }
    return { name, units, ...storage };
  });
}

/** Applications of other models that are related to an offer of this one. */
function consumersOf(reader: Reader, application: string): number {
  return reader
    .all('offer')
    .filter((offer) => offer.application === application)
    .reduce((sum, { uuid }) => sum + connectionsOf(reader, uuid).length, 0);
}

function describeFate(
  reader: Reader,
  units: readonly string[],
  destroy: boolean,
): Pick<RemoveResult, 'detachedStorage' | 'destroyedStorage'> {
  const fates = units.map((unit) => storageFate(reader, unit, destroy));
  return {
    detachedStorage: fates.flatMap(({ detached }) => detached),
    destroyedStorage: fates.flatMap(({ destroyed }) => destroyed),
  };
}

/** Units that were asked to go; those that did not exist long enough to stay a moment are gone already. */
export function forceUnits(
  { clock }: Pick<AgentServices, 'clock'>,
  transaction: Transaction,
  { units, force = false, noWait = false }: ForceParams & { readonly units: readonly string[] },
): void {
  for (const unit of units.filter((each) => force && transaction.get('unit', each))) {
    forceUnit(transaction, unit, { now: clock.now(), noWait });
  }
}

/** A failed hook no longer stands in the way. */
export function skipFailedHook(transaction: Transaction, name: string): void {
  const { pending } = transaction.require('unit', name);
  if (pending?.state === 'failed') {
    transaction.patch('unit', name, { pending: { ...pending, resolved: 'skip' } });
  }
}

export function resolved(
  { services }: CallContext,
  { units = [], all, noRetry }: Calls['resolved']['params'],
): Calls['resolved']['result'] {
  const failed = services.store
    .all('unit')
    .filter(({ agent }) => agent.current === 'error')
    .map(({ name }) => name);
  const asked = all === true ? failed : units;
  if (asked.length === 0 && all !== true) {
    throw new ModelError('no unit specified');
  }
  services.store.transact((transaction) => {
    for (const name of asked) {
      const { pending } = requireUnit(transaction, name);
      if (pending?.state !== 'failed') {
        throw new ModelError(`unit ${JSON.stringify(name)} is not in an error state`);
      }
      if (pending.resolved !== undefined) {
        throw new ModelError('already resolved');
      }
      transaction.patch('unit', name, {
        pending: { ...pending, resolved: noRetry === true ? 'skip' : 'retry' },
      });
    }
  });
  return {};
}
