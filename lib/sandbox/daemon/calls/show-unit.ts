/** Everything about one unit, with the data of its relations. */
import type { Calls, ShowUnitResult, UnitBag, UnitRelation } from '../../api.ts';
import type { RelationDocument } from '../../model/documents.ts';
import { addressOf } from '../../model/machines.ts';
import { compareUnits } from '../../model/names.ts';
import { comparePorts, formatPort } from '../../model/ports.ts';
import {
  bagOf,
  endpointOf,
  isPeer,
  relationsOf,
  remoteEndpointOf,
  sees,
} from '../../model/relations.ts';
import type { Reader } from '../../store/store.ts';
import { type CallContext, requireUnit } from './call-context.ts';

export function showUnit(
  { services }: CallContext,
  { unit: name }: Calls['show-unit']['params'],
): ShowUnitResult {
  const { store, address } = services;
  const unit = requireUnit(store, name);
  const application = store.require('application', unit.application);
  return {
    name,
    ...(unit.workloadVersion === undefined ? {} : { workloadVersion: unit.workloadVersion }),
    machine: unit.machine,
    openedPorts: unit.ports.toSorted(comparePorts).map(formatPort),
    publicAddress: addressOf(store, name, address),
    charm: `local:${application.charm}`,
    leader: application.leader === name,
    life: unit.life,
    relations: relationsOf(store, unit.application).map((relation) =>
      describe(store, relation, name),
    ),
  };
}

function describe(reader: Reader, relation: RelationDocument, unit: string): UnitRelation {
  const application = unit.split('/', 1)[0] ?? '';
  const nobody = { application: '', endpoint: '' };
  const own = endpointOf(relation, application) ?? nobody;
  const remote = remoteEndpointOf(relation, application) ?? nobody;
  const related = reader
    .within('bag', String(relation.id))
    .filter(({ entity }) => entity.startsWith(`${remote.application}/`) && entity !== unit)
    .filter(({ entity }) => sees(reader, relation, unit, entity))
    .toSorted((a, b) => compareUnits(a.entity, b.entity));
  return {
    id: relation.id,
    endpoint: own.endpoint,
    relatedEndpoint: remote.endpoint,
    peer: isPeer(relation),
    ...(relation.crossModel === undefined ? {} : { crossModel: true }),
    applicationData: bagOf(reader, relation.id, remote.application)?.data ?? {},
    ...(isPeer(relation) ? { localUnit: unitBag(reader, relation.id, unit) } : {}),
    relatedUnits: Object.fromEntries(
      related.map(({ entity }) => [entity, unitBag(reader, relation.id, entity)]),
    ),
  };
}

function unitBag(reader: Reader, relation: number, unit: string): UnitBag {
  const bag = bagOf(reader, relation, unit);
  return { inScope: bag?.inScope ?? false, data: bag?.data ?? {} };
}
