/** Subordinate units: each lives beside the one principal unit it was made for. */
import type { Reader, Transaction } from '../store/store.ts';
import type { RelationDocument, UnitDocument } from './documents.ts';
import { applicationOf, compareUnits } from './names.ts';
import { isContainerScoped, relationsOf, remoteEndpointOf } from './relations.ts';
import { addInitialStorage } from './storage.ts';
import { createUnit } from './units.ts';

/** Every application provides `juju-info` without saying so, and no hook tells it who uses it. */
export function isImplicit(relation: RelationDocument, application: string): boolean {
  return relation.endpoints.some(
    (end) =>
      end.application === application && end.endpoint === 'juju-info' && end.role === 'provider',
  );
}

export function isSubordinate(reader: Reader, application: string): boolean {
  const charm = reader.get('application', application)?.charm ?? '';
  return reader.get('charm', charm)?.metadata.subordinate ?? false;
}

/** In order of their names. */
export function subordinatesOf(reader: Reader, principal: string): readonly UnitDocument[] {
  return reader
    .find('subordinates of unit', principal)
    .toSorted((a, b) => compareUnits(a.name, b.name));
}

/** A principal waits with entering until the subordinate it had before is gone. */
export function mayEnterScope(
  reader: Reader,
  relation: RelationDocument,
  unit: UnitDocument,
): boolean {
  const remote = remoteEndpointOf(relation, unit.application)?.application;
  return (
    !isContainerScoped(relation) ||
    !subordinatesOf(reader, unit.name).some(
      ({ application, life }) => application === remote && life === 'dying',
    )
  );
}

/** Makes the subordinate of a principal that has entered a container-scoped relation, unless it has it. */
export function ensureSubordinate(
  transaction: Transaction,
  relation: RelationDocument,
  principal: UnitDocument,
  now: Date,
): void {
  const application = remoteEndpointOf(relation, principal.application)?.application ?? '';
  const isNeeded =
    isContainerScoped(relation) &&
    principal.principal === undefined &&
    isSubordinate(transaction, application) &&
    transaction.get('application', application)?.life === 'alive' &&
    !subordinatesOf(transaction, principal.name).some((unit) => unit.application === application);
  if (isNeeded) {
    const name = createUnit(transaction, application, now, {
      machine: principal.machine,
      principal: principal.name,
    });
    addInitialStorage(transaction, name, [], now.toISOString());
  }
}

/** Subordinates that only this relation, now dying, kept beside their principals. */
export function subordinatesKeptBy(
  reader: Reader,
  relation: RelationDocument,
): readonly UnitDocument[] {
  if (!isContainerScoped(relation)) {
    return [];
  }
  const applications = relation.endpoints.map(({ application }) => application);
  return applications
    .flatMap((application) => reader.within('unit', application))
    .filter(({ principal }) => principal !== undefined)
    .filter(
      ({ application, principal = '' }) =>
        applications.includes(applicationOf(principal)) &&
        !relationsOf(reader, application).some(
          (other) =>
            other.life === 'alive' &&
            isContainerScoped(other) &&
            remoteEndpointOf(other, application)?.application === applicationOf(principal),
        ),
    );
}
