/** Relations: declared, of the right kind and scope, with ids and units that can be. */
import type { EndpointMeta } from '../../meta.ts';
import { type AnyRelationState, remoteUnitsOf } from '../relation-state.ts';
import { namesOf, repeated, type Scene } from './scene.ts';

export function* relationProblems(scene: Scene): Generator<string> {
  const { state, meta, unitNumber } = scene;
  for (const id of repeated(state.relations.map((relation) => relation.id))) {
    yield `relation id ${id} occurs twice: give each relation an id of its own`;
  }
  for (const relation of state.relations) {
    const declared = meta.endpoints.get(relation.endpoint);
    if (declared === undefined) {
      yield `endpoint "${relation.endpoint}" is not declared: the charm has ${namesOf(meta.endpoints.keys())}`;
    } else {
      yield* kindProblems(relation, declared);
    }
    if (relation.kind === 'peer' && relation.peers[unitNumber] !== undefined) {
      yield `peers of relation "${relation.endpoint}" hold this unit itself: put its data into localUnitData`;
    }
  }
  yield* peerProblems(scene);
  yield* dataProblems(scene);
}

/** Databags hold texts. Empty ones pass, though Juju drops such keys: they make good bad input. */
function* dataProblems({ state }: Scene): Generator<string> {
  for (const relation of state.relations) {
    const remoteApp = relation.kind === 'peer' ? {} : relation.remoteAppData;
    const units = Object.values(remoteUnitsOf(relation));
    for (const data of [relation.localAppData, relation.localUnitData, remoteApp, ...units]) {
      for (const [key, value] of Object.entries<unknown>(data)) {
        if (typeof value !== 'string') {
          yield `key "${key}" in the data of relation ${relation.endpoint}:${relation.id} is ${JSON.stringify(value) ?? 'undefined'}: write it as text`;
        }
      }
    }
  }
}

function* kindProblems(relation: AnyRelationState, declared: EndpointMeta): Generator<string> {
  const { endpoint } = relation;
  if ((declared.role === 'peers') !== (relation.kind === 'peer')) {
    const maker = declared.role === 'peers' ? 'peerRelation()' : 'relation()';
    yield `endpoint "${endpoint}" is declared under ${declared.role}: make its relation with ${maker}`;
    return;
  }
  if (relation.kind === 'peer') {
    return;
  }
  if (declared.scope === 'container' && relation.scope !== 'container') {
    yield `endpoint "${endpoint}" has "scope: container": make its relation with subordinateRelation()`;
  }
  if (declared.scope !== 'container' && relation.scope === 'container') {
    yield `endpoint "${endpoint}" is not declared with "scope: container": make its relation with relation(), or declare the scope`;
  }
  if (relation.scope === 'container' && Object.keys(relation.remoteUnits).length > 1) {
    yield `relation "${endpoint}" has "scope: container": it has one remote unit, the one on the same machine`;
  }
}

/** An application has one peer relation an endpoint. */
function* peerProblems({ state }: Scene): Generator<string> {
  const endpoints = state.relations
    .filter((relation) => relation.kind === 'peer')
    .map((relation) => relation.endpoint);
  for (const endpoint of repeated(endpoints)) {
    yield `peer relation "${endpoint}" occurs twice: keep one, Juju makes no second`;
  }
}
