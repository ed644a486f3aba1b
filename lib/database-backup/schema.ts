/** The JSON Schemas of the interface, compiled when first needed, and their errors in plain words. */
import { Ajv2019, type ValidateFunction } from 'ajv/dist/2019.js';
import { schemaIssues } from '#ops';
import providerSchema from '../../schemas/database_backup/v0/provider.json' with { type: 'json' };
import requirerSchema from '../../schemas/database_backup/v0/requirer.json' with { type: 'json' };
import s3Schema from '../../schemas/s3/v0/provider.json' with { type: 'json' };

/** One item of a `jobs` list: a request or a status. */
export type ItemKind = 'job' | 'job-status';

const ITEM_SCHEMAS = {
  job: `${requirerSchema.$id}#/$defs/job`,
  'job-status': `${providerSchema.$id}#/$defs/job-status`,
} as const satisfies Record<ItemKind, string>;

const compiled = new Map<string, ValidateFunction>();

/** Why `item`, found at `path`, breaks the schema; empty when it is fine. Never quotes values. */
export function itemIssues(kind: ItemKind, item: unknown, path: string): readonly string[] {
  const validate = validatorFor(ITEM_SCHEMAS[kind]);
  if (validate(item)) {
    return [];
  }
  const issues = schemaIssues(validate.errors ?? []);
  return issues.map((issue) => `${path}${issue.path}: ${issue.reason}`);
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
