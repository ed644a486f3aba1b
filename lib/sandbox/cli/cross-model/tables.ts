/** Offers as tables, as cmd/juju/crossmodel of Juju 3.6 prints them. */
import type { OfferInfo } from '../../api-cross-model.ts';
import { USER } from '../models/model-info.ts';
import { formatTable } from '../output/table.ts';

/** An offer and where it is. */
export interface FoundOffer {
  readonly offer: OfferInfo;
  readonly store: string;
  /** `admin/model.offer`. */
  readonly path: string;
}

/** `juju offers`: who uses each offer. */
export function connectionTable(found: readonly FoundOffer[]): string {
  const rows = found.flatMap(({ offer }) =>
    offer.connections.length === 0
      ? [[offer.name, '-', '', '', '', '', '', '']]
      : offer.connections.map((connection, index) => {
          const endpoint = offer.endpoints.find(({ name }) => name === connection.endpoint);
          return [
            index === 0 ? offer.name : '',
            USER,
            String(connection.relation),
            connection.status,
            connection.endpoint,
            endpoint?.interface ?? '',
            endpoint?.role ?? '',
            connection.ingressSubnets.join(','),
          ];
        }),
  );
  return formatTable(
    ['Offer', 'User', 'Relation id', 'Status', 'Endpoint', 'Interface', 'Role', 'Ingress subnets'],
    rows,
  );
}

/** `juju offers --format summary`. */
export function summaryTable(found: readonly FoundOffer[]): string {
  const rows = found.flatMap(({ offer, store, path }) =>
    sortedEndpoints(offer).map(({ name, interface: relationInterface, role }, index) => [
      ...(index === 0
        ? [
            offer.name,
            offer.application,
            offer.charm,
            `${offer.connections.filter(({ status }) => status === 'joined').length}/${offer.connections.length}`,
            store,
            path,
          ]
        : ['', '', '', '', '', '']),
      name,
      relationInterface,
      role,
    ]),
  );
  return formatTable(
    ['Offer', 'Application', 'Charm', 'Connected', 'Store', 'URL', 'Endpoint', 'Interface', 'Role'],
    rows,
  );
}

/** `juju find-offers`. */
export function foundTable(found: readonly FoundOffer[]): string {
  const rows = found.map(({ offer, store, path }) => [
    store,
    path,
    USER,
    sortedEndpoints(offer)
      .map(({ name, interface: relationInterface }) => `${relationInterface}:${name}`)
      .toSorted()
      .join(', '),
  ]);
  return formatTable(['Store', 'URL', 'Access', 'Interfaces'], rows);
}

/** `juju show-offer`. */
export function shownTable({ offer, store, path }: FoundOffer): string {
  const description = brokenIntoLines(offer.description);
  const endpoints = sortedEndpoints(offer);
  const rows = Array.from(
    { length: Math.max(description.length, endpoints.length) },
    (_, index) => [
      ...(index === 0 ? [store, path, USER] : ['', '', '']),
      description[index] ?? '',
      endpoints[index]?.name ?? '',
      endpoints[index]?.interface ?? '',
      endpoints[index]?.role ?? '',
    ],
  );
  return formatTable(
    ['Store', 'URL', 'Access', 'Description', 'Endpoint', 'Interface', 'Role'],
    rows,
  );
}

function sortedEndpoints({ endpoints }: OfferInfo): OfferInfo['endpoints'] {
  return endpoints.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

const MAX_DESCRIPTION = 180;
const LINE = 45;

function brokenIntoLines(text: string): readonly string[] {
  const cut = text.length > MAX_DESCRIPTION ? `${text.slice(0, MAX_DESCRIPTION - 3)}...` : text;
  const lines: string[] = [];
  for (const word of cut.split(/\s+/).filter((one) => one !== '')) {
    const last = lines.at(-1);
    if (last !== undefined && `${last} ${word}`.length <= LINE) {
      lines[lines.length - 1] = `${last} ${word}`;
    } else {
      lines.push(word);
    }
  }
  return lines;
}
