/** Offers as the documents that Juju prints. */
import type { OfferConnection, OfferedEndpoint, OfferInfo } from '../../api-cross-model.ts';
import type { OutputValue } from '../../go-output/values.ts';
import { USER } from '../models/model-info.ts';

/** The endpoints by name. */
export function structuredEndpoints(
  endpoints: readonly OfferedEndpoint[],
): Record<string, OutputValue> {
  return Object.fromEntries(
    endpoints
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
      .map(({ name, interface: relationInterface, role }) => [
        name,
        { interface: relationInterface, role },
      ]),
  );
}

// The one user owns the offer; Juju lets everybody see it.
const USERS: OutputValue = {
  [USER]: { 'display-name': USER, access: USER },
  'everyone@external': { access: 'read' },
};

/** One member of `juju offers --format json`. */
export function structuredListedOffer(
  offer: OfferInfo,
  { store, url }: { readonly store: string; readonly url: string },
): OutputValue {
  return {
    application: offer.application,
    store,
    charm: offer.charm,
    'offer-url': url,
    endpoints: structuredEndpoints(offer.endpoints),
    connections: offer.connections.length === 0 ? undefined : offer.connections.map(connection),
    users: USERS,
  };
}

function connection(item: OfferConnection): OutputValue {
  return {
    'source-model-uuid': item.model,
    username: USER,
    'relation-id': item.relation,
    endpoint: item.endpoint,
    status: { current: item.status, message: item.message },
    'ingress-subnets': item.ingressSubnets.length === 0 ? undefined : item.ingressSubnets,
  };
}

/** The value of `juju show-offer`. */
export function structuredOffer(offer: OfferInfo): OutputValue {
  return {
    description: offer.description === '' ? undefined : offer.description,
    access: USER,
    endpoints: structuredEndpoints(offer.endpoints),
    users: USERS,
  };
}

/** One member of `juju find-offers --format json`. */
export function structuredFoundOffer(offer: OfferInfo): OutputValue {
  return { access: USER, endpoints: structuredEndpoints(offer.endpoints), users: USERS };
}
