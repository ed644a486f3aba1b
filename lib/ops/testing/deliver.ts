/** Several units: what one unit wrote becomes what another unit sees. */
import { HintError } from '#system';
import { isSameSecret } from '../model/secret.ts';
import type { AnyRelationState, PeerRelationState, RelationState } from './relation-state.ts';
import { secret as newSecret, type SecretState } from './secret-state.ts';
import type { State } from './state.ts';

export interface DeliverOptions {
  /** The unit that wrote, with the state its run left. */
  readonly from: { readonly unit: string; readonly state: State };
  /** The unit that is to see it, with its state so far. */
  readonly to: { readonly unit: string; readonly state: State };
}

/**
 * The state of unit `to` after Juju committed what unit `from` wrote:
 * - units of one application: databags of peer relations; of the leader also application data of
 *   all relations, the application's secrets and its status;
 * - units of related applications: unit data, application data when `from` leads, and the secrets
 *   granted in their relations. The two ends of a relation have the same id, as in Juju; where
 *   each unit has only one relation with the other's application, ids may differ.
 * Nothing else of `to` changes, and nothing `from` may not write is carried. It is data only: run
 * the event that tells `to` of it next.
 * @throws HintError when the two have no relation in common.
 */
export function deliver(options: DeliverOptions): State {
  const from = { ...parseUnit(options.from.unit), state: options.from.state };
  const to = { ...parseUnit(options.to.unit), state: options.to.state };
  if (from.app === to.app && from.number === to.number) {
    throw new HintError(`cannot deliver from ${options.from.unit} to itself`, {
      code: 'nothing-to-deliver',
      hint: 'use the state its run returned',
    });
  }
  return from.app === to.app ? deliverWithin(from, to) : deliverAcross(from, to);
}

interface Side {
  readonly app: string;
  readonly number: number;
  readonly state: State;
}

function deliverWithin(from: Side, to: Side): State {
  const relations = to.state.relations.map((target) => {
    const source =
      target.kind === 'peer'
        ? peerOf(from.state, target.endpoint)
        : from.state.relations.find((it) => it.id === target.id && it.kind === target.kind);
    return source === undefined ? target : shared(target, source, from);
  });
  const { leader, appStatus } = from.state;
  const secrets = leader ? mergeOwnSecrets(from.state.secrets, to.state.secrets) : to.state.secrets;
  return to.state.with({ relations, secrets, ...(leader ? { appStatus } : {}) });
}

function peerOf(given: State, endpoint: string): PeerRelationState | undefined {
  return given.getRelations(endpoint).find((relation) => relation.kind === 'peer');
}

function shared(target: AnyRelationState, source: AnyRelationState, from: Side): AnyRelationState {
  const { localAppData } = from.state.leader ? source : target;
  if (target.kind !== 'peer') {
    return { ...target, localAppData };
  }
  const peers = { ...target.peers, [from.number]: source.localUnitData };
  return { ...target, localAppData, peers };
}

/** The leader's word is what the application has; each unit tracks revisions by itself. */
function mergeOwnSecrets(
  ofLeader: readonly SecretState[],
  known: readonly SecretState[],
): readonly SecretState[] {
  const own = ofLeader.filter((secret) => secret.owner === 'application');
  const merged = own.map((secret) => ({ ...secret, ...trackingOf(secret, known) }));
  return [...known.filter((secret) => secret.owner !== 'application'), ...merged];
}

function deliverAcross(from: Side, to: Side): State {
  const pairs = relationPairs(from, to);
  if (pairs.length === 0) {
    throw new HintError(`cannot deliver: ${from.app} and ${to.app} are not related`, {
      code: 'nothing-to-deliver',
      hint: 'give both states a relation() with the same id, each with the other as remoteApp',
    });
  }
  let { state } = to;
  for (const [source, target] of pairs) {
    const remoteUnits = { ...target.remoteUnits, [from.number]: source.localUnitData };
    const { localAppData } = source;
    const remoteAppData = from.state.leader ? localAppData : target.remoteAppData;
    state = state.withRelation({ ...target, remoteUnits, remoteAppData });
  }
  const ids = pairs.map(([source]) => source.id);
  return state.with({ secrets: mergeGranted(from, to, ids) });
}

type Pair = readonly [source: RelationState, target: RelationState];

function relationPairs(from: Side, to: Side): readonly Pair[] {
  const sources = relationsWith(from.state, to.app);
  const targets = relationsWith(to.state, from.app);
  const pairs = sources.flatMap((source): Pair[] => {
    const target = targets.find((candidate) => candidate.id === source.id);
    return target === undefined ? [] : [[source, target]];
  });
  const [source, target] = [sources[0], targets[0]];
  const isPlain = sources.length === 1 && targets.length === 1;
  return pairs.length === 0 && isPlain && source !== undefined && target !== undefined
    ? [[source, target]]
    : pairs;
}

function relationsWith(given: State, app: string): readonly RelationState[] {
  return given.relations
    .filter((relation) => relation.kind === 'relation')
    .filter((relation) => relation.remoteApp === app);
}

/** Secrets granted to `to` appear, those no longer granted are refused, removed ones stay as they were. */
function mergeGranted(
  from: Side,
  to: Side,
  relationIds: readonly number[],
): readonly SecretState[] {
  const readers = [to.app, `${to.app}/${to.number}`];
  let secrets = to.state.secrets;
  for (const own of from.state.secrets.filter((secret) => mayGrant(from, secret))) {
    const granted = relationIds.some((id) => own.grants[id]?.some((it) => readers.includes(it)));
    const known = secrets.find((secret) => isSameSecret(secret.id, own.id));
    if (granted || known !== undefined) {
      const others = secrets.filter((secret) => secret !== known);
      secrets = [...others, asSeen(own, known, granted)];
    }
  }
  return secrets;
}

function mayGrant(from: Side, secret: SecretState): boolean {
  return secret.owner === 'unit' || (secret.owner === 'application' && from.state.leader);
}

function asSeen(own: SecretState, known: SecretState | undefined, granted: boolean): SecretState {
  const { id, latestContent: content, revision } = own;
  return newSecret({
    id,
    content,
    revision,
    granted,
    label: known?.label,
    trackedContent: known?.trackedContent,
    trackedRevision: known?.trackedRevision,
  });
}

function trackingOf(secret: SecretState, known: readonly SecretState[]) {
  const mine = known.find((candidate) => isSameSecret(candidate.id, secret.id));
  return { trackedContent: mine?.trackedContent, trackedRevision: mine?.trackedRevision };
}

function parseUnit(name: string): { readonly app: string; readonly number: number } {
  const [, app, number] = /^(.+)\/(\d+)$/.exec(name) ?? [];
  if (app === undefined) {
    throw new HintError(`"${name}" is no unit`, {
      code: 'invalid-unit-name',
      hint: 'write application and number: app/0',
    });
  }
  return { app, number: Number(number) };
}
