/** The offering model: what it tells a consuming model, and what it takes over from that. */
import type {
  ConsumedRelation,
  ConsumerState,
  OfferedSecret,
  OfferingState,
} from '../../api-cross-model.ts';
import { applicationStatus } from '../../model/application-status.ts';
import {
  applySide,
  type CrossModelRelation,
  relationsWithModel,
  sideOf,
} from '../../model/cross-model.ts';
import type { OfferDocument, RemoteEndpoint } from '../../model/cross-model-documents.ts';
import type { RelationEndpoint, SecretDocument } from '../../model/documents.ts';
import { applicationOf } from '../../model/names.ts';
import type { Reader, Transaction } from '../../store/store.ts';
import { nextRelationId } from '../calls/deploy.ts';

/** Everything a consuming model has to know of this one. */
export function offeringState(reader: Reader, consumer: string): OfferingState {
  const relations = relationsWithModel(reader, consumer, 'proxy');
  const offers = reader
    .all('offer')
    .map((offer) => [offer.uuid, applicationStatus(reader, offer.application)] as const);
  const sides = relations.map((one) => [one.crossModel.token, sideOf(reader, one)] as const);
  return {
    offers: Object.fromEntries(offers),
    relations: Object.fromEntries(sides),
    secrets: Object.fromEntries(sharedSecrets(reader, relations)),
  };
}

function sharedSecrets(
  reader: Reader,
  relations: readonly CrossModelRelation[],
): readonly (readonly [string, OfferedSecret])[] {
  const proxies = new Set(relations.map(({ crossModel }) => crossModel.remote));
  return reader
    .all('secret')
    .filter(({ source }) => source === undefined)
    .flatMap((secret) => {
      const granted = relations
        .filter(({ id, crossModel }) =>
          secret.grants.some(
            ({ target, relation }) => relation === id && target === crossModel.remote,
          ),
        )
        .map(({ crossModel }) => crossModel.token);
      const isRead = Object.keys(secret.consumers).some((unit) => proxies.has(applicationOf(unit)));
      return granted.length === 0 && !isRead ? [] : [[secret.id, shared(secret, granted)] as const];
    });
}

/** Who may not read a secret any more gets none of its content. */
function shared({ latest, revisions }: SecretDocument, granted: readonly string[]): OfferedSecret {
  return {
    granted,
    latest,
    revisions: revisions.map(({ revision, content, created }) => ({
      revision,
      content: granted.length === 0 ? {} : content,
      created,
    })),
  };
}

/** Takes over what a consuming model says of itself. */
export function applyConsumer(transaction: Transaction, state: ConsumerState): void {
  const told = new Map(state.relations.map((relation) => [relation.token, relation]));
  const known = relationsWithModel(transaction, state.model.uuid, 'proxy');
  const tokens = new Set(known.map(({ crossModel }) => crossModel.token));
  for (const relation of state.relations) {
    if (!tokens.has(relation.token)) {
      registerRelation(transaction, state, relation);
    }
  }
  for (const { id, crossModel } of known) {
    applySide(transaction, id, told.get(crossModel.token)?.side);
  }
  applyTracking(transaction, state);
}

/** The first that is heard of a relation: this model gets one of its own, if the offer is still there. */
function registerRelation(
  transaction: Transaction,
  { model }: ConsumerState,
  relation: ConsumedRelation,
): void {
  const own = offeredEnd(transaction, relation);
  if (own === undefined || relation.side.life === 'dying') {
    return;
  }
  const { token, proxy, offer } = relation;
  const { name, role, interface: relationInterface } = relation.endpoint;
  const other: RemoteEndpoint = {
    endpoint: name,
    role,
    interface: relationInterface,
    scope: 'global',
  };
  const known = transaction.get('remote', proxy)?.endpoints ?? [];
  transaction.put('remote', proxy, {
    name: proxy,
    kind: 'proxy',
    offer: { uuid: offer, name: offerOf(transaction, offer)?.name ?? '' },
    model,
    endpoints: [...known.filter(({ endpoint }) => endpoint !== name), other],
    life: 'alive',
    status: { current: 'unknown' },
  });
  const ends = [{ application: proxy, ...other }, own];
  const id = nextRelationId(transaction);
  transaction.put('relation', String(id), {
    id,
    endpoints: role === 'requirer' ? ends : ends.toReversed(),
    life: 'alive',
    crossModel: { token, remote: proxy, otherLife: 'alive' },
  });
  applySide(transaction, id, relation.side);
}

function offerOf(reader: Reader, uuid: string): OfferDocument | undefined {
  return reader.all('offer').find((offer) => offer.uuid === uuid);
}

/** The end that is offered; undefined where it is not (any more). */
function offeredEnd(
  reader: Reader,
  { offer: uuid, offered }: ConsumedRelation,
): RelationEndpoint | undefined {
  const offer = offerOf(reader, uuid);
  const application = reader.get('application', offer?.application ?? '');
  if (offer?.endpoints.includes(offered) !== true || application?.life !== 'alive') {
    return undefined;
  }
  const own = reader.require('charm', application.charm).metadata.endpoints[offered];
  return (
    own && {
      application: application.name,
      endpoint: own.name,
      role: own.role,
      interface: own.interface,
      scope: 'global',
    }
  );
}

/** What units of the other model track counts as theirs, and is told to nobody here. */
function applyTracking(transaction: Transaction, { model, secrets }: ConsumerState): void {
  const proxies = new Set(
    transaction
      .all('remote')
      .filter((remote) => remote.kind === 'proxy' && remote.model.uuid === model.uuid)
      .map(({ name }) => name),
  );
  for (const secret of transaction.all('secret')) {
    const tracked = Object.entries(secrets[secret.id] ?? {});
    const others = Object.entries(secret.consumers).filter(
      ([unit]) => !proxies.has(applicationOf(unit)),
    );
    const consumers: SecretDocument['consumers'] = Object.fromEntries([
      ...others,
      ...tracked
        .filter(([unit]) => proxies.has(applicationOf(unit)))
        .map(([unit, revision]) => [unit, { tracked: revision, told: secret.latest }] as const),
    ]);
    if (sameTracking(consumers, secret.consumers)) {
      continue;
    }
    transaction.patch('secret', secret.id, { consumers });
  }
}

function sameTracking(a: SecretDocument['consumers'], b: SecretDocument['consumers']): boolean {
  const units = Object.keys(a);
  return (
    units.length === Object.keys(b).length &&
    units.every((unit) => a[unit]?.tracked === b[unit]?.tracked)
  );
}
