/**
 * JSON schemas of params and results → types. A type admits all the schema admits, and no more than
 * can be said as a type: bounds, patterns and formats are left to Juju, which validates params.
 */
import { HintError } from '#system';
import { array, object, quoted, type TypeField, type TypeNode, text, union } from './type-node.ts';

export type Schema = Readonly<Record<string, unknown>>;

/** Where a schema stands, for messages. */
export interface SchemaPlace {
  /** `charms/greeter/charmcraft.yaml` */
  readonly file: string;
  /** `actions.greet.params.name` */
  readonly key: string;
}

/**
 * Params as the charm reads them: those required or with a default (also one of a member, which makes
 * Juju fill in the object) are always there. Names not declared are possible where
 * `additionalProperties` says so; that it is not false alone, Juju 3's default, makes no name of a slip.
 * @throws HintError for a schema Juju refuses.
 */
export function paramsType(schema: Schema, place: SchemaPlace): TypeNode {
  return objectType(schema, place, { fillsDefaults: true, members: 'params' });
}

interface Options {
  /** Whether Juju fills in defaults here: not inside of lists and choices. */
  readonly fillsDefaults: boolean;
  /** Under which key of the metadata the members of an object stand, if not `properties`. */
  readonly members?: 'params';
}

function typeOf(schema: Schema, place: SchemaPlace, options: Options): TypeNode {
  refuseReferences(schema, place);
  const { enum: choices } = schema;
  if (Array.isArray(choices) && choices.every(isScalar)) {
    return union(choices.map(literal));
  }
  const names = Array.isArray(schema['type']) ? schema['type'] : [schema['type']];
  if (names.length === 1 && names[0] === undefined) {
    return choiceType(schema, place);
  }
  return union(names.map((name) => namedType(name, schema, place, options)));
}

function namedType(name: unknown, schema: Schema, place: SchemaPlace, options: Options): TypeNode {
  switch (name) {
    case 'string':
    case 'boolean':
    case 'null':
      return text(name);
    case 'integer':
    case 'number':
      return text('number');
    case 'array':
      return array(itemsType(schema, place));
    case 'object':
      return objectType(schema, place, options);
    default:
      throw malformed(place, `has the unknown type ${JSON.stringify(name)}`, {
        hint: 'use string, integer, number, boolean, array, object or null',
      });
  }
}

/** Without a type only a choice between schemas says anything. */
function choiceType(schema: Schema, place: SchemaPlace): TypeNode {
  const key = ['oneOf', 'anyOf'].find((candidate) => Array.isArray(schema[candidate]));
  const schemas = key === undefined ? [] : (schema[key] as readonly unknown[]);
  const types = schemas.map((one, index) => {
    const inner = { ...place, key: `${place.key}.${key}.${index}` };
    return typeOf(asSchema(one, inner), inner, { fillsDefaults: false });
  });
  return types.length === 0 ? text('unknown') : union(types);
}

function itemsType(schema: Schema, place: SchemaPlace): TypeNode {
  const { items, additionalItems } = schema;
  const inner = { ...place, key: `${place.key}.items` };
  if (Array.isArray(items)) {
    const types = items.map((one) => typeOf(asSchema(one, inner), inner, { fillsDefaults: false }));
    return additionalItems === false ? union(types) : text('unknown');
  }
  return items === undefined
    ? text('unknown')
    : typeOf(asSchema(items, inner), inner, { fillsDefaults: false });
}

function objectType(schema: Schema, place: SchemaPlace, options: Options): TypeNode {
  const { fillsDefaults, members = 'properties' } = options;
  const properties = asSchema(schema['properties'] ?? {}, child(place, members));
  const required = namesIn(schema['required'], place);
  const fields = Object.entries(properties).map(([name, value]): TypeField => {
    const inner = child(child(place, members), name);
    const property = asSchema(value, inner);
    const isFilled = fillsDefaults && getsDefault(property) && isKept(schema, name);
    return {
      name,
      type: typeOf(property, inner, { fillsDefaults }),
      isOptional: !required.includes(name) && !isFilled,
      isReadonly: true,
      doc: docOf(property),
    };
  });
  const others = otherProperties(schema, place, fields.length > 0);
  return others === undefined
    ? object(fields)
    : object([...fields, { name: '', isIndex: true, isReadonly: true, type: others }]);
}

/** The type of properties not named, or undefined where there are none. */
function otherProperties(
  schema: Schema,
  place: SchemaPlace,
  hasNamed: boolean,
): TypeNode | undefined {
  const { additionalProperties: others } = schema;
  const isOpen = others === true || typeof schema['patternProperties'] === 'object';
  // An index signature would have to admit the named ones, too.
  if (isOpen || (hasNamed && typeof others === 'object')) {
    return text('unknown');
  }
  if (typeof others === 'object') {
    const inner = child(place, 'additionalProperties');
    return typeOf(asSchema(others, inner), inner, { fillsDefaults: false });
  }
  const isBare = !hasNamed && others === undefined && schema['type'] === 'object';
  return isBare ? text('unknown') : undefined;
}

function getsDefault(schema: Schema): boolean {
  if (schema['default'] !== undefined && schema['default'] !== null) {
    return true;
  }
  const { properties } = schema;
  return (
    isRecord(properties) &&
    Object.values(properties).some((property) => isRecord(property) && getsDefault(property))
  );
}

/** Juju does not fill in what a default of the whole object leaves out. */
function isKept(parent: Schema, name: string): boolean {
  const whole = parent['default'];
  return whole === undefined || whole === null || (isRecord(whole) && Object.hasOwn(whole, name));
}

/**
 * Results of an action, written as params are. A handler may set them one after the other, and need
 * not set all. Juju keeps text and maps only.
 * @throws HintError for results that cannot be.
 */
export function resultsType(results: Schema, place: SchemaPlace): TypeNode {
  const fields = Object.entries(results).map(([name, value]): TypeField => {
    const inner = child(place, name);
    const schema = asSchema(value, inner);
    return {
      name,
      type: union([resultType(schema, inner), text('undefined')]),
      isOptional: true,
      isReadonly: true,
      doc: docOf(schema),
    };
  });
  return object(fields);
}

function resultType(schema: Schema, place: SchemaPlace): TypeNode {
  const { type } = schema;
  if (type === 'object' && isRecord(schema['properties'])) {
    return resultsType(schema['properties'], place);
  }
  if (type === 'object') {
    return text('ActionResults');
  }
  if (type === undefined && schema['enum'] === undefined) {
    return text('ActionResultValue');
  }
  if (typeof type === 'string' && !['string', 'integer', 'number', 'boolean'].includes(type)) {
    throw malformed(place, `has the type "${type}", which no result can have`, {
      hint: 'use string, integer, number, boolean or object; encode a list, for example as JSON',
    });
  }
  return typeOf(schema, place, { fillsDefaults: false });
}

/** @throws HintError when it is not a map. */
function asSchema(value: unknown, place: SchemaPlace): Schema {
  if (!isRecord(value)) {
    throw malformed(place, 'is not a map', { hint: 'write a JSON schema: {type: string}' });
  }
  return value;
}

/** What the SDK says of metadata it cannot use. */
export function malformed(
  place: SchemaPlace,
  reason: string,
  options: { readonly hint: string },
): HintError {
  return new HintError(`cannot write types from ${place.file}: ${place.key} ${reason}`, {
    code: 'malformed-metadata',
    hint: options.hint,
  });
}

/** What it is for, as its author wrote it. */
export function docOf(schema: Schema): string {
  return typeof schema['description'] === 'string' ? schema['description'] : '';
}

export function isRecord(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function refuseReferences(schema: Schema, place: SchemaPlace): void {
  const key = ['$ref', '$schema'].find((candidate) => Object.hasOwn(schema, candidate));
  if (key !== undefined) {
    throw malformed(place, `has ${key}, which Juju refuses`, { hint: 'write the schema out' });
  }
}

function namesIn(required: unknown, place: SchemaPlace): readonly string[] {
  if (required === undefined) {
    return [];
  }
  if (!Array.isArray(required) || !required.every((name) => typeof name === 'string')) {
    throw malformed(child(place, 'required'), 'is not a list of names', {
      hint: 'write required: [name]',
    });
  }
  return required;
}

function child(place: SchemaPlace, name: string): SchemaPlace {
  return { ...place, key: `${place.key}.${name}` };
}

type Scalar = string | number | boolean | null;

function isScalar(value: unknown): value is Scalar {
  return value === null || ['string', 'number', 'boolean'].includes(typeof value);
}

function literal(value: Scalar): TypeNode {
  if (typeof value === 'string') {
    return text(quoted(value));
  }
  // Infinity and NaN, which YAML knows, are no literals; a large number is written without its plus.
  const isInfinite = typeof value === 'number' && !Number.isFinite(value);
  return text(isInfinite ? 'number' : String(value).replace('e+', 'e'));
}
