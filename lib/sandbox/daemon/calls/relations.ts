/** integrate, remove-relation. */
import type { Calls } from '../../api.ts';
import { ModelError } from '../../errors.ts';
import type { EndpointMetadata } from '../../model/charm-metadata.ts';
import { proxyName } from '../../model/cross-model.ts';
import type { CrossModelLink } from '../../model/cross-model-documents.ts';
import { MODEL, type RelationDocument, type RelationEndpoint } from '../../model/documents.ts';
import { isPeer, relationKey, relationsOf } from '../../model/relations.ts';
import { removeRelation as destroyNow, destroyRelation } from '../../model/removal.ts';
import { isSubordinate } from '../../model/subordinates.ts';
import type { Reader } from '../../store/store.ts';
import { type CallContext, requireApplication } from './call-context.ts';
import { nextRelationId } from './deploy.ts';

export function integrate(
  { services }: CallContext,
  { endpoints }: Calls['integrate']['params'],
): Calls['integrate']['result'] {
  const pair = inferPair(services.store, endpoints);
  return services.store.transact((transaction) => {
    refuseExisting(transaction, pair);
    refuseBeyondLimit(transaction, pair);
    refuseUnfitContainers(transaction, pair);
    const id = nextRelationId(transaction);
    const crossModel = linkOf(transaction, pair, id);
    const relation: RelationDocument = {
      id,
      endpoints: withCommonScope(pair),
      life: 'alive',
      ...(crossModel === undefined ? {} : { crossModel }),
    };
    transaction.put('relation', String(id), relation);
    return { id, key: relationKey(relation) };
  });
}

/** What leads into the other model, where one end is a consumed application. */
function linkOf(reader: Reader, pair: Pair, id: number): CrossModelLink | undefined {
  const [remote, ...others] = pair.flatMap(
    ({ application }) => reader.get('remote', application) ?? [],
  );
  if (remote === undefined) {
    return undefined;
  }
  const own = pair.find(({ application }) => application !== remote.name)?.application ?? '';
  if (others.length > 0) {
    throw new ModelError(
      `cannot add relation ${JSON.stringify(keyOf(pair))}: cannot add relation between remote applications ${JSON.stringify(remote.name)} and ${JSON.stringify(own)}`,
    );
  }
  if (remote.status.current === 'terminated') {
    throw new ModelError(
      `cannot add relation ${JSON.stringify(keyOf(pair))}: remote offer ${remote.name} is terminated`,
    );
  }
  const { uuid } = reader.require('model', MODEL);
  return {
    token: `${uuid}:${id}`,
    remote: remote.name,
    proxy: proxyName(uuid, requireApplication(reader, own), remote.offer.uuid),
  };
}

export function removeRelation(
  { services }: CallContext,
  { endpoints = [], id, force }: Calls['remove-relation']['params'],
): Calls['remove-relation']['result'] {
  const relation =
    id === undefined
      ? findByEndpoints(services.store, endpoints)
      : services.store.get('relation', String(id));
  if (relation === undefined) {
    const asked = id === undefined ? endpoints.join(' ') : String(id);
    throw new ModelError(`relation ${JSON.stringify(asked)} not found`, 'not-found');
  }
  if (isPeer(relation)) {
    throw new ModelError(
      `cannot destroy relation ${JSON.stringify(relationKey(relation))}: is a peer relation`,
    );
  }
  services.store.transact((transaction) => {
    destroyRelation(transaction, relation.id);
    // By force also where the other model does not answer.
    if (force === true && relation.crossModel !== undefined) {
      destroyNow(transaction, relation.id);
    }
  });
  return {};
}

type Pair = readonly [requirer: RelationEndpoint, provider: RelationEndpoint];

/** The one pair of endpoints that fits; requirer first. @throws ModelError for none or several. */
function inferPair(reader: Reader, asked: readonly string[]): Pair {
  const [first, second, ...extra] = asked;
  if (first === undefined || second === undefined || extra.length > 0) {
    throw new ModelError('an integration must involve two applications');
  }
  const pairs = endpointsOf(reader, first).flatMap((a) =>
    endpointsOf(reader, second).flatMap((b) => match(a, b)),
  );
  const explicit = pairs.filter((pair) => !pair.some(isImplicit));
  const candidates = explicit.length > 0 ? explicit : pairs;
  const [only] = candidates;
  if (only === undefined) {
    throw new ModelError('no relations found');
  }
  if (candidates.length > 1) {
    const keys = candidates.map((pair) => JSON.stringify(keyOf(pair))).toSorted();
    throw new ModelError(
      `ambiguous relation: ${JSON.stringify(`${first} ${second}`)} could refer to ${keys.join('; ')}`,
    );
  }
  return only;
}

function endpointsOf(reader: Reader, text: string): readonly RelationEndpoint[] {
  const [application = '', name] = text.split(':');
  const all = allEndpoints(reader, application);
  if (name === undefined) {
    return all;
  }
  const found = all.find(({ endpoint }) => endpoint === name);
  if (found === undefined) {
    throw new ModelError(
      `application ${JSON.stringify(application)} has no ${JSON.stringify(name)} relation`,
      'not-found',
    );
  }
  return [found];
}

/** Of a consumed application those that are offered. */
function allEndpoints(reader: Reader, application: string): readonly RelationEndpoint[] {
  const remote = reader.get('remote', application);
  if (remote?.kind === 'saas') {
    return remote.endpoints.map((endpoint) => ({ application, ...endpoint }));
  }
  const { charm } = requireApplication(reader, application);
  const { endpoints } = reader.require('charm', charm).metadata;
  return [...Object.values(endpoints), JUJU_INFO].map((endpoint) =>
    toRelationEndpoint(application, endpoint),
  );
}

/** Every application provides it without saying so. */
const JUJU_INFO: EndpointMetadata = {
  name: 'juju-info',
  role: 'provider',
  interface: 'juju-info',
  scope: 'global',
};

function isImplicit({ endpoint }: RelationEndpoint): boolean {
  return endpoint === JUJU_INFO.name;
}

function toRelationEndpoint(application: string, endpoint: EndpointMetadata): RelationEndpoint {
  const { name, role, interface: relationInterface, scope } = endpoint;
  return { application, endpoint: name, role, interface: relationInterface, scope };
}

function match(a: RelationEndpoint, b: RelationEndpoint): readonly Pair[] {
  if (a.interface !== b.interface || a.application === b.application) {
    return [];
  }
  if (a.role === 'requirer' && b.role === 'provider') {
    return [[a, b]];
  }
  return a.role === 'provider' && b.role === 'requirer' ? [[b, a]] : [];
}

function refuseExisting(reader: Reader, pair: Pair): void {
  const key = keyOf(pair);
  const existing = reader.all('relation').find((relation) => relationKey(relation) === key);
  if (existing?.life === 'dying') {
    throw new ModelError(`relation ${key} is dying, but not yet removed`);
  }
  if (existing !== undefined) {
    throw new ModelError(
      `cannot add relation ${JSON.stringify(key)}\nrelation ${key}: \n\nUse 'juju status --relations' to view the current relations.`,
      'already-exists',
    );
  }
  for (const { application } of pair) {
    const { life } = reader.get('remote', application) ?? requireApplication(reader, application);
    if (life === 'dying') {
      throw new ModelError(
        `cannot add relation ${JSON.stringify(key)}: application ${JSON.stringify(application)} is not alive`,
      );
    }
  }
}

/** A relation with one container-scoped end is container-scoped. */
function withCommonScope(pair: Pair): readonly RelationEndpoint[] {
  const scope = pair.some((end) => end.scope === 'container') ? 'container' : 'global';
  return pair.map((end) => ({ ...end, scope }));
}

function refuseUnfitContainers(reader: Reader, pair: Pair): void {
  if (pair.every(({ scope }) => scope === 'global')) {
    return;
  }
  const key = JSON.stringify(keyOf(pair));
  const bases = pair.map(({ application }) => {
    const { name, channel } = requireApplication(reader, application).base;
    return `${name}@${channel}`;
  });
  if (new Set(bases).size > 1) {
    throw new ModelError(
      `cannot add relation ${key}: principal and subordinate applications' bases must match`,
    );
  }
  if (!pair.some(({ application }) => isSubordinate(reader, application))) {
    throw new ModelError(
      `cannot add relation ${key}: container scoped relation requires at least one subordinate application`,
    );
  }
}

function refuseBeyondLimit(reader: Reader, pair: Pair): void {
  for (const { application, endpoint } of pair) {
    // The limits of a consumed application are its own model's affair.
    const charm = reader.get('application', application)?.charm ?? '';
    const limit = reader.get('charm', charm)?.metadata.endpoints[endpoint]?.limit;
    const count = relationsOf(reader, application).filter(({ endpoints }) =>
      endpoints.some((end) => end.application === application && end.endpoint === endpoint),
    ).length;
    if (limit !== undefined && count >= limit) {
      throw new ModelError(
        `establishing a new relation for ${application}:${endpoint} would exceed its maximum relation limit of ${limit}`,
      );
    }
  }
}

function findByEndpoints(reader: Reader, asked: readonly string[]): RelationDocument | undefined {
  const [first = '', second, ...extra] = asked;
  if (extra.length > 0 || asked.length === 0) {
    throw new ModelError('a relation must involve two applications');
  }
  const wanted = second === undefined ? [first] : [first, second];
  const found = reader
    .all('relation')
    .filter(
      ({ endpoints }) =>
        endpoints.length === wanted.length &&
        wanted.every((text) => endpoints.some((endpoint) => names(endpoint, text))),
    );
  if (found.length > 1) {
    const keys = found.map((relation) => JSON.stringify(relationKey(relation))).toSorted();
    throw new ModelError(
      `ambiguous relation: ${JSON.stringify(asked.join(' '))} could refer to ${keys.join('; ')}`,
    );
  }
  return found[0];
}

function names({ application, endpoint }: RelationEndpoint, text: string): boolean {
  return text === application || text === `${application}:${endpoint}`;
}

function keyOf(pair: Pair): string {
  return pair.map(({ application, endpoint }) => `${application}:${endpoint}`).join(' ');
}
