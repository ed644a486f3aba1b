/**
 * actions.yaml, and parameters for its actions.
 * https://github.com/juju/charm/blob/v12/actions.go
 */
import { Ajv, type ErrorObject } from 'ajv';
import { ModelError } from '../errors.ts';
import type { JsonRecord, JsonValue } from '../json.ts';
import type { ActionMetadata } from '../model/charm-metadata.ts';
import { isRecord, recordOf, textOf } from './yaml-document.ts';

const NAME = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;
const JUJU_KEYS: ReadonlySet<string> = new Set([
  'description',
  'params',
  'parallel',
  'execution-group',
]);

/** The actions of an actions file with the JSON schema Juju makes of each. */
export function parseActions(charm: string, document: JsonRecord): Record<string, ActionMetadata> {
  return Object.fromEntries(
    Object.entries(document).map(([name, value]) => [
      name,
      parseAction(charm, name, recordOf(value, `action ${name}`)),
    ]),
  );
}

function parseAction(charm: string, name: string, fields: JsonRecord): ActionMetadata {
  if (!NAME.test(name)) {
    throw new ModelError(`bad action name ${name}`);
  }
  if ((name === 'juju' || name.startsWith('juju-')) && !charm.startsWith('juju-')) {
    throw new ModelError(`cannot use action name ${name}: the "juju-" prefix is reserved`);
  }
  refuseReferences(fields);
  const description = textOf(fields['description'], `action ${name} description`);
  const executionGroup = textOf(fields['execution-group'], `action ${name} execution-group`);
  const copied = Object.entries(fields).filter(([key]) => !JUJU_KEYS.has(key));
  return {
    name,
    ...(description === undefined ? {} : { description }),
    ...(fields['parallel'] === true ? { parallel: true } : {}),
    ...(executionGroup === undefined || executionGroup === '' ? {} : { executionGroup }),
    schema: {
      title: name,
      type: 'object',
      description: description ?? 'No description',
      properties: recordOf(fields['params'], `action ${name} params`),
      ...Object.fromEntries(copied),
    },
  };
}

function refuseReferences(value: JsonValue): void {
  if (Array.isArray(value)) {
    value.forEach((item) => {
      refuseReferences(item);
    });
  } else if (isRecord(value)) {
    for (const [key, inner] of Object.entries(value)) {
      if (key === '$ref' || key === '$schema') {
        throw new ModelError(
          `schema key ${JSON.stringify(key)} not compatible with this version of juju`,
        );
      }
      refuseReferences(inner);
    }
  }
}

/**
 * Checks parameters against the action's schema, then fills in defaults.
 * @throws ModelError `validation failed: …`.
 */
export function prepareParams(action: ActionMetadata, params: JsonRecord): JsonRecord {
  // Draft 4 marks exclusive bounds and ids differently; the rest of what actions use is the same.
  const { title: _title, ...schema } = action.schema;
  const ajv = new Ajv({ strict: false, allErrors: false, validateFormats: false, logger: false });
  const validate = ajv.compile(fromDraft4(schema));
  if (!validate(params)) {
    throw new ModelError(`validation failed: ${explain(validate.errors?.[0], params)}`);
  }
  return withDefaults(action.schema, params);
}

function explain(error: ErrorObject | undefined, params: JsonRecord): string {
  if (error === undefined) {
    return '(root) : is not valid';
  }
  const path = `(root)${error.instancePath.replaceAll('/', '.')}`;
  const given = JSON.stringify(valueAt(params, error.instancePath));
  switch (error.keyword) {
    case 'required':
      return `${path} : ${JSON.stringify(error.params['missingProperty'])} property is missing and required, given ${given}`;
    case 'type':
      return `${path} : must be of type ${String(error.params['type'])}, given ${given}`;
    case 'additionalProperties':
      return `${path} : additional property ${JSON.stringify(error.params['additionalProperty'])} is not allowed, given ${given}`;
    default:
      return `${path} : ${error.message ?? 'is not valid'}, given ${given}`;
  }
}

function valueAt(params: JsonRecord, pointer: string): JsonValue | undefined {
  let value: JsonValue | undefined = params;
  for (const key of pointer.split('/').slice(1)) {
    value = memberOf(value, key.replaceAll('~1', '/').replaceAll('~0', '~'));
  }
  return value;
}

function memberOf(value: JsonValue | undefined, name: string): JsonValue | undefined {
  if (Array.isArray(value)) {
    return (value as readonly JsonValue[])[Number(name)];
  }
  return isRecord(value) ? value[name] : undefined;
}

/** Draft 4's boolean `exclusiveMinimum` and `exclusiveMaximum` in today's form. */
function fromDraft4(schema: JsonRecord): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(schema)) {
    if (key !== 'exclusiveMinimum' && key !== 'exclusiveMaximum') {
      result[key] = convert(value);
    } else if (typeof value === 'number') {
      result[key] = value;
    } else if (value === true) {
      const bound = key === 'exclusiveMinimum' ? 'minimum' : 'maximum';
      result[key] = schema[bound];
    }
  }
  return result;
}

function convert(value: JsonValue): unknown {
  if (Array.isArray(value)) {
    return value.map((item: JsonValue) => convert(item));
  }
  return isRecord(value) ? fromDraft4(value) : value;
}

function withDefaults(schema: JsonRecord, params: JsonRecord): JsonRecord {
  const result: Record<string, JsonValue> = { ...params };
  for (const [name, property] of Object.entries(recordOf(schema['properties'], 'properties'))) {
    const value = isRecord(property) ? withDefault(property, params[name]) : params[name];
    if (value !== undefined) {
      result[name] = value;
    }
  }
  return result;
}

/** An absent object gets one made of its members' defaults, if they have any. */
function withDefault(property: JsonRecord, given: JsonValue | undefined): JsonValue | undefined {
  if (given === undefined && property['default'] !== undefined) {
    return property['default'];
  }
  if (!isRecord(property['properties']) || (given !== undefined && !isRecord(given))) {
    return given;
  }
  const inner = withDefaults(property, given ?? {});
  return given === undefined && Object.keys(inner).length === 0 ? undefined : inner;
}
