/** Typed data: a TypeScript type, the JSON Schema that checks it, and the names on both sides. */
import type { ErrorObject, ValidateFunction } from 'ajv';
import { type DataCodec, jsonCodec } from './codec.ts';
import { DataModelError, type DataProblem, InvalidDataModelError } from './errors.ts';
import { schemaIssues } from './schema-issues.ts';
import { type JsonSchema, schemaKeys } from './schema-keys.ts';
import { compileSchema } from './validator.ts';

export interface DataModelOptions {
  /**
   * Draft 2019-09 or 2020-12 (unless `$schema` says otherwise), of an object with the decoded values
   * by key, as published schemas of interfaces have it. Its `properties` are the model's keys.
   */
  readonly schema: JsonSchema;
  /** Schemas it refers to by `$id`. */
  readonly references?: readonly JsonSchema[];
  /** Field → key, for fields whose name is not the key in camel case. */
  readonly fields?: Readonly<Record<string, string>>;
  /** How values become the texts of a databag; JSON unless told. */
  readonly codec?: DataCodec;
}

type Values = Readonly<Record<string, unknown>>;

/**
 * `new DataModel<Endpoints>({ schema })` for data of type `Endpoints`. Keys with dashes are fields in
 * camel case: `read-only-uris` ↔ `readOnlyUris`. The pairs are fixed when the model is made, from the
 * schema's keys and `fields`, so each way undoes the other; two keys of one field are refused. Names
 * inside of values stay as they are.
 */
export class DataModel<T extends object> {
  /** The keys the model knows; others are skipped. */
  readonly keys: readonly string[];
  readonly #options: DataModelOptions;
  readonly #codec: DataCodec;
  /** Field → key. */
  readonly #keyOf: ReadonlyMap<string, string>;
  readonly #compiled = new Map<boolean, Promise<ValidateFunction>>();

  /** @throws InvalidDataModelError for a schema without keys, or fields that cannot be. */
  constructor(options: DataModelOptions) {
    this.#options = options;
    this.#codec = options.codec ?? jsonCodec;
    this.keys = schemaKeys(options.schema);
    this.#keyOf = pairFields(this.keys, options.fields ?? {});
  }

  /** From the texts of a databag. @throws DataModelError */
  async fromTexts(texts: Readonly<Record<string, string>>, subject: string): Promise<T> {
    const values: Record<string, unknown> = {};
    const problems: DataProblem[] = [];
    for (const [key, text] of pick(texts, this.keys).filter((entry) => entry[1] !== '')) {
      try {
        values[key] = this.#codec.decode(text, key);
      } catch {
        // What was thrown may quote the text.
        const reason = this.#codec === jsonCodec ? 'is not JSON' : 'cannot be decoded';
        problems.push({ key, path: '', schemaPath: undefined, reason });
      }
    }
    if (problems.length > 0) {
      throw new DataModelError('read', { subject, problems, isEmpty: false });
    }
    return await this.fromValues(values, subject);
  }

  /**
   * From values by key; other keys are skipped, defaults of the schema put in. `convert` makes fields
   * of values that passed. @throws DataModelError
   */
  async fromValues(
    given: Values,
    subject: string,
    convert: (value: unknown, key: string) => unknown = (value) => value,
  ): Promise<T> {
    const present = pick(given, this.keys).filter((entry) => entry[1] !== undefined);
    // A copy: defaults are put into it, at every depth.
    const values = structuredClone(Object.fromEntries(present));
    const problems = await this.#check(values, { useDefaults: true });
    if (problems.length > 0) {
      throw new DataModelError('read', { subject, problems, isEmpty: present.length === 0 });
    }
    const fields = [...this.#keyOf]
      .filter(([, key]) => values[key] !== undefined)
      .map(([field, key]) => [field, convert(values[key], key)]);
    return Object.fromEntries(fields) as T;
  }

  /**
   * The texts of a databag by key: of all the model's keys, empty where a field is absent or
   * undefined, which erases it. What the other end will read is checked. @throws DataModelError
   */
  async toTexts(value: T, subject: string): Promise<Readonly<Record<string, string>>> {
    const source = new Map<string, unknown>(Object.entries(value));
    const texts: Record<string, string> = {};
    const values: Record<string, unknown> = {};
    const problems: DataProblem[] = [];
    for (const [field, key] of this.#keyOf) {
      try {
        texts[key] = this.#encode(source.get(field), key);
        if (texts[key] !== '') {
          values[key] = this.#codec.decode(texts[key], key);
        }
      } catch {
        problems.push({ key, path: '', schemaPath: undefined, reason: 'cannot be encoded' });
      }
    }
    problems.push(
      ...(problems.length > 0 ? [] : await this.#check(values, { useDefaults: false })),
    );
    if (problems.length > 0) {
      throw new DataModelError('write', { subject, problems, isEmpty: false });
    }
    return texts;
  }

  #encode(value: unknown, key: string): string {
    if (value === undefined) {
      return '';
    }
    const text: unknown = this.#codec.encode(value, key);
    if (typeof text !== 'string') {
      throw new TypeError('not a text');
    }
    return text;
  }

  async #check(
    values: Values,
    options: { readonly useDefaults: boolean },
  ): Promise<readonly DataProblem[]> {
    const validate = await this.#validator(options.useDefaults);
    return validate(values) ? [] : problemsOf(validate.errors ?? []);
  }

  async #validator(useDefaults: boolean): Promise<ValidateFunction> {
    const { schema, references = [] } = this.#options;
    const compiling =
      this.#compiled.get(useDefaults) ?? compileSchema(schema, { references, useDefaults });
    this.#compiled.set(useDefaults, compiling);
    return await compiling;
  }
}

function pick<V>(from: Readonly<Record<string, V>>, keys: readonly string[]) {
  return Object.entries(from).filter(([key]) => keys.includes(key));
}

function problemsOf(errors: readonly ErrorObject[]): readonly DataProblem[] {
  return schemaIssues(errors).map(({ path, schemaPath, reason }) => {
    const [, name = '', rest = ''] = /^\/([^/]*)(.*)$/s.exec(path) ?? [];
    const key = name.replaceAll('~1', '/').replaceAll('~0', '~');
    return { key, path: rest, schemaPath, reason };
  });
}

function pairFields(
  keys: readonly string[],
  named: Readonly<Record<string, string>>,
): ReadonlyMap<string, string> {
  if (keys.length === 0) {
    throw new InvalidDataModelError('its schema names no properties');
  }
  const stray = Object.values(named).find((key) => !keys.includes(key));
  if (stray !== undefined) {
    throw new InvalidDataModelError(`"fields" names the key "${stray}", its schema does not`);
  }
  const fieldOf = new Map(Object.entries(named).map(([field, key]) => [key, field]));
  if (fieldOf.size < Object.keys(named).length) {
    throw new InvalidDataModelError('"fields" names a key twice');
  }
  const pairs = new Map<string, string>();
  for (const key of keys) {
    const field = fieldOf.get(key) ?? camelCase(key);
    const other = pairs.get(field);
    if (other !== undefined) {
      throw new InvalidDataModelError(
        `keys "${other}" and "${key}" would both be field "${field}"; name one in "fields"`,
      );
    }
    pairs.set(field, key);
  }
  return pairs;
}

/** `read-only-uris` → `readOnlyUris`; only dashes between letters and digits are turned. */
function camelCase(key: string): string {
  return key.replaceAll(/(?<=[A-Za-z0-9])-([a-z0-9])/g, (_, letter: string) =>
    letter.toUpperCase(),
  );
}
