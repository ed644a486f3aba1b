/**
 * Relations that go into another model. Each of the two models has a relation of its own, in which an
 * application of the name `remote` stands for the other side; what one side is goes over as a whole,
 * so that a lost or repeated message changes nothing.
 * https://github.com/juju/juju/tree/3.6/internal/worker/remoterelations
 */
import { createHash } from 'node:crypto';
import type { RelationSide } from '../api-cross-model.ts';
import type { Reader, Transaction } from '../store/store.ts';
import type { CrossModelLink, RemoteDocument } from './cross-model-documents.ts';
import type { ApplicationDocument, BagDocument, RelationDocument } from './documents.ts';
import { bagId, bagOf } from './relations.ts';
import { destroyRelation, removeRelationIfEmpty } from './removal.ts';

export interface CrossModelRelation extends RelationDocument {
  readonly crossModel: CrossModelLink;
}

export function isCrossModel(relation: RelationDocument): relation is CrossModelRelation {
  return relation.crossModel !== undefined;
}

/** Relations with the applications of another model that are of one kind here. */
export function relationsWithModel(
  reader: Reader,
  model: string,
  kind: RemoteDocument['kind'],
): readonly CrossModelRelation[] {
  return reader
    .all('relation')
    .filter(isCrossModel)
    .filter(({ crossModel }) => {
      const remote = reader.get('remote', crossModel.remote);
      return remote?.kind === kind && remote.model.uuid === model;
    })
    .toSorted((a, b) => a.id - b.id);
}

/** Relations that consumers have with an offer. */
export function connectionsOf(reader: Reader, offer: string): readonly CrossModelRelation[] {
  return reader
    .all('relation')
    .filter(isCrossModel)
    .filter(({ crossModel }) => {
      const remote = reader.get('remote', crossModel.remote);
      return remote?.kind === 'proxy' && remote.offer.uuid === offer;
    })
    .toSorted((a, b) => a.id - b.id);
}

/** `remote-<32 hexadecimal digits>`: what a consuming application is called in the offering model. */
export function proxyName(
  model: string,
  { name, created }: ApplicationDocument,
  offer: string,
): string {
  const identity = JSON.stringify([model, name, created, offer]);
  return `remote-${createHash('sha256').update(identity).digest('hex').slice(0, 32)}`;
}

/** The application of this model in a relation with another. */
export function ownApplication({ endpoints, crossModel }: CrossModelRelation): string {
  return endpoints.find(({ application }) => application !== crossModel.remote)?.application ?? '';
}

/** This model's side, as the other one has to know it. */
export function sideOf(reader: Reader, relation: CrossModelRelation): RelationSide {
  const application = ownApplication(relation);
  const app = bagOf(reader, relation.id, application);
  const units = reader
    .within('bag', String(relation.id))
    .filter(({ entity }) => entity.startsWith(`${application}/`))
    .toSorted((a, b) => (a.entity < b.entity ? -1 : 1))
    .map(({ entity, data, inScope }) => [numberOf(entity), { data, inScope }]);
  return {
    life: relation.life,
    ...(relation.suspended === undefined ? {} : { suspended: relation.suspended }),
    ...(app === undefined ? {} : { data: app.data }),
    units: Object.fromEntries(units) as RelationSide['units'],
  };
}

/** Takes over what the other model says of its side; undefined: it has no such relation. */
export function applySide(
  transaction: Transaction,
  id: number,
  side: RelationSide | undefined,
): void {
  const relation = transaction.get('relation', String(id));
  if (relation === undefined || !isCrossModel(relation)) {
    return;
  }
  if (side === undefined) {
    applyAbsence(transaction, relation);
    return;
  }
  applyBags(transaction, relation, side);
  if (relation.crossModel.otherLife !== side.life) {
    transaction.patch('relation', String(id), {
      crossModel: { ...relation.crossModel, otherLife: side.life },
    });
  }
  if (side.life === 'dying' && relation.life === 'alive') {
    destroyRelation(transaction, id);
  } else {
    removeRelationIfEmpty(transaction, id);
  }
}

/** The other side is gone, unless it has never heard of this relation. */
function applyAbsence(transaction: Transaction, relation: CrossModelRelation): void {
  const { id, crossModel, life } = relation;
  if (crossModel.otherLife === undefined) {
    return;
  }
  const { token, remote, proxy } = crossModel;
  transaction.patch('relation', String(id), {
    crossModel: { token, remote, ...(proxy === undefined ? {} : { proxy }) },
  });
  for (const { entity, inScope } of transaction.within('bag', String(id))) {
    if (inScope && entity.startsWith(`${remote}/`)) {
      transaction.patch('bag', bagId(id, entity), { inScope: false });
    }
  }
  if (life === 'alive') {
    destroyRelation(transaction, id);
  } else {
    removeRelationIfEmpty(transaction, id);
  }
}

function applyBags(
  transaction: Transaction,
  { id, crossModel: { remote } }: CrossModelRelation,
  { data, units }: RelationSide,
): void {
  if (data !== undefined) {
    putBag(transaction, { relation: id, entity: remote, data, inScope: false });
  }
  for (const [number, unit] of Object.entries(units)) {
    putBag(transaction, { relation: id, entity: `${remote}/${number}`, ...unit });
  }
  for (const { entity, inScope } of transaction.within('bag', String(id))) {
    const isKnown = !entity.startsWith(`${remote}/`) || units[numberOf(entity)] !== undefined;
    if (!isKnown && inScope) {
      transaction.patch('bag', bagId(id, entity), { inScope: false });
    }
  }
}

function putBag(transaction: Transaction, bag: Omit<BagDocument, 'version'>): void {
  const id = bagId(bag.relation, bag.entity);
  const before = transaction.get('bag', id);
  const isSame = before !== undefined && sameData(before.data, bag.data);
  if (isSame && before.inScope === bag.inScope) {
    return;
  }
  const version = (before?.version ?? 0) + (isSame ? 0 : 1);
  transaction.put('bag', id, { ...bag, version });
}

function sameData(a: BagDocument['data'], b: BagDocument['data']): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}

function numberOf(unit: string): string {
  return unit.split('/')[1] ?? '';
}

/** Units leave the relation, which stays. */
export function suspendRelation(transaction: Transaction, id: number, reason: string): void {
  if (transaction.require('relation', String(id)).suspended?.reason !== reason) {
    transaction.patch('relation', String(id), { suspended: { reason } });
  }
}

/** Units that have left enter again, as into a new relation. */
export function resumeRelation(transaction: Transaction, id: number): void {
  const { suspended, endpoints } = transaction.require('relation', String(id));
  if (suspended === undefined) {
    return;
  }
  transaction.patch('relation', String(id), { suspended: undefined });
  for (const unit of endpoints.flatMap(({ application }) =>
    transaction.within('unit', application),
  )) {
    if (unit.relations[String(id)]?.broken === true) {
      const kept = Object.entries(unit.relations).filter(([key]) => key !== String(id));
      transaction.patch('unit', unit.name, { relations: Object.fromEntries(kept) });
    }
  }
}
