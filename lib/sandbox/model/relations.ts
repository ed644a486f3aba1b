/** Questions about relations that planner, hook tools and status all ask. */
import type { Reader } from '../store/store.ts';
import type {
  BagDocument,
  RelationDocument,
  RelationEndpoint,
  RelationMemory,
} from './documents.ts';
import { applicationOf, compareUnits } from './names.ts';

export const NOTHING_SEEN: RelationMemory = {
  created: false,
  members: {},
  appVersion: 0,
  broken: false,
};

export function isPeer(relation: RelationDocument): boolean {
  return relation.endpoints.length === 1;
}

/** The application's own end. */
export function endpointOf(
  relation: RelationDocument,
  application: string,
): RelationEndpoint | undefined {
  return relation.endpoints.find((endpoint) => endpoint.application === application);
}

/** The other end; for a peer relation (and an application related to itself) its own. */
export function remoteEndpointOf(
  relation: RelationDocument,
  application: string,
): RelationEndpoint | undefined {
  return (
    relation.endpoints.find((endpoint) => endpoint.application !== application) ??
    endpointOf(relation, application)
  );
}

/** Relations an application takes part in, by id. */
export function relationsOf(reader: Reader, application: string): readonly RelationDocument[] {
  return reader.find('relations of application', application).toSorted((a, b) => a.id - b.id);
}

/** `requirer:endpoint provider:endpoint`, or `app:endpoint` for a peer relation. */
export function relationKey(relation: RelationDocument): string {
  return relation.endpoints
    .map(({ application, endpoint }) => `${application}:${endpoint}`)
    .join(' ');
}

export function bagId(relation: number, entity: string): string {
  return `${relation}/${entity}`;
}

export function bagOf(reader: Reader, relation: number, entity: string): BagDocument | undefined {
  return reader.get('bag', bagId(relation, entity));
}

/** Whether in this relation a principal and its subordinate see each other, and nobody else. */
export function isContainerScoped({ endpoints }: RelationDocument): boolean {
  return endpoints.some(({ scope }) => scope === 'container');
}

/** Whether a unit sees another one in a relation: always, but for those of another container. */
export function sees(
  reader: Reader,
  relation: RelationDocument,
  unit: string,
  other: string,
): boolean {
  return !isContainerScoped(relation) || containerOf(reader, unit) === containerOf(reader, other);
}

function containerOf(reader: Reader, unit: string): string {
  return reader.get('unit', unit)?.principal ?? unit;
}

/** Remote units that take part now, in order: of the other side, or the other peers. */
export function remoteUnits(
  reader: Reader,
  relation: RelationDocument,
  unit: string,
): readonly string[] {
  const remoteApp = remoteEndpointOf(relation, applicationOf(unit))?.application;
  return reader
    .within('bag', String(relation.id))
    .filter(({ entity, inScope }) => inScope && entity.includes('/') && entity !== unit)
    .map(({ entity }) => entity)
    .filter((entity) => applicationOf(entity) === remoteApp && sees(reader, relation, unit, entity))
    .toSorted(compareUnits);
}
