/** Which keys a JSON Schema has something to say about. */

export type JsonSchema = Readonly<Record<string, unknown>>;

// Keywords whose schemas apply to the same object.
const LISTS = ['allOf', 'anyOf', 'oneOf'];
const SINGLE = ['if', 'then', 'else'];

/** Names under `properties`, also those of subschemas and local references for the same object. */
export function schemaKeys(root: JsonSchema): readonly string[] {
  const keys = new Set<string>();
  const seen = new Set<JsonSchema>();
  const queue: JsonSchema[] = [root];
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    if (!seen.has(next)) {
      seen.add(next);
      const { properties } = next;
      for (const key of isSchema(properties) ? Object.keys(properties) : []) {
        keys.add(key);
      }
      queue.push(...subschemas(next, root));
    }
  }
  return [...keys];
}

function subschemas(schema: JsonSchema, root: JsonSchema): readonly JsonSchema[] {
  const lists = LISTS.map((keyword) => schema[keyword]).filter((list) => Array.isArray(list));
  const dependent = schema['dependentSchemas'];
  const found: readonly unknown[] = [
    ...lists.flat(),
    ...SINGLE.map((keyword) => schema[keyword]),
    ...(isSchema(dependent) ? Object.values(dependent) : []),
    resolve(schema['$ref'], root),
  ];
  return found.filter(isSchema);
}

/** A reference within the schema, by JSON pointer; others name no keys here. */
function resolve(reference: unknown, root: JsonSchema): unknown {
  if (typeof reference !== 'string' || !reference.startsWith('#')) {
    return undefined;
  }
  let found: unknown = root;
  for (const part of reference.slice(1).split('/').slice(1)) {
    const name = decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~');
    found = isSchema(found) ? found[name] : undefined;
  }
  return found;
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
