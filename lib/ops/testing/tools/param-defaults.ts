/** Defaults of params, as Juju fills them in before the charm sees them. */

type Values = Readonly<Record<string, unknown>>;

/** What is given, and the defaults of what is not, at every depth of `properties` (name → schema). */
export function withDefaults(properties: Values, given: Values): Values {
  const filled = Object.entries(properties)
    .map(([name, schema]) => [name, withDefault(schema, given[name])] as const)
    .filter(([, value]) => value !== undefined);
  return { ...given, ...Object.fromEntries(filled) };
}

/** An absent object gets one made of its members' defaults, if they have any. */
function withDefault(schema: unknown, given: unknown): unknown {
  if (!isMap(schema)) {
    return given;
  }
  const { default: whole, properties } = schema;
  if (given === undefined && whole !== undefined) {
    return whole;
  }
  if (!isMap(properties) || (given !== undefined && !isMap(given))) {
    return given;
  }
  const inner = withDefaults(properties, given ?? {});
  return given === undefined && Object.keys(inner).length === 0 ? undefined : inner;
}

function isMap(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
