/** What the leader hears of the other units: what they say in the peer relation, and which of them are no more. */
import type { CharmBase, Relation } from '#ops';
import type { DatabaseTypes } from './charm-types.ts';
import { type Ledger, type PeerWords, type Primary, parseClaims, parseOutcomes } from './ledger.ts';

/** Keys of a unit's data in the peer relation. */
export const OUTCOMES_KEY = 'outcomes';
export const CLAIMS_KEY = 'claims';

export interface PeerNews extends PeerWords {
  /** Of the units that have jobs here, or are the primary. */
  readonly goneUnits: readonly string[];
}

export const NO_NEWS: PeerNews = { outcomes: new Map(), claims: new Map(), goneUnits: [] };

type Charm = Pick<CharmBase<DatabaseTypes>, 'app' | 'model' | 'unit'>;

interface Heard {
  readonly peers: Relation;
  /** As committed. */
  readonly ledger: Ledger;
  readonly primary: Primary | undefined;
  /** A peer unit that has just left: it can still be read. */
  readonly departedUnit: string | undefined;
}

export function hearPeers(charm: Charm, heard: Heard): PeerNews {
  const { peers, departedUnit } = heard;
  const departed = departedUnit === undefined ? [] : [charm.model.getUnit(departedUnit)];
  const words = [...peers.units, ...departed]
    .filter((unit) => !unit.isOwn)
    .map((unit) => ({ name: unit.name, said: peers.data(unit) }));
  return {
    outcomes: new Map(words.map(({ name, said }) => [name, parseOutcomes(said.get(OUTCOMES_KEY))])),
    claims: new Map(words.map(({ name, said }) => [name, parseClaims(said.get(CLAIMS_KEY))])),
    goneUnits: findGone(charm, heard),
  };
}

/** The units this one sees in the peer relation, itself included; a young unit meets them one event at a time. */
export function seenUnits({ unit }: Pick<Charm, 'unit'>, peers: Relation): ReadonlySet<string> {
  return new Set([unit.name, ...peers.units.map(({ name }) => name)]);
}

/**
 * A leader may be young and not have met all its peers yet; or it saw one leave before it led, and then no event tells it
 * again. Only the controller knows, and it is asked where somebody is missed.
 */
function findGone(charm: Charm, { peers, ledger, primary }: Heard): readonly string[] {
  const open = [...ledger.values()].filter((entry) => entry.isOrphan !== true);
  const known = [...open, ...(primary === undefined ? [] : [primary])].map(({ unit }) => unit);
  const seen = seenUnits(charm, peers);
  const missed = [...new Set(known)].filter((name) => !seen.has(name));
  if (missed.length === 0) {
    return [];
  }
  const living = charm.app.livingUnits();
  return missed.filter((name) => !living.has(name));
}
