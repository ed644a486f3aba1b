/** The JSON Schemas of the interface, compiled when first needed, and their errors in plain words. */
import { Ajv2019, type ErrorObject, type ValidateFunction } from 'ajv/dist/2019.js';
import providerSchema from '../../schemas/database_backup/v0/provider.json' with { type: 'json' };
import requirerSchema from '../../schemas/database_backup/v0/requirer.json' with { type: 'json' };
import s3Schema from '../../schemas/s3/v0/provider.json' with { type: 'json' };

/** One item of a `jobs` list: a request or a status. */
export type ItemKind = 'job' | 'job-status';

const ITEM_SCHEMAS = {
  job: `${requirerSchema.$id}#/$defs/job`,
  'job-status': `${providerSchema.$id}#/$defs/job-status`,
} as const satisfies Record<ItemKind, string>;

// A reader needs the first few reasons; a hostile item could have thousands.
const MAX_REASONS = 5;
// Longer names in a message would only hide what matters.
const MAX_KEY_LENGTH = 60;

const compiled = new Map<string, ValidateFunction>();

/** Why `item`, found at `path`, breaks the schema; empty when it is fine. Never quotes values. */
export function schemaIssues(kind: ItemKind, item: unknown, path: string): readonly string[] {
  const validate = validatorFor(ITEM_SCHEMAS[kind]);
  if (validate(item)) {
    return [];
  }
  return [...new Set((validate.errors ?? []).map((error) => describe(error, path)))].slice(
    0,
    MAX_REASONS,
  );
}

/** Whether `value` is a storage configuration the s3 interface allows. */
export function isStorageConfig(value: unknown): boolean {
  return validatorFor(s3Schema.$id)(value);
}

function validatorFor(id: string): ValidateFunction {
  const known = compiled.get(id);
  if (known !== undefined) {
    return known;
  }
  const ajv = new Ajv2019({ allErrors: true, strict: true });
  ajv.addSchema([s3Schema, requirerSchema, providerSchema]);
  const validate = ajv.getSchema(id);
  if (validate === undefined) {
    throw new Error(`the schema ${id} is missing from this build`);
  }
  compiled.set(id, validate);
  return validate;
}

function describe(error: ErrorObject, path: string): string {
  const place = `${path}${shorten(error.instancePath)}`;
  const { params } = error;
  switch (error.keyword) {
    case 'required':
      return `${place}/${String(params['missingProperty'])}: is missing`;
    case 'additionalProperties':
      return `${place}: has the key ${quote(String(params['additionalProperty']))}, which the interface does not allow there`;
    case 'enum':
      return `${place}: must be one of ${listOf(params['allowedValues'])}`;
    case 'const':
      return `${place}: must be ${quote(String(params['allowedValue']))}`;
    case 'type':
      return `${place}: must be of type ${String(params['type'])}`;
    default:
      return `${place}: ${error.message ?? 'is not valid'}`;
  }
}

function listOf(values: unknown): string {
  return Array.isArray(values) ? values.map((value) => JSON.stringify(value)).join(', ') : '';
}

function quote(text: string): string {
  return JSON.stringify(shorten(text));
}

function shorten(text: string): string {
  return text.length > MAX_KEY_LENGTH ? `${text.slice(0, MAX_KEY_LENGTH)}…` : text;
}
