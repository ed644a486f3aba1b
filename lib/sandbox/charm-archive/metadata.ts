/**
 * metadata.yaml (or the same keys of charmcraft.yaml) into checked metadata.
 * https://github.com/juju/charm/blob/v12/meta.go
 */

import { ModelError } from '../errors.ts';
import type { JsonRecord, JsonValue } from '../json.ts';
import type { CharmMetadata, EndpointMetadata } from '../model/charm-metadata.ts';
import { parseAssumes } from './assumes.ts';
import { parseResources } from './resource-metadata.ts';
import { parseStorage } from './storage-metadata.ts';
import { isRecord, recordOf, textOf } from './yaml-document.ts';

const NAME = /^[a-z][a-z0-9]*(-[a-z0-9]*[a-z][a-z0-9]*)*$/;
const ENDPOINT = /^[a-z][a-z0-9]*(?:[_-][a-z0-9]+)*$/;

type Basics = Pick<
  CharmMetadata,
  | 'name'
  | 'summary'
  | 'description'
  | 'subordinate'
  | 'endpoints'
  | 'extraBindings'
  | 'resources'
  | 'storage'
  | 'assumes'
>;

/** @throws ModelError with Juju's message where the metadata are invalid. */
export function parseMetadata(document: JsonValue): Basics {
  const meta = recordOf(document, 'metadata');
  const name = textOf(meta['name'], 'metadata: name');
  if (name === undefined) {
    throw new ModelError('metadata: name: expected string, got nothing');
  }
  if (!NAME.test(name)) {
    throw new ModelError(`invalid charm name: ${JSON.stringify(name)}`);
  }
  const description = textOf(meta['description'], 'metadata: description');
  const endpoints = parseEndpoints(name, meta);
  const subordinate = meta['subordinate'] === true;
  requireContainerScope(name, subordinate, endpoints);
  return {
    name,
    summary: textOf(meta['summary'], 'metadata: summary') ?? '',
    ...(description === undefined ? {} : { description }),
    subordinate,
    endpoints,
    extraBindings: Object.keys(recordOf(meta['extra-bindings'], 'metadata: extra-bindings')),
    resources: parseResources(meta),
    storage: parseStorage(name, meta),
    assumes: parseAssumes(meta['assumes']),
  };
}

function parseEndpoints(charm: string, meta: JsonRecord): Record<string, EndpointMetadata> {
  const endpoints: Record<string, EndpointMetadata> = {};
  const roles = [
    ['provides', 'provider'],
    ['requires', 'requirer'],
    ['peers', 'peer'],
  ] as const;
  for (const [key, role] of roles) {
    for (const [name, value] of Object.entries(recordOf(meta[key], `metadata: ${key}`))) {
      if (endpoints[name] !== undefined) {
        throw new ModelError(
          `charm ${JSON.stringify(charm)} using a duplicated relation name: ${JSON.stringify(name)}`,
        );
      }
      endpoints[name] = parseEndpoint(charm, role, name, value);
    }
  }
  return endpoints;
}

function parseEndpoint(
  charm: string,
  role: EndpointMetadata['role'],
  name: string,
  value: JsonValue,
): EndpointMetadata {
  if (!ENDPOINT.test(name)) {
    throw new ModelError(`metadata: invalid relation name ${JSON.stringify(name)}`);
  }
  refuseReserved(charm, name);
  const fields = isRecord(value) ? value : { interface: value };
  const what = `metadata: ${name}`;
  const relationInterface = textOf(fields['interface'], `${what}.interface`);
  if (relationInterface === undefined) {
    throw new ModelError(`${what}.interface: expected string, got nothing`);
  }
  const scope = parseScope(fields, what);
  if (isReserved(relationInterface) && !(role === 'requirer' && scope === 'container')) {
    throw new ModelError(
      `charm ${JSON.stringify(charm)} relation ${JSON.stringify(name)} using a reserved interface: ${JSON.stringify(relationInterface)}`,
    );
  }
  const limit = fields['limit'];
  return {
    name,
    role,
    interface: relationInterface,
    scope,
    ...(typeof limit === 'number' ? { limit } : {}),
  };
}

function parseScope(fields: JsonRecord, what: string): EndpointMetadata['scope'] {
  const scope = textOf(fields['scope'], `${what}.scope`) ?? 'global';
  if (scope !== 'global' && scope !== 'container') {
    throw new ModelError(`${what}.scope: unexpected value ${JSON.stringify(scope)}`);
  }
  return scope;
}

function refuseReserved(charm: string, name: string): void {
  if (isReserved(name)) {
    throw new ModelError(
      `charm ${JSON.stringify(charm)} using a reserved relation name: ${JSON.stringify(name)}`,
    );
  }
}

function requireContainerScope(
  charm: string,
  subordinate: boolean,
  endpoints: Readonly<Record<string, EndpointMetadata>>,
): void {
  const attaches = Object.values(endpoints).some(
    ({ role, scope }) => role === 'requirer' && scope === 'container',
  );
  if (subordinate && !attaches) {
    throw new ModelError(
      `subordinate charm ${JSON.stringify(charm)} lacks "requires" relation with container scope`,
    );
  }
}

function isReserved(name: string): boolean {
  return name === 'juju' || name.startsWith('juju-');
}
