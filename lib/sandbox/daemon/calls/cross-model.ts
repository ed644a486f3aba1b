/** Offers of this model, applications consumed from others, and what models tell each other of them. */
import { randomUUID } from 'node:crypto';
import type { Calls, Streams } from '../../api.ts';
import type { OfferConnection, OfferedEndpoint, OfferInfo } from '../../api-cross-model.ts';
import { ModelError } from '../../errors.ts';
import {
  type CrossModelRelation,
  connectionsOf,
  ownApplication,
  resumeRelation,
  suspendRelation,
} from '../../model/cross-model.ts';
import type { OfferDocument, RemoteDocument } from '../../model/cross-model-documents.ts';
import { MODEL } from '../../model/documents.ts';
import { isApplicationName } from '../../model/names.ts';
import { endpointOf, relationKey, relationsOf } from '../../model/relations.ts';
import { destroyRelation, destroyRemote, removeRelation } from '../../model/removal.ts';
import type { Reader, Transaction } from '../../store/store.ts';
import { applyConsumer, offeringState } from '../cross-model/offering.ts';
import type { CallContext } from './call-context.ts';

export function offer(
  { services }: CallContext,
  { application, endpoints, name }: Calls['offer']['params'],
): Calls['offer']['result'] {
  services.store.transact((transaction) => {
    if (!isApplicationName(name)) {
      throw cannotOffer(name, `offer name ${JSON.stringify(name)} not valid`);
    }
    if (transaction.get('application', application) === undefined) {
      throw cannotOffer(name, `application ${JSON.stringify(application)} not found`);
    }
    for (const endpoint of endpoints) {
      offeredEndpoint(transaction, { name, application, endpoint });
    }
    if (transaction.get('offer', name) !== undefined) {
      throw new ModelError(
        `offer ${JSON.stringify(name)} already exists, updating offers is not supported`,
        'already-exists',
      );
    }
    transaction.put('offer', name, {
      name,
      uuid: randomUUID(),
      application,
      endpoints,
      created: services.clock.now().toISOString(),
    });
  });
  return {};
}

function cannotOffer(name: string, reason: string): ModelError {
  return new ModelError(
    `cannot add application offer ${JSON.stringify(name)}: ${reason}`,
    reason.endsWith('found') ? 'not-found' : 'invalid',
  );
}

function offeredEndpoint(
  reader: Reader,
  {
    name,
    application,
    endpoint,
  }: { readonly name: string; readonly application: string; readonly endpoint: string },
): OfferedEndpoint {
  const { charm } = reader.require('application', application);
  const found = reader.require('charm', charm).metadata.endpoints[endpoint];
  if (found === undefined || found.role === 'peer') {
    throw cannotOffer(
      name,
      `getting relation endpoint for relation ${JSON.stringify(endpoint)} and application ${JSON.stringify(application)}: application ${JSON.stringify(application)} has no ${JSON.stringify(endpoint)} relation`,
    );
  }
  if (found.scope === 'container') {
    throw cannotOffer(
      name,
      `endpoint ${JSON.stringify(endpoint)} is container scoped, which other models cannot use`,
    );
  }
  return { name: endpoint, role: found.role, interface: found.interface };
}

export function listOffers({ services }: CallContext): readonly OfferInfo[] {
  const { store, address } = services;
  return store
    .all('offer')
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map((one) => describeOffer(store, one, address));
}

/** An offer with everybody who uses it. */
export function describeOffer(reader: Reader, one: OfferDocument, address: string): OfferInfo {
  const { name, uuid, application } = one;
  const { charm } = reader.require('application', application);
  const { metadata } = reader.require('charm', charm);
  return {
    name,
    uuid,
    application,
    description: metadata.description ?? '',
    charm: `local:${charm}`,
    endpoints: one.endpoints.map((endpoint) =>
      offeredEndpoint(reader, { name, application, endpoint }),
    ),
    connections: connectionsOf(reader, uuid).map((relation) =>
      describeConnection(reader, relation, address),
    ),
  };
}

function describeConnection(
  reader: Reader,
  relation: CrossModelRelation,
  address: string,
): OfferConnection {
  const { id, crossModel, suspended } = relation;
  const { uuid = '' } = reader.get('remote', crossModel.remote)?.model ?? {};
  const subnets = reader
    .within('bag', String(id))
    .filter(({ entity, inScope }) => inScope && entity.startsWith(`${crossModel.remote}/`))
    .map(({ data }) => data['egress-subnets'] ?? `${address}/32`);
  return {
    relation: id,
    model: uuid,
    endpoint: endpointOf(relation, ownApplication(relation))?.endpoint ?? '',
    status: relationStatus(reader, relation),
    ...(suspended === undefined || suspended.reason === '' ? {} : { message: suspended.reason }),
    ingressSubnets: [...new Set(subnets)],
  };
}

/** How far a relation between models is. */
export function relationStatus(
  reader: Reader,
  { id, life, suspended, crossModel }: CrossModelRelation,
): OfferConnection['status'] {
  const inScope = reader
    .within('bag', String(id))
    .filter((bag) => bag.inScope)
    .map(({ entity }) => entity.startsWith(`${crossModel.remote}/`));
  if (life === 'dying') {
    return 'broken';
  }
  if (suspended !== undefined) {
    return inScope.includes(false) ? 'suspending' : 'suspended';
  }
  return inScope.includes(false) || crossModel.otherLife === 'alive' ? 'joined' : 'joining';
}

export function removeOffer(
  { services }: CallContext,
  { name, force }: Calls['remove-offer']['params'],
): Calls['remove-offer']['result'] {
  services.store.transact((transaction) => {
    const one = transaction.get('offer', name);
    if (one === undefined) {
      throw new ModelError(`application offer ${JSON.stringify(name)} not found`, 'not-found');
    }
    const connections = connectionsOf(transaction, one.uuid);
    if (connections.length > 0 && force !== true) {
      throw new ModelError(
        `cannot delete application offer ${JSON.stringify(name)}: offer has ${connections.length} relation${connections.length === 1 ? '' : 's'}`,
      );
    }
    for (const { id } of connections) {
      destroyRelation(transaction, id);
    }
    transaction.remove('offer', name);
  });
  return {};
}

export function consume(
  { services }: CallContext,
  { offer: offered, model, alias }: Calls['consume']['params'],
): Calls['consume']['result'] {
  const name = alias ?? offered.name;
  const now = services.clock.now().toISOString();
  services.store.transact((transaction) => {
    if (transaction.get('application', name) !== undefined) {
      throw new ModelError(
        `cannot add saas application ${JSON.stringify(name)}: application with same name already exists`,
        'already-exists',
      );
    }
    const before = transaction.get('remote', name);
    if (before !== undefined) {
      refuseOther(before, model.uuid);
      if (before.status.current === 'terminated') {
        forgetRemote(transaction, before);
      }
    }
    const known = transaction.get('remote', name);
    transaction.put('remote', name, {
      name,
      kind: 'saas',
      offer: { uuid: offered.uuid, name: offered.name },
      model,
      endpoints: merged(known, offered.endpoints),
      life: 'alive',
      status: known?.status ?? { current: 'unknown', since: now },
    });
  });
  return { name };
}

function refuseOther({ name, kind, model, life }: RemoteDocument, uuid: string): void {
  if (kind === 'proxy' || model.uuid !== uuid) {
    throw new ModelError(
      `saas application called ${JSON.stringify(name)} from a different model already exists`,
      'already-exists',
    );
  }
  if (life === 'dying') {
    throw new ModelError(
      `saas application called ${JSON.stringify(name)} exists but is terminating`,
      'already-exists',
    );
  }
}

/** Endpoints that were known and those that are offered now. */
function merged(
  known: RemoteDocument | undefined,
  offered: readonly OfferedEndpoint[],
): RemoteDocument['endpoints'] {
  const endpoints = offered.map(({ name, role, interface: relationInterface }) => ({
    endpoint: name,
    role,
    interface: relationInterface,
    scope: 'global' as const,
  }));
  const before = known?.endpoints ?? [];
  const conflict = before.find((one) =>
    endpoints.some(
      (other) =>
        other.endpoint === one.endpoint &&
        (other.role !== one.role || other.interface !== one.interface),
    ),
  );
  if (conflict !== undefined) {
    throw new ModelError(`conflicting endpoint ${conflict.endpoint}`);
  }
  const names = new Set(endpoints.map(({ endpoint }) => endpoint));
  return [...before.filter(({ endpoint }) => !names.has(endpoint)), ...endpoints];
}

export function removeSaas(
  { services }: CallContext,
  { name, force }: Calls['remove-saas']['params'],
): Calls['remove-saas']['result'] {
  services.store.transact((transaction) => {
    const remote = transaction.get('remote', name);
    if (remote?.kind !== 'saas') {
      throw new ModelError(`saas application ${JSON.stringify(name)} not found`, 'not-found');
    }
    if (force === true) {
      forgetRemote(transaction, remote);
    } else {
      destroyRemote(transaction, name);
    }
  });
  return {};
}

/** At once, whoever still takes part in its relations. */
function forgetRemote(transaction: Transaction, { name }: RemoteDocument): void {
  const relations = relationsOf(transaction, name);
  destroyRemote(transaction, name);
  for (const { id } of relations) {
    if (transaction.get('relation', String(id)) !== undefined) {
      removeRelation(transaction, id);
    }
  }
}

export function suspend(
  { services }: CallContext,
  { relation: id, suspended, reason = '' }: Calls['suspend-relation']['params'],
): Calls['suspend-relation']['result'] {
  services.store.transact((transaction) => {
    const relation = transaction.get('relation', String(id));
    if (relation === undefined) {
      throw new ModelError(`relation ${id} not found`, 'not-found');
    }
    const remote = transaction.get('remote', relation.crossModel?.remote ?? '');
    if ((relation.suspended !== undefined) === suspended) {
      return;
    }
    if (remote?.kind !== 'proxy') {
      throw new ModelError(
        `cannot set suspend status for ${JSON.stringify(relationKey(relation))} which is not associated with an offer`,
      );
    }
    if (suspended) {
      suspendRelation(transaction, id, reason);
    } else {
      resumeRelation(transaction, id);
    }
  });
  return {};
}

export function tellConsumer(
  { services }: CallContext,
  { to, state }: Calls['cross-model-tell']['params'],
): Calls['cross-model-tell']['result'] {
  requireModel(services.store, to);
  services.store.transact((transaction) => {
    applyConsumer(transaction, state);
  });
  return {};
}

export async function* listenToOffers(
  { services }: CallContext,
  { to, consumer }: Streams['cross-model-listen']['params'],
  signal: AbortSignal,
): AsyncGenerator<Streams['cross-model-listen']['item'], void> {
  const { store } = services;
  requireModel(store, to);
  let wake = noop;
  const unfollow = store.onCommit(() => {
    wake();
  });
  signal.addEventListener('abort', () => {
    wake();
  });
  try {
    let told = '';
    while (!signal.aborted) {
      const changed = new Promise<void>((resolve) => {
        wake = resolve;
      });
      const state = offeringState(store, consumer);
      const text = JSON.stringify(state);
      if (text === told) {
        await changed;
      } else {
        told = text;
        yield state;
      }
    }
  } finally {
    unfollow();
  }
}

function noop(): void {
  // Nobody waits yet.
}

/** A model of the same name may have come after one that was destroyed. */
function requireModel(reader: Reader, uuid: string): void {
  if (reader.require('model', MODEL).uuid !== uuid) {
    throw new ModelError(`model ${JSON.stringify(uuid)} not found`, 'not-found');
  }
}
