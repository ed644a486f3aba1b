/** Offers, consumed applications, and what two models tell each other about the relations between them. */

type Life = 'alive' | 'dying';
type Bag = Readonly<Record<string, string>>;

export interface OfferedEndpoint {
  readonly name: string;
  readonly role: 'provider' | 'requirer';
  readonly interface: string;
}

export interface OfferParams {
  readonly application: string;
  readonly endpoints: readonly string[];
  /** The name of the offer. */
  readonly name: string;
}

export interface OfferInfo {
  readonly name: string;
  readonly uuid: string;
  readonly application: string;
  readonly description: string;
  /** `local:mysql-0`. */
  readonly charm: string;
  readonly endpoints: readonly OfferedEndpoint[];
  readonly connections: readonly OfferConnection[];
}

export interface OfferConnection {
  readonly relation: number;
  /** The uuid of the consuming model. */
  readonly model: string;
  readonly endpoint: string;
  readonly status: 'joining' | 'joined' | 'suspending' | 'suspended' | 'broken';
  readonly message?: string;
  readonly ingressSubnets: readonly string[];
}

export interface ConsumeParams {
  readonly offer: Pick<OfferInfo, 'name' | 'uuid' | 'endpoints'>;
  /** The offering model. */
  readonly model: ModelIdentity;
  /** The name of the consumed application in this model; that of the offer unless told. */
  readonly alias?: string;
}

export interface SuspendParams {
  readonly relation: number;
  readonly suspended: boolean;
  readonly reason?: string;
}

export interface ModelIdentity {
  readonly uuid: string;
  readonly name: string;
}

/** One side of a relation between models, as the other model has to know it. */
export interface RelationSide {
  readonly life: Life;
  readonly suspended?: { readonly reason: string };
  /** Of the application; absent: nothing was ever written. */
  readonly data?: Bag;
  /** By the unit's number. */
  readonly units: Readonly<Record<string, { readonly data: Bag; readonly inScope: boolean }>>;
}

/** What a model has of another model's offers: all of it, so that what is not told of is gone. */
export interface ConsumerState {
  readonly model: ModelIdentity;
  readonly relations: readonly ConsumedRelation[];
  /** The revisions that units track, by secret and by unit, which is called as in the offering model. */
  readonly secrets: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

export interface ConsumedRelation {
  readonly token: string;
  /** Uuid of the offer. */
  readonly offer: string;
  /** The endpoint of the offered application. */
  readonly offered: string;
  /** What the consuming application is called in the offering model. */
  readonly proxy: string;
  readonly endpoint: OfferedEndpoint;
  readonly side: RelationSide;
}

/** What a model tells one that consumes its offers: all of it. */
export interface OfferingState {
  /** Status of the offered applications, by uuid of the offer. */
  readonly offers: Readonly<
    Record<string, { readonly current: string; readonly message?: string; readonly since?: string }>
  >;
  /** By token. */
  readonly relations: Readonly<Record<string, RelationSide>>;
  readonly secrets: Readonly<Record<string, OfferedSecret>>;
}

/** A secret that units of the consuming model read or may read. */
export interface OfferedSecret {
  /** Tokens of the relations it is granted in. */
  readonly granted: readonly string[];
  readonly latest: number;
  readonly revisions: readonly {
    readonly revision: number;
    readonly content: Bag;
    readonly created: string;
  }[];
}
