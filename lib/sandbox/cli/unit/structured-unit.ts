/** `juju show-unit`: what one unit sees of its relations. */
import type { ShowUnitResult, UnitBag, UnitRelation } from '../../api.ts';
import { sortedEntries } from '../../go-output/natural-sort.ts';
import { type OutputValue, sortKeys } from '../../go-output/values.ts';

export interface UnitSelection {
  /** Only this endpoint; then relations without any data are shown as well. */
  readonly endpoint: string | undefined;
  readonly relatedUnit: string | undefined;
  /** Leaves the units' data out. */
  readonly applicationOnly: boolean;
}

/** The document of one unit, without its name. */
export function structuredUnit(unit: ShowUnitResult, selection: UnitSelection): OutputValue {
  const relations = unit.relations
    .filter((relation) => isShown(relation, selection))
    .map((relation) => structuredRelation(relation, selection));
  return {
    'workload-version': unit.workloadVersion === '' ? undefined : unit.workloadVersion,
    machine: unit.machine,
    'opened-ports': unit.openedPorts,
    'public-address': unit.publicAddress,
    charm: unit.charm,
    leader: unit.leader,
    life: unit.life,
    'relation-info': relations.length === 0 ? undefined : relations,
  };
}

function isShown(relation: UnitRelation, { endpoint }: UnitSelection): boolean {
  if (endpoint !== undefined) {
    return relation.endpoint === endpoint;
  }
  return (
    Object.keys(relation.applicationData).length > 0 ||
    relation.localUnit !== undefined ||
    Object.keys(relation.relatedUnits).length > 0
  );
}

function structuredRelation(relation: UnitRelation, selection: UnitSelection): OutputValue {
  const { relatedUnit, applicationOnly } = selection;
  const units = sortedEntries(relation.relatedUnits).filter(
    ([name]) => !applicationOnly && (relatedUnit === undefined || relatedUnit === name),
  );
  return {
    'relation-id': relation.id,
    endpoint: relation.endpoint,
    'cross-model': relation.crossModel,
    'related-endpoint': relation.relatedEndpoint,
    'application-data': sortKeys(relation.applicationData),
    'local-unit':
      relation.localUnit === undefined || applicationOnly ? undefined : bag(relation.localUnit),
    'related-units':
      units.length === 0
        ? undefined
        : Object.fromEntries(units.map(([name, data]) => [name, bag(data)])),
  };
}

function bag({ inScope, data }: UnitBag): OutputValue {
  return { 'in-scope': inScope, data: sortKeys(data) };
}
