/**
 * What a charm declares: endpoints, options, actions, storages, resources. Parsed from the objects
 * of charmcraft.yaml, or of metadata.yaml with actions.yaml and config.yaml. Reads no files.
 */
import { HintError } from '#system';

type EndpointRole = 'provides' | 'requires' | 'peers';

export interface EndpointMeta {
  readonly name: string;
  readonly role: EndpointRole;
  readonly interface: string;
  readonly scope: 'global' | 'container';
  readonly limit: number | undefined;
  readonly optional: boolean;
}

export type OptionType = 'string' | 'int' | 'float' | 'boolean' | 'secret';
export type OptionValue = string | number | boolean;

export interface OptionMeta {
  readonly name: string;
  readonly type: OptionType;
  readonly default: OptionValue | undefined;
  readonly description: string;
}

export interface ActionMeta {
  readonly name: string;
  readonly description: string;
  /** Param name → JSON schema (draft 4) as the charm wrote it. */
  readonly params: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly required: readonly string[];
  readonly additionalProperties: boolean;
}

export interface StorageMeta {
  readonly name: string;
  readonly kind: string;
  /** Most instances a unit can have: the end of `multiple.range`, 1 without it. */
  readonly limit: number | undefined;
}

/** Everything the SDK needs to know about a charm before it runs. */
export interface CharmMeta {
  readonly name: string;
  readonly subordinate: boolean;
  readonly endpoints: ReadonlyMap<string, EndpointMeta>;
  readonly options: ReadonlyMap<string, OptionMeta>;
  readonly actions: ReadonlyMap<string, ActionMeta>;
  readonly storages: ReadonlyMap<string, StorageMeta>;
  readonly resources: readonly string[];
  readonly extraBindings: readonly string[];
}

/** The parsed files; each may be undefined, and charmcraft.yaml's object serves as all three. */
export interface MetaSources {
  readonly metadata: unknown;
  readonly actions: unknown;
  /** The object with the key `options`. */
  readonly config: unknown;
  /** What to call the source in messages: a path. */
  readonly origin: string;
  /** That of actions and config, where they are files of their own. */
  readonly actionsOrigin?: string;
  readonly configOrigin?: string;
}

type Plain = Readonly<Record<string, unknown>>;

/** @throws HintError naming the file and the key that is not as it must be. */
export function parseCharmMeta(sources: MetaSources): CharmMeta {
  const { origin, actionsOrigin = origin, configOrigin = origin } = sources;
  const metadata = mapAt(sources.metadata, origin, 'the file');
  if (typeof metadata['name'] !== 'string') {
    throw malformed(origin, '"name" is missing');
  }
  const config = mapAt(sources.config, configOrigin, 'config');
  return Object.freeze({
    name: metadata['name'],
    subordinate: metadata['subordinate'] === true,
    endpoints: parseEndpoints(metadata, origin),
    options: parseEach(config['options'], configOrigin, 'config.options', parseOption),
    actions: parseEach(sources.actions, actionsOrigin, 'actions', parseAction),
    storages: parseEach(metadata['storage'], origin, 'storage', (name, value) => ({
      name,
      kind: text(value['type'], 'filesystem'),
      limit: storageLimit(value['multiple'], origin, name),
    })),
    resources: Object.keys(mapAt(metadata['resources'], origin, 'resources')),
    extraBindings: Object.keys(mapAt(metadata['extra-bindings'], origin, 'extra-bindings')),
  });
}

/** From `{ range: '0-3' }`, `{ range: 2 }`, `{ range: '1-' }` or `{ range: '1+' }`. */
function storageLimit(value: unknown, origin: string, name: string): number | undefined {
  if (value === undefined) {
    return 1;
  }
  const range = String(mapAt(value, origin, `storage.${name}.multiple`)['range']);
  const [, from, rest, to] = /^(\d+)(?:(-|\+)(\d*))?$/.exec(range) ?? [];
  if (from === undefined) {
    throw malformed(origin, `storage.${name}.multiple has no range`);
  }
  const end = rest === undefined ? from : to;
  return end === undefined || end === '' ? undefined : Number(end);
}

function parseEndpoints(metadata: Plain, origin: string): ReadonlyMap<string, EndpointMeta> {
  const endpoints = new Map<string, EndpointMeta>();
  for (const role of ['provides', 'requires', 'peers'] as const) {
    for (const [name, value] of Object.entries(mapAt(metadata[role], origin, role))) {
      if (endpoints.has(name)) {
        throw malformed(origin, `endpoint "${name}" is declared twice`);
      }
      const where = `${role}.${name}`;
      const fields = typeof value === 'string' ? { interface: value } : mapAt(value, origin, where);
      endpoints.set(name, parseEndpoint(name, role, fields));
    }
  }
  return endpoints;
}

function parseEndpoint(name: string, role: EndpointRole, fields: Plain): EndpointMeta {
  const limit = fields['limit'];
  return {
    name,
    role,
    interface: text(fields['interface'], ''),
    scope: fields['scope'] === 'container' ? 'container' : 'global',
    limit: typeof limit === 'number' ? limit : undefined,
    optional: fields['optional'] === true,
  };
}

const OPTION_TYPES: readonly string[] = ['string', 'int', 'float', 'boolean', 'secret'];

function parseOption(name: string, fields: Plain, origin: string): OptionMeta {
  const type = text(fields['type'], 'string');
  if (!OPTION_TYPES.includes(type)) {
    throw malformed(origin, `option "${name}" has unknown type "${type}"`);
  }
  return {
    name,
    type: type as OptionType,
    default: optionValue(fields['default']),
    description: text(fields['description'], ''),
  };
}

function optionValue(value: unknown): OptionValue | undefined {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? value
    : undefined;
}

function parseAction(name: string, fields: Plain, origin: string): ActionMeta {
  const required = fields['required'];
  return {
    name,
    description: text(fields['description'], ''),
    params: Object.fromEntries(
      Object.entries(mapAt(fields['params'], origin, `actions.${name}.params`)).map(
        ([param, schema]) => [param, mapAt(schema, origin, `actions.${name}.params.${param}`)],
      ),
    ),
    required: Array.isArray(required) ? required.map(String) : [],
    additionalProperties: fields['additionalProperties'] !== false,
  };
}

function parseEach<T>(
  value: unknown,
  origin: string,
  where: string,
  parse: (name: string, fields: Plain, origin: string) => T,
): ReadonlyMap<string, T> {
  const entries = Object.entries(mapAt(value, origin, where));
  return new Map(
    entries.map(([name, item]) => [
      name,
      parse(name, mapAt(item, origin, `${where}.${name}`), origin),
    ]),
  );
}

function mapAt(value: unknown, origin: string, where: string): Plain {
  if (value === undefined || value === null) {
    return {};
  }
  if (typeof value !== 'object' || Array.isArray(value)) {
    throw malformed(origin, `"${where}" is not a map`);
  }
  return value as Plain;
}

function text(value: unknown, absent: string): string {
  return typeof value === 'string' ? value : absent;
}

function malformed(origin: string, reason: string): HintError {
  return new HintError(`cannot read the metadata of the charm in ${origin}: ${reason}`, {
    code: 'malformed-metadata',
    hint: 'correct the file and pack the charm again',
  });
}
