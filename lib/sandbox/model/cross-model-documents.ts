/** What the store keeps of offers and of other models; the other documents are in documents.ts. */
import type { StatusInfo } from '../api-status.ts';

export type Life = 'alive' | 'dying';

/** What makes a relation go into another model. */
export interface CrossModelLink {
  /** The same in both models, and never used again. */
  readonly token: string;
  /** The application of this model that stands for the other side. */
  readonly remote: string;
  /** In the consuming model: what its application is called in the offering one. */
  readonly proxy?: string;
  /** What the other model last said of its own relation; absent: it has none (yet, or any more). */
  readonly otherLife?: Life;
}

/** Endpoints of an application that other models may use; its id is its name. */
export interface OfferDocument {
  readonly name: string;
  readonly uuid: string;
  readonly application: string;
  readonly endpoints: readonly string[];
  readonly created: string;
}

export interface RemoteEndpoint {
  readonly endpoint: string;
  readonly role: 'provider' | 'requirer';
  readonly interface: string;
  readonly scope: 'global';
}

/** An application of another model as this one knows it; its id is its name here. */
export interface RemoteDocument {
  readonly name: string;
  /** `saas`: consumed from an offer; `proxy`: the consumer of an offer of this model. */
  readonly kind: 'saas' | 'proxy';
  readonly offer: { readonly uuid: string; readonly name: string };
  /** The other model. */
  readonly model: { readonly uuid: string; readonly name: string };
  readonly endpoints: readonly RemoteEndpoint[];
  readonly life: Life;
  /** Of the offered application, or `terminated` when the offer is gone. */
  readonly status: StatusInfo;
}
