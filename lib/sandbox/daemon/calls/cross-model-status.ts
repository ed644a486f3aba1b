/** Consumed applications and offers, as `juju status` shows them. */
import type { OfferStatus, RemoteApplicationStatus } from '../../api-status.ts';
import type { RemoteDocument } from '../../model/cross-model-documents.ts';
import { MODEL } from '../../model/documents.ts';
import { endpointOf, relationsOf, remoteEndpointOf } from '../../model/relations.ts';
import type { Reader } from '../../store/store.ts';
import type { CallContext } from './call-context.ts';
import { describeOffer } from './cross-model.ts';

export function remoteApplications(reader: Reader): readonly RemoteApplicationStatus[] {
  const { controllerName } = reader.require('model', MODEL);
  return reader
    .all('remote')
    .filter(({ kind }) => kind === 'saas')
    .map(({ name, offer, model, endpoints, life, status }) => ({
      name,
      url: `${controllerName}:admin/${model.name}.${offer.name}`,
      endpoints: endpoints.map(({ endpoint, role, interface: relationInterface }) => ({
        name: endpoint,
        role,
        interface: relationInterface,
      })),
      ...(life === 'alive' ? {} : { life }),
      status,
      relations: relatedTo(reader, name),
    }));
}

function relatedTo(reader: Reader, name: RemoteDocument['name']): Record<string, string[]> {
  const related: Record<string, string[]> = {};
  for (const relation of relationsOf(reader, name)) {
    const endpoint = endpointOf(relation, name)?.endpoint ?? '';
    const other = remoteEndpointOf(relation, name)?.application ?? '';
    related[endpoint] = [...(related[endpoint] ?? []), other];
  }
  return related;
}

export function offerStatuses({ services }: CallContext): readonly OfferStatus[] {
  const { store, address } = services;
  return store.all('offer').map((offer) => {
    const { connections, endpoints } = describeOffer(store, offer, address);
    const { charm } = store.require('application', offer.application);
    const { revision, metadata } = store.require('charm', charm);
    return {
      name: offer.name,
      application: offer.application,
      charm: { url: `local:${charm}`, name: metadata.name, revision },
      connections: connections.length,
      active: connections.filter(({ status }) => status === 'joined').length,
      endpoints,
    };
  });
}
