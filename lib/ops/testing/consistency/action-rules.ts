/** Actions: declared, with the params they declare, of their types. */
import type { ActionMeta } from '../../meta.ts';
import { namesOf, type Scene } from './scene.ts';

type Action = NonNullable<Scene['event']['action']>;

export function* actionProblems({ event, meta }: Scene): Generator<string> {
  const { action } = event;
  if (action === undefined) {
    return;
  }
  const declared = meta.actions.get(action.name);
  if (declared === undefined) {
    yield `action "${action.name}" is not declared: the charm has ${namesOf(meta.actions.keys())}`;
    return;
  }
  for (const [param, schema] of Object.entries(declared.params)) {
    if (!DECIDING.some((key) => Object.hasOwn(schema, key))) {
      yield `param "${param}" of action "${action.name}" is declared without type: add one to the charm's actions`;
    }
  }
  for (const param of declared.required.filter((name) => !Object.hasOwn(action.params, name))) {
    yield `action "${action.name}" requires param "${param}": pass it`;
  }
  yield* paramProblems(action, declared);
}

// Keys of a JSON schema that say what a value may be.
const DECIDING = ['type', 'enum', 'anyOf', 'oneOf', 'allOf', '$ref'];

function* paramProblems(action: Action, declared: ActionMeta): Generator<string> {
  for (const [param, value] of Object.entries(action.params)) {
    const schema = declared.params[param];
    if (schema === undefined && !declared.additionalProperties) {
      yield `action "${action.name}" has no param "${param}": declare it, or drop it`;
    } else if (schema !== undefined && !hasJsonType(value, schema['type'])) {
      yield `param "${param}" of action "${action.name}" must be of type ${JSON.stringify(schema['type'])}: ${JSON.stringify(value)} is not`;
    } else if (schema !== undefined && !isAmong(value, schema['enum'])) {
      yield `param "${param}" of action "${action.name}" must be one of ${JSON.stringify(schema['enum'])}: ${JSON.stringify(value)} is not`;
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
  null: (value) => value === null,
};

function hasJsonType(value: unknown, type: unknown): boolean {
  const allowed: readonly unknown[] = Array.isArray(type) ? type : [type];
  return allowed.some((name) => {
    const check = typeof name === 'string' ? JSON_TYPES[name] : undefined;
    return check === undefined || check(value);
  });
}

function isAmong(value: unknown, allowed: unknown): boolean {
  return (
    !Array.isArray(allowed) ||
    allowed.some((item) => JSON.stringify(item) === JSON.stringify(value))
  );
}
