/** The consuming model: what it tells an offering model, and what it takes over from that. */
import type {
  ConsumedRelation,
  ConsumerState,
  OfferedSecret,
  OfferingState,
} from '../../api-cross-model.ts';
import type { StatusInfo } from '../../api-status.ts';
import {
  applySide,
  type CrossModelRelation,
  ownApplication,
  relationsWithModel,
  resumeRelation,
  sideOf,
  suspendRelation,
} from '../../model/cross-model.ts';
import type { RemoteDocument } from '../../model/cross-model-documents.ts';
import { MODEL, type SecretDocument } from '../../model/documents.ts';
import { applicationOf } from '../../model/names.ts';
import { endpointOf, relationsOf } from '../../model/relations.ts';
import { destroyRelation } from '../../model/removal.ts';
import type { Reader, Transaction } from '../../store/store.ts';

/** Everything this model has of the offers of another one. */
export function consumerState(reader: Reader, offering: string): ConsumerState {
  const { uuid, name } = reader.require('model', MODEL);
  const relations = relationsWithModel(reader, offering, 'saas').flatMap((relation) =>
    consumedRelation(reader, relation),
  );
  return { model: { uuid, name }, relations, secrets: trackedSecrets(reader, offering) };
}

function consumedRelation(
  reader: Reader,
  relation: CrossModelRelation,
): readonly ConsumedRelation[] {
  const { token, remote, proxy } = relation.crossModel;
  const own = endpointOf(relation, ownApplication(relation));
  const offered = endpointOf(relation, remote)?.endpoint ?? '';
  const offer = reader.require('remote', remote).offer.uuid;
  if (own === undefined || own.role === 'peer' || proxy === undefined) {
    return [];
  }
  const endpoint = { name: own.endpoint, role: own.role, interface: own.interface };
  return [{ token, offer, offered, proxy, endpoint, side: sideOf(reader, relation) }];
}

function trackedSecrets(reader: Reader, offering: string): ConsumerState['secrets'] {
  const copies = reader.all('secret').filter(({ source }) => source === offering);
  return Object.fromEntries(
    copies.map(({ id, owner, consumers }) => {
      const tracked = Object.entries(consumers).flatMap(([unit, consumer]) => {
        const proxy = proxyOf(reader, applicationOf(unit), owner.name);
        const number = unit.split('/')[1] ?? '';
        return proxy === undefined ? [] : [[`${proxy}/${number}`, consumer.tracked]];
      });
      return [id, Object.fromEntries(tracked) as Record<string, number>];
    }),
  );
}

function proxyOf(reader: Reader, application: string, remote: string): string | undefined {
  return relationsOf(reader, application).find(({ crossModel }) => crossModel?.remote === remote)
    ?.crossModel?.proxy;
}

/** Nothing is left of the other model. */
export const NOTHING_OFFERED: OfferingState = { offers: {}, relations: {}, secrets: {} };

/** Takes over what the offering model says of itself. */
export function applyOffering(
  transaction: Transaction,
  offering: string,
  state: OfferingState,
  now: string,
): void {
  for (const remote of transaction.all('remote')) {
    if (remote.kind === 'saas' && remote.model.uuid === offering) {
      applyOfferStatus(transaction, remote, state.offers[remote.offer.uuid], now);
    }
  }
  const relations = relationsWithModel(transaction, offering, 'saas');
  for (const { id, crossModel } of relations) {
    const side = state.relations[crossModel.token];
    if (side !== undefined) {
      mirrorSuspension(transaction, id, side.suspended?.reason);
    }
    applySide(transaction, id, side);
    destroyIfTerminated(transaction, id);
  }
  applySecrets(transaction, offering, state.secrets, relations);
}

function applyOfferStatus(
  transaction: Transaction,
  remote: RemoteDocument,
  told: StatusInfo | undefined,
  now: string,
): void {
  if (told === undefined && remote.status.current === 'terminated') {
    return;
  }
  const status: StatusInfo =
    told === undefined
      ? { current: 'terminated', message: 'offer has been removed', since: now }
      : told;
  if (JSON.stringify(status) !== JSON.stringify(remote.status)) {
    transaction.patch('remote', remote.name, { status });
  }
}

function mirrorSuspension(transaction: Transaction, id: number, reason: string | undefined): void {
  if (reason === undefined) {
    resumeRelation(transaction, id);
  } else {
    suspendRelation(transaction, id, reason);
  }
}

/** A relation that the offering model never made, as the offer was gone before. */
function destroyIfTerminated(transaction: Transaction, id: number): void {
  const relation = transaction.get('relation', String(id));
  const remote = transaction.get('remote', relation?.crossModel?.remote ?? '');
  if (
    relation?.life === 'alive' &&
    relation.crossModel?.otherLife === undefined &&
    remote?.status.current === 'terminated'
  ) {
    destroyRelation(transaction, id);
  }
}

function applySecrets(
  transaction: Transaction,
  offering: string,
  told: OfferingState['secrets'],
  relations: readonly CrossModelRelation[],
): void {
  for (const { id, source } of transaction.all('secret')) {
    if (source === offering && told[id] === undefined) {
      transaction.remove('secret', id);
    }
  }
  for (const [id, secret] of Object.entries(told)) {
    const granting = relations.filter(({ crossModel }) =>
      secret.granted.includes(crossModel.token),
    );
    putCopy(transaction, secret, { id, source: offering, granting });
  }
}

interface Copy {
  readonly id: string;
  /** The uuid of its model. */
  readonly source: string;
  /** Relations it is granted in. */
  readonly granting: readonly CrossModelRelation[];
}

function putCopy(transaction: Transaction, secret: OfferedSecret, copy: Copy): void {
  const before = transaction.get('secret', copy.id);
  const owner = copy.granting[0]?.crossModel.remote ?? before?.owner.name;
  // A model may consume an offer of its own; then the secret itself is there.
  const isOriginal = before !== undefined && before.source === undefined;
  if (owner === undefined || isOriginal) {
    return;
  }
  const after = copyOf(secret, copy, { owner, before });
  if (JSON.stringify(after) !== JSON.stringify(before)) {
    transaction.put('secret', copy.id, after);
  }
}

function copyOf(
  { latest, revisions }: OfferedSecret,
  { id, source, granting }: Copy,
  { owner, before }: { readonly owner: string; readonly before: SecretDocument | undefined },
): SecretDocument {
  const created = revisions[0]?.created ?? before?.created ?? '';
  return {
    id,
    source,
    owner: { kind: 'application', name: owner },
    rotate: 'never',
    autoPrune: false,
    // Its owner is elsewhere, and told there of what nobody needs any more.
    revisions: revisions.map((one) => ({ ...one, obsoleteTold: true })),
    latest,
    grants: granting.map((relation) => ({
      target: ownApplication(relation),
      relation: relation.id,
    })),
    consumers: before?.consumers ?? {},
    created,
    updated: revisions.at(-1)?.created ?? created,
  };
}
