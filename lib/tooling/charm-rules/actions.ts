/**
 * Juju's rules for actions.yaml: each action is a JSON schema of draft 4.
 * https://github.com/juju/charm/blob/v12/actions.go
 */
import { Ajv } from 'ajv';
import { describeError, type JsonRecord, type JsonValue } from '#system';
import { expectType, isMap, isReservedName, mapsOf, quote, type Report } from './document.ts';

const NAME = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;
const JUJU_KEYS: readonly string[] = ['description', 'params', 'parallel', 'execution-group'];
const BOUNDS = [
  ['exclusiveMinimum', 'minimum'],
  ['exclusiveMaximum', 'maximum'],
] as const;

/** Reports what Juju would refuse. */
export function checkActions(actions: JsonRecord, charm: string, report: Report): void {
  for (const [name, action] of mapsOf(actions, 'actions.yaml', report)) {
    const what = `actions.yaml: ${name}`;
    if (!NAME.test(name)) {
      report(`actions.yaml: bad action name ${quote(name)}`);
    }
    if (isReservedName(name, charm)) {
      report(`actions.yaml: cannot use action name ${name}: the "juju-" prefix is reserved`);
    }
    expectType(action['description'], 'string', `${what}.description`, report);
    expectType(action['title'], 'string', `${what}.title`, report);
    expectType(action['parallel'], 'boolean', `${what}.parallel`, report);
    expectType(action['execution-group'], 'string', `${what}.execution-group`, report);
    mapsOf(action['params'], `${what}.params`, report);
    checkSchema(schemaOf(action), what, report);
  }
}

/** The schema Juju makes of an action. */
function schemaOf(action: JsonRecord): JsonRecord {
  const own = Object.entries(action).filter(([key]) => !JUJU_KEYS.includes(key));
  const params = action['params'];
  return { type: 'object', properties: isMap(params) ? params : {}, ...Object.fromEntries(own) };
}

function checkSchema(schema: JsonRecord, what: string, report: Report): void {
  const before: string[] = [];
  const modern = fromDraft4(schema, (problem) => before.push(`${what}: ${problem}`));
  before.forEach(report);
  if (before.length > 0) {
    return;
  }
  try {
    const ajv = new Ajv({ strict: false, validateFormats: false, logger: false });
    ajv.compile(modern as JsonRecord);
  } catch (error) {
    report(`${what}: invalid params schema: ${describeError(error)}`);
  }
}

/** Draft 4 in the form of later drafts, without what Juju refuses or draft 4 does not have. */
function fromDraft4(value: JsonValue, report: Report): JsonValue {
  if (Array.isArray(value)) {
    return (value as readonly JsonValue[]).map((one) => fromDraft4(one, report));
  }
  if (!isMap(value)) {
    return value;
  }
  const exclusive = BOUNDS.map(([key]) => key as string);
  const result: Record<string, JsonValue> = {};
  for (const [key, member] of Object.entries(value)) {
    if (key === '$ref' || key === '$schema') {
      report(`schema key ${quote(key)} not compatible with this version of juju`);
    } else if (!exclusive.includes(key)) {
      result[key] = fromDraft4(member, report);
    }
  }
  for (const [key, bound] of BOUNDS) {
    checkBound(value, key, bound, report);
  }
  return result;
}

function checkBound(schema: JsonRecord, key: string, bound: string, report: Report): void {
  const value = schema[key];
  if (value !== undefined && (typeof value !== 'boolean' || schema[bound] === undefined)) {
    report(`${key} is true or false beside ${bound} (JSON schema draft 4), not ${quote(value)}`);
  }
}
