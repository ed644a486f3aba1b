/**
 * Compiles JSON Schemas. The compiler is loaded when the first schema is compiled: most dispatches
 * need none, and loading it takes longer than all the rest of the SDK.
 */
import type { Options, ValidateFunction } from 'ajv';
import { InvalidDataModelError } from './errors.ts';
import type { JsonSchema } from './schema-keys.ts';

export interface CompileOptions {
  /** Schemas the schema refers to by their `$id`. */
  readonly references: readonly JsonSchema[];
  /** Whether validating puts in what the schema names as `default`. */
  readonly useDefaults: boolean;
}

/** @throws InvalidDataModelError when it is no schema of draft 2019-09 or 2020-12. */
export async function compileSchema(
  schema: JsonSchema,
  options: CompileOptions,
): Promise<ValidateFunction> {
  const ajv = await newCompiler(schema['$schema'], {
    allErrors: true,
    useDefaults: options.useDefaults,
    // Unknown keywords are mistakes; the rest of strictness would refuse good schemas of others.
    strictSchema: true,
    strictTypes: false,
    strictTuples: false,
    // In both drafts a format is a remark, not a rule.
    validateFormats: false,
    logger: false,
  });
  try {
    for (const reference of options.references) {
      ajv.addSchema(reference);
    }
    return ajv.compile(schema);
  } catch (error) {
    const reason = Error.isError(error) ? error.message : String(error);
    throw new InvalidDataModelError(`its schema does not compile: ${reason}`, error);
  }
}

async function newCompiler(draft: unknown, options: Options) {
  const name = draft === undefined ? '2020-12' : JSON.stringify(draft);
  if (name.includes('2020-12')) {
    const { Ajv2020 } = await import('ajv/dist/2020.js');
    return new Ajv2020(options);
  }
  if (name.includes('2019-09')) {
    const { Ajv2019 } = await import('ajv/dist/2019.js');
    return new Ajv2019(options);
  }
  throw new InvalidDataModelError(`${name} is neither JSON Schema draft 2019-09 nor 2020-12`);
}
