/** `juju status` as the document that `--format json` and `--format yaml` print. */

import type {
  ApplicationStatus,
  FullStatus,
  MachineStatus,
  OfferStatus,
  RemoteApplicationStatus,
  StatusInfo,
  UnitStatus,
} from '../../api-status.ts';
import { compareNaturally, sortedEntries } from '../../go-output/natural-sort.ts';
import type { OutputValue } from '../../go-output/values.ts';
import { structuredEndpoints } from '../cross-model/structured-offer.ts';
import { clockTimeWithZone, statusTime, type ZoneChoice } from '../output/timestamp.ts';
import { structuredStorage } from '../storage/structured-storage.ts';
import { shownChannel } from './base.ts';

/** The document, its keys in Juju's order; empty optional members are left out. */
export function structuredStatus(view: FullStatus, zone: ZoneChoice): OutputValue {
  const { model } = view;
  return {
    model: {
      name: model.name,
      type: model.type,
      controller: model.controller,
      cloud: model.cloud,
      region: model.region,
      version: model.version,
      'model-status': status(model.status, zone),
      sla: model.sla,
    },
    machines: structuredMachines(view, zone),
    applications: byKey(
      view.applications,
      ({ name }) => name,
      (item) => application(item, zone),
    ),
    'application-endpoints': omitEmpty(
      byKey(
        view.remoteApplications,
        ({ name }) => name,
        (item) => remoteApplication(item, zone),
      ),
    ),
    offers: omitEmpty(byKey(view.offers, ({ name }) => name, offer)),
    storage: structuredStorage(view.storage, zone),
    controller: { timestamp: clockTimeWithZone(new Date(view.timestamp), zone) },
  };
}

/** The machines by their ids. */
export function structuredMachines(view: FullStatus, zone: ZoneChoice): OutputValue {
  return byKey(
    view.machines,
    ({ id }) => id,
    (item) => machine(item, zone),
  );
}

function machine(item: MachineStatus, zone: ZoneChoice): OutputValue {
  return {
    'juju-status': status(item.agent, zone),
    hostname: item.hostname,
    'dns-name': item.addresses[0] ?? '',
    'ip-addresses': item.addresses,
    'instance-id': item.instanceId,
    'machine-status': status(item.machine, zone),
    'modification-status': { current: 'idle', since: since(item.agent, zone) },
    base: { name: item.base.name, channel: shownChannel(item.base) },
    hardware: item.hardware,
  };
}

function application(item: ApplicationStatus, zone: ZoneChoice): OutputValue {
  return {
    charm: item.charm.url,
    base: { name: item.base.name, channel: shownChannel(item.base) },
    'charm-origin': 'local',
    'charm-name': item.charm.name,
    'charm-rev': item.charm.revision,
    'charm-version': item.charm.version,
    exposed: item.exposed,
    life: item.life,
    'application-status': status(item.status, zone),
    relations: omitEmpty(relationsOf(item)),
    'subordinate-to': item.subordinateTo.length === 0 ? undefined : item.subordinateTo,
    units: omitEmpty(
      byKey(
        item.units,
        ({ name }) => name,
        (entry) => unit(entry, zone),
      ),
    ),
    version: item.workloadVersion === '' ? undefined : item.workloadVersion,
    'endpoint-bindings': Object.fromEntries(
      ['', ...item.endpoints.toSorted(compareNaturally)].map((name) => [name, 'alpha']),
    ),
  };
}

function remoteApplication(item: RemoteApplicationStatus, zone: ZoneChoice): OutputValue {
  return {
    url: item.url,
    endpoints: omitEmpty(structuredEndpoints(item.endpoints)),
    life: item.life,
    'application-status': status(item.status, zone),
    relations: omitEmpty(Object.fromEntries(sortedEntries(item.relations))),
  };
}

function offer(item: OfferStatus): OutputValue {
  return {
    application: item.application,
    charm: item.charm.url,
    'total-connected-count': item.connections === 0 ? undefined : item.connections,
    'active-connected-count': item.active === 0 ? undefined : item.active,
    endpoints: structuredEndpoints(item.endpoints),
  };
}

function relationsOf(item: ApplicationStatus): Record<string, OutputValue> {
  return Object.fromEntries(
    sortedEntries(item.relations).map(([endpoint, related]) => [
      endpoint,
      related.map((one) => ({
        'related-application': one.application,
        interface: one.interface,
        scope: one.scope,
      })),
    ]),
  );
}

function unit(item: UnitStatus, zone: ZoneChoice): OutputValue {
  return {
    'workload-status': status(item.workload, zone),
    'juju-status': status(item.agent, zone),
    leader: item.leader ? true : undefined,
    'upgrading-from': item.upgradingFrom,
    machine: item.machine,
    // By protocol, then by number, as the model tells them.
    'open-ports': item.ports.length === 0 ? undefined : item.ports,
    'public-address': item.address,
    subordinates: omitEmpty(
      byKey(
        item.subordinates,
        ({ name }) => name,
        (entry) => unit(entry, zone),
      ),
    ),
  };
}

function status(info: StatusInfo, zone: ZoneChoice): OutputValue {
  return {
    current: info.current,
    message: info.message === '' ? undefined : info.message,
    since: since(info, zone),
    version: info.version,
  };
}

function since(info: StatusInfo, zone: ZoneChoice): string | undefined {
  return info.since === undefined ? undefined : statusTime(new Date(info.since), zone);
}

function byKey<T>(
  items: readonly T[],
  key: (item: T) => string,
  render: (item: T) => OutputValue,
): Record<string, OutputValue> {
  return Object.fromEntries(
    items
      .toSorted((a, b) => compareNaturally(key(a), key(b)))
      .map((item) => [key(item), render(item)]),
  );
}

function omitEmpty(map: Record<string, OutputValue>): Record<string, OutputValue> | undefined {
  return Object.keys(map).length === 0 ? undefined : map;
}
