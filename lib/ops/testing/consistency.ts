/** Refuses states and events Juju could not be in: a test on nonsense proves nothing. */
import { HintError } from '#system';
import type { CharmMeta, OptionType } from '../meta.ts';
import type { AnyRelationState } from './relation-state.ts';
import type { State } from './state.ts';
import type { TestEvent } from './test-events.ts';

/** The message has all problems, each with what to change in the test. */
export class InconsistentStateError extends HintError {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`Juju could not be in this state:\n- ${problems.join('\n- ')}`, {
      code: 'inconsistent-state',
    });
    this.problems = problems;
  }
}

export interface Scene {
  readonly state: State;
  readonly event: TestEvent;
  readonly meta: CharmMeta;
  readonly unitNumber: number;
}

/** @throws InconsistentStateError */
export function checkConsistency(scene: Scene): void {
  const problems = [
    ...configProblems(scene),
    ...relationProblems(scene),
    ...relationEventProblems(scene),
    ...secretProblems(scene),
    ...actionProblems(scene),
    ...declarationProblems(scene),
  ];
  if (problems.length > 0) {
    throw new InconsistentStateError(problems);
  }
}

function* configProblems({ state, meta }: Scene): Generator<string> {
  for (const [name, value] of Object.entries(state.config)) {
    const option = meta.options.get(name);
    if (option === undefined) {
      yield `config option "${name}" is not declared: add it to the charm's config, or drop it from the state`;
    } else if (!fits(option.type, value)) {
      yield `config option "${name}" is declared as ${option.type}: ${JSON.stringify(value)} is none`;
    }
  }
}

function fits(type: OptionType, value: unknown): boolean {
  switch (type) {
    case 'int':
      return Number.isInteger(value);
    case 'float':
      return typeof value === 'number';
    case 'boolean':
      return typeof value === 'boolean';
    case 'string':
      return typeof value === 'string';
    case 'secret':
      return typeof value === 'string' && /^secret:(\/\/[^/]+\/)?[0-9a-v]{20}$/.test(value);
    default:
      return type satisfies never;
  }
}

function* relationProblems({ state, meta, unitNumber }: Scene): Generator<string> {
  const ids = new Set<number>();
  for (const relation of state.relations) {
    if (ids.has(relation.id)) {
      yield `relation id ${relation.id} occurs twice: give each relation an id of its own`;
    }
    ids.add(relation.id);
    yield* endpointProblems(relation, meta);
    if (relation.kind === 'peer' && relation.peers[unitNumber] !== undefined) {
      yield `peers of relation "${relation.endpoint}" hold this unit itself: put its data into localUnitData`;
    }
  }
}

function* endpointProblems(relation: AnyRelationState, meta: CharmMeta): Generator<string> {
  const declared = meta.endpoints.get(relation.endpoint);
  if (declared === undefined) {
    yield `endpoint "${relation.endpoint}" is not declared: the charm has ${[...meta.endpoints.keys()].join(', ') || 'none'}`;
  } else if ((declared.role === 'peers') !== (relation.kind === 'peer')) {
    const maker = declared.role === 'peers' ? 'peerRelation()' : 'relation()';
    yield `endpoint "${relation.endpoint}" is declared under ${declared.role}: make its relation with ${maker}`;
  }
}

function* relationEventProblems({ state, event, meta }: Scene): Generator<string> {
  const { relation, relationKind } = event;
  if (relation === undefined) {
    return;
  }
  if (!state.relations.some((it) => it.id === relation.id && it.endpoint === relation.endpoint)) {
    yield `the event is about relation ${relation.endpoint}:${relation.id}: add that to the state's relations`;
  }
  if (relationKind === 'broken' && meta.endpoints.get(relation.endpoint)?.role === 'peers') {
    yield `peer relation "${relation.endpoint}" can never be broken: use another event`;
  }
  const needsUnit = relationKind === 'joined' || relationKind === 'departed';
  if (needsUnit && event.remoteUnit === undefined) {
    yield `relation-${relationKind} is about a remote unit: give the relation one`;
  }
  yield* remoteUnitProblems(relation, event);
}

function* remoteUnitProblems(relation: AnyRelationState, event: TestEvent): Generator<string> {
  const { remoteUnit, relationKind } = event;
  const units = relation.kind === 'peer' ? relation.peers : relation.remoteUnits;
  if (remoteUnit !== undefined && units[remoteUnit] === undefined) {
    yield `relation-${relationKind ?? ''} is about remote unit ${remoteUnit}: add it to the units of relation ${relation.endpoint}:${relation.id}`;
  }
}

function* secretProblems({ state, event }: Scene): Generator<string> {
  const ids = state.secrets.map((secret) => secret.id);
  if (new Set(ids).size !== ids.length) {
    yield 'two secrets have the same id: give each one of its own';
  }
  for (const secret of state.secrets) {
    if (!/^secret:(\/\/[^/]+\/)?[0-9a-v]{20}$/.test(secret.id)) {
      yield `secret id "${secret.id}" is none: leave it out, or use "secret:" and 20 characters of 0-9a-v`;
    }
    if (secret.owner !== 'none' && !secret.granted) {
      yield `secret "${secret.label ?? secret.id}" is owned by the charm: it needs no grant`;
    }
  }
  if (event.secret !== undefined && !ids.includes(event.secret.id)) {
    yield `the event is about secret ${event.secret.id}: add that to the state's secrets`;
  }
}

function* actionProblems({ event, meta }: Scene): Generator<string> {
  const { action } = event;
  if (action === undefined) {
    return;
  }
  const declared = meta.actions.get(action.name);
  if (declared === undefined) {
    yield `action "${action.name}" is not declared: the charm has ${[...meta.actions.keys()].join(', ') || 'none'}`;
    return;
  }
  for (const param of declared.required.filter((name) => !Object.hasOwn(action.params, name))) {
    yield `action "${action.name}" requires param "${param}": pass it`;
  }
  for (const [param, value] of Object.entries(action.params)) {
    const schema = declared.params[param];
    if (schema === undefined && !declared.additionalProperties) {
      yield `action "${action.name}" has no param "${param}": declare it, or drop it`;
    } else if (schema !== undefined && !hasJsonType(value, schema['type'])) {
      yield `param "${param}" of action "${action.name}" must be of type ${JSON.stringify(schema['type'])}: ${JSON.stringify(value)} is not`;
    }
  }
}

const JSON_TYPES: Readonly<Record<string, (value: unknown) => boolean>> = {
  string: (value) => typeof value === 'string',
  boolean: (value) => typeof value === 'boolean',
  integer: (value) => Number.isInteger(value),
  number: (value) => typeof value === 'number',
  array: (value) => Array.isArray(value),
  object: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
};

function hasJsonType(value: unknown, type: unknown): boolean {
  const check = typeof type === 'string' ? JSON_TYPES[type] : undefined;
  return check === undefined || check(value);
}

function* declarationProblems({ state, event, meta }: Scene): Generator<string> {
  const storages = [...state.storages, ...(event.storage === undefined ? [] : [event.storage])];
  for (const { id } of storages) {
    if (!meta.storages.has(id.slice(0, id.lastIndexOf('/')))) {
      yield `storage "${id}" is not declared by the charm`;
    }
  }
  for (const binding of Object.keys(state.networks)) {
    if (!meta.endpoints.has(binding) && !meta.extraBindings.includes(binding)) {
      yield `network "${binding}" is neither an endpoint nor an extra binding of the charm`;
    }
  }
  for (const name of Object.keys(state.resources).filter((it) => !meta.resources.includes(it))) {
    yield `resource "${name}" is not declared by the charm`;
  }
}
