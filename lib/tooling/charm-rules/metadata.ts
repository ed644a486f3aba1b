/**
 * Juju's rules for metadata.yaml of a machine charm that has a manifest with bases ("format 2").
 * https://github.com/juju/charm/blob/v12/meta.go
 */
import type { JsonRecord, JsonValue } from '#system';
import { checkAssumes } from './assumes.ts';
import {
  expectType,
  isMap,
  isReservedName,
  mapsOf,
  membersOf,
  quote,
  type Report,
} from './document.ts';
import { checkStorage } from './storage.ts';

const NAME = /^[a-z][a-z0-9]*(-[a-z0-9]*[a-z][a-z0-9]*)*$/;
const ENDPOINT = /^[a-z][a-z0-9]*(?:[_-][a-z0-9]+)*$/;
const ROLES = ['provides', 'requires', 'peers'] as const;
type Role = (typeof ROLES)[number];
// Of the older format, which Juju refuses together with bases.
const FORMAT_1_KEYS = ['series', 'min-juju-version', 'deployment'];
const KUBERNETES_KEYS = ['containers', 'devices'];
const SCOPES: readonly unknown[] = [undefined, 'global', 'container'];
const CHARM_USERS: readonly unknown[] = [undefined, 'root', 'sudoer', 'non-root'];

/** Reports what Juju would refuse, or what it would take and not understand. */
export function checkMetadata(meta: JsonRecord, report: Report): void {
  const name = typeof meta['name'] === 'string' ? meta['name'] : '';
  if (!NAME.test(name)) {
    report(`metadata.yaml: invalid charm name ${quote(meta['name'])}`);
  }
  for (const key of ['summary', 'description']) {
    if (typeof meta[key] !== 'string' || meta[key].trim() === '') {
      report(`metadata.yaml: ${key} has to be a text that says something`);
    }
  }
  for (const key of [...FORMAT_1_KEYS, ...KUBERNETES_KEYS].filter((one) => one in meta)) {
    report(`metadata.yaml: ${key} has no place in a machine charm with bases`);
  }
  expectType(meta['display-name'], 'string', 'metadata.yaml: display-name', report);
  expectType(meta['subordinate'], 'boolean', 'metadata.yaml: subordinate', report);
  if (!CHARM_USERS.includes(meta['charm-user'])) {
    report(
      `metadata.yaml: charm-user is root, sudoer or non-root, not ${quote(meta['charm-user'])}`,
    );
  }
  checkEndpoints(meta, name, report);
  checkStorage(meta['storage'], report);
  checkResources(meta['resources'], report);
  checkAssumes(meta['assumes'], report);
}

interface Endpoint {
  readonly name: string;
  readonly role: Role;
  readonly fields: JsonRecord;
  /** Of a subordinate with its principal: there the names that are Juju's may be used. */
  readonly isInner: boolean;
}

function checkEndpoints(meta: JsonRecord, charm: string, report: Report): void {
  const isSubordinate = meta['subordinate'] === true;
  const endpoints = endpointsOf(meta, isSubordinate, report);
  for (const endpoint of endpoints) {
    checkEndpointName(endpoint, charm, report);
    checkEndpoint(endpoint, charm, report);
  }
  if (isSubordinate && !endpoints.some(({ isInner }) => isInner)) {
    report('metadata.yaml: a subordinate needs a "requires" relation with container scope');
  }
  checkDistinct(endpoints, meta['extra-bindings'], report);
}

function endpointsOf(
  meta: JsonRecord,
  isSubordinate: boolean,
  report: Report,
): readonly Endpoint[] {
  return ROLES.flatMap((role) =>
    membersOf(meta[role], `metadata.yaml: ${role}`, report).map(([name, value]) => {
      const fields: JsonRecord = isMap(value) ? value : { interface: value };
      const isInner = isSubordinate && role === 'requires' && fields['scope'] === 'container';
      return { name, role, fields, isInner };
    }),
  );
}

function checkDistinct(
  endpoints: readonly Endpoint[],
  bindings: JsonValue | undefined,
  report: Report,
): void {
  const seen = new Set<string>();
  for (const { name } of endpoints) {
    if (seen.has(name)) {
      report(`metadata.yaml: duplicated relation name ${quote(name)}`);
    }
    seen.add(name);
  }
  for (const [name] of membersOf(bindings, 'metadata.yaml: extra-bindings', report)) {
    if (seen.has(name)) {
      report(`metadata.yaml: extra-bindings: ${quote(name)} is the name of a relation`);
    }
  }
}

function checkEndpointName({ name, isInner }: Endpoint, charm: string, report: Report): void {
  if (!ENDPOINT.test(name)) {
    report(`metadata.yaml: invalid relation name ${quote(name)}`);
  }
  if (!isInner && isReservedName(name, charm)) {
    report(`metadata.yaml: reserved relation name ${quote(name)}`);
  }
}

function checkEndpoint({ name, role, fields }: Endpoint, charm: string, report: Report): void {
  const what = `metadata.yaml: ${role}.${name}`;
  const { interface: speaks, scope, limit, optional } = fields;
  if (typeof speaks !== 'string' || speaks === '') {
    report(`${what}.interface: expected string, got ${quote(speaks)}`);
  } else if (role !== 'requires' && isReservedName(speaks, charm)) {
    report(`${what}: reserved interface ${quote(speaks)}`);
  }
  if (!SCOPES.includes(scope)) {
    report(`${what}.scope: unexpected value ${quote(scope)}`);
  }
  if (limit !== undefined && limit !== null && !Number.isSafeInteger(limit)) {
    report(`${what}.limit: expected int, got ${quote(limit)}`);
  }
  expectType(optional, 'boolean', `${what}.optional`, report);
}

function checkResources(value: JsonValue | undefined, report: Report): void {
  for (const [name, resource] of mapsOf(value, 'metadata.yaml: resources', report)) {
    const { type = 'file', filename } = resource;
    const what = `metadata.yaml: resources.${name}`;
    if (type !== 'file' && type !== 'oci-image') {
      report(`${what}: unsupported resource type ${quote(type)}`);
    } else if (type === 'file' && (typeof filename !== 'string' || filename === '')) {
      report(`${what}: filename is missing`);
    } else if (typeof filename === 'string' && filename.includes('/')) {
      report(`${what}: filename cannot contain "/", got ${quote(filename)}`);
    }
  }
}
