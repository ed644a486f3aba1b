/** Relations of a test's state. */
import { frozenCopy } from './freeze.ts';

export type Data = Readonly<Record<string, string>>;

interface RelationFields {
  readonly endpoint: string;
  readonly id: number;
  readonly localAppData: Data;
  readonly localUnitData: Data;
}

/** A relation with another application. */
export interface RelationState extends RelationFields {
  readonly kind: 'relation';
  /** `container`: between a subordinate and the one principal unit it sits beside. */
  readonly scope: 'global' | 'container';
  readonly remoteApp: string;
  readonly remoteAppData: Data;
  /** Unit number → data. */
  readonly remoteUnits: Readonly<Record<number, Data>>;
  readonly remoteModelUuid: string | undefined;
}

/** The relation of the application's units among themselves. */
export interface PeerRelationState extends RelationFields {
  readonly kind: 'peer';
  /** Number of each other unit → data. */
  readonly peers: Readonly<Record<number, Data>>;
}

export type AnyRelationState = RelationState | PeerRelationState;

// What Juju itself puts into a unit's databag.
const UNIT_DATA: Data = {
  'egress-subnets': '192.0.2.0',
  'ingress-address': '192.0.2.0',
  'private-address': '192.0.2.0',
};

/** A relation with one remote unit, unless told otherwise. */
export function relation(
  fields: Partial<Omit<RelationState, 'kind'>> & { readonly endpoint: string },
): RelationState {
  return frozenCopy({
    kind: 'relation',
    scope: 'global',
    id: fields.id ?? nextRelationId(),
    remoteApp: 'remote',
    localAppData: {},
    localUnitData: UNIT_DATA,
    remoteAppData: {},
    remoteUnits: { 0: UNIT_DATA },
    remoteModelUuid: undefined,
    ...fields,
  });
}

export type SubordinateFields = Partial<Omit<RelationState, 'kind' | 'scope' | 'remoteUnits'>> & {
  readonly endpoint: string;
  /** Number of the one remote unit; 0 unless told. */
  readonly remoteUnit?: number;
  readonly remoteUnitData?: Data;
};

/** A relation of an endpoint with `scope: container`: with the one unit beside this one. */
export function subordinateRelation(fields: SubordinateFields): RelationState {
  const { remoteUnit = 0, remoteUnitData = UNIT_DATA, ...others } = fields;
  const remoteUnits = { [remoteUnit]: remoteUnitData };
  return relation({ ...others, scope: 'container', remoteUnits });
}

/** A peer relation of a unit that is alone, unless told otherwise. */
export function peerRelation(
  fields: Partial<Omit<PeerRelationState, 'kind'>> & { readonly endpoint: string },
): PeerRelationState {
  return frozenCopy({
    kind: 'peer',
    id: fields.id ?? nextRelationId(),
    localAppData: {},
    localUnitData: UNIT_DATA,
    peers: {},
    ...fields,
  });
}

/** Unit number → data of the units at the other end. */
export function remoteUnitsOf(state: AnyRelationState): Readonly<Record<number, Data>> {
  return state.kind === 'peer' ? state.peers : state.remoteUnits;
}

// As Juju, one counter for all relations; tests compare ids, never their values.
let lastRelationId = 0;

function nextRelationId(): number {
  lastRelationId += 1;
  return lastRelationId;
}
