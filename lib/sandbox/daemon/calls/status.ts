/** The whole model at a glance. */
import { hostname } from 'node:os';
import { JUJU_VERSION } from '../../agent/services.ts';
import type {
  ApplicationStatus,
  FullStatus,
  MachineStatus,
  RelatedApplication,
  RelationStatus,
  StatusInfo,
  UnitStatus,
} from '../../api-status.ts';
import { agentStatus, applicationStatus, workloadStatus } from '../../model/application-status.ts';
import { isCrossModel } from '../../model/cross-model.ts';
import {
  type ApplicationDocument,
  type MachineDocument,
  MODEL,
  type RelationDocument,
  type UnitDocument,
} from '../../model/documents.ts';
import { addressOf } from '../../model/machines.ts';
import { compareText, compareUnits } from '../../model/names.ts';
import { comparePorts, formatPort } from '../../model/ports.ts';
import {
  endpointOf,
  isContainerScoped,
  isPeer,
  relationsOf,
  remoteEndpointOf,
} from '../../model/relations.ts';
import { subordinatesOf } from '../../model/subordinates.ts';
import type { Reader } from '../../store/store.ts';
import type { CallContext } from './call-context.ts';
import { relationStatus } from './cross-model.ts';
import { offerStatuses, remoteApplications } from './cross-model-status.ts';
import { listStorage } from './storage.ts';

export function status(context: CallContext): FullStatus {
  const { services } = context;
  const { store, address } = services;
  const model = store.require('model', MODEL);
  const applications = store.all('application').toSorted((a, b) => compareText(a.name, b.name));
  return {
    model: {
      name: model.name,
      type: 'iaas',
      controller: model.controllerName,
      cloud: 'localhost',
      region: 'localhost',
      version: JUJU_VERSION,
      status: { current: 'available', since: model.created },
      sla: 'unsupported',
    },
    machines: store
      .all('machine')
      .toSorted((a, b) => Number(a.id) - Number(b.id))
      .map((machine) => describeMachine(machine, address)),
    applications: applications.map((one) => describeApplication(store, one, address)),
    remoteApplications: remoteApplications(store),
    offers: offerStatuses(context),
    relations: store
      .all('relation')
      .toSorted((a, b) => a.id - b.id)
      .map((relation) => describeRelation(store, relation)),
    storage: listStorage(context),
    timestamp: services.clock.now().toISOString(),
  };
}

function describeMachine(machine: MachineDocument, hostAddress: string): MachineStatus {
  const { id, base, created: since, address } = machine;
  return {
    id,
    agent: { current: 'started', since, version: JUJU_VERSION },
    machine: { current: 'running', message: 'Running', since },
    // A machine without an address of its own is this host.
    hostname: address === undefined ? hostname() : machine.hostname,
    addresses: [address ?? hostAddress],
    instanceId: machine.hostname,
    base,
  };
}

function describeApplication(
  reader: Reader,
  application: ApplicationDocument,
  address: string,
): ApplicationStatus {
  const { revision, metadata } = reader.require('charm', application.charm);
  const units = reader
    .within('unit', application.name)
    .toSorted((a, b) => compareUnits(a.name, b.name));
  const leader = units.find(({ name }) => name === application.leader);
  const workloadVersion = (leader ?? units[0])?.workloadVersion;
  return {
    name: application.name,
    charm: {
      url: `local:${application.charm}`,
      name: metadata.name,
      revision,
      ...(metadata.version === undefined ? {} : { version: metadata.version }),
    },
    base: application.base,
    exposed: application.exposed,
    ...(application.life === 'alive' ? {} : { life: application.life }),
    status: applicationStatus(reader, application.name),
    relations: relatedTo(reader, application.name),
    subordinateTo: metadata.subordinate ? principalsOf(reader, application.name) : [],
    endpoints: Object.keys(metadata.endpoints),
    ...(workloadVersion === undefined ? {} : { workloadVersion }),
    // Subordinates are shown below their principals.
    units: units
      .filter(({ principal }) => principal === undefined)
      .map((unit) => describeUnit(reader, unit, address)),
  };
}

/** The applications beside whose units those of a subordinate one live. */
function principalsOf(reader: Reader, application: string): readonly string[] {
  const principals = relationsOf(reader, application)
    .filter(isContainerScoped)
    .flatMap((relation) => remoteEndpointOf(relation, application)?.application ?? []);
  return [...new Set(principals)].toSorted(compareText);
}

function describeUnit(reader: Reader, unit: UnitDocument, hostAddress: string): UnitStatus {
  const application = reader.get('application', unit.application);
  return {
    name: unit.name,
    workload: withOtherEnd(reader, unit, workloadStatus(unit)),
    agent: { ...agentStatus(unit), version: JUJU_VERSION },
    leader: application?.leader === unit.name,
    ...(unit.charm === undefined || unit.charm === application?.charm
      ? {}
      : { upgradingFrom: `local:${unit.charm}` }),
    ...(unit.principal === undefined ? { machine: unit.machine } : {}),
    address: addressOf(reader, unit.name, hostAddress),
    ports: unit.ports.toSorted(comparePorts).map(formatPort),
    ...(unit.life === 'alive' ? {} : { life: unit.life }),
    subordinates: subordinatesOf(reader, unit.name).map((one) =>
      describeUnit(reader, one, hostAddress),
    ),
  };
}

/** `hook failed: "db-relation-joined" for pg:server`: clients of Juju add the other end to an error. */
function withOtherEnd(reader: Reader, unit: UnitDocument, workload: StatusInfo): StatusInfo {
  const hook = unit.pending?.hook;
  const relation =
    workload.current === 'error' && hook?.kind === 'relation'
      ? reader.get('relation', String(hook.relation))
      : undefined;
  const other = relation?.endpoints.find((end) => end.application !== unit.application);
  return other === undefined
    ? workload
    : { ...workload, message: `${workload.message} for ${other.application}:${other.endpoint}` };
}

function relatedTo(
  reader: Reader,
  application: string,
): Record<string, readonly RelatedApplication[]> {
  const related: Record<string, RelatedApplication[]> = {};
  for (const relation of relationsOf(reader, application)) {
    const own = endpointOf(relation, application);
    const remote = remoteEndpointOf(relation, application);
    const isOffered = reader.get('remote', remote?.application ?? '')?.kind === 'proxy';
    if (own !== undefined && remote !== undefined && !isOffered) {
      related[own.endpoint] = [
        ...(related[own.endpoint] ?? []),
        { application: remote.application, interface: own.interface, scope: own.scope },
      ];
    }
  }
  return related;
}

function relationType(relation: RelationDocument): RelationStatus['type'] {
  if (isPeer(relation)) {
    return 'peer';
  }
  return isContainerScoped(relation) ? 'subordinate' : 'regular';
}

/** Of relations between models; Juju prints the reason in a column of its own. */
function statusMessage(reader: Reader, relation: RelationDocument): string | undefined {
  const current = isCrossModel(relation) ? relationStatus(reader, relation) : 'joined';
  const reason = relation.suspended?.reason ?? '';
  if (current === 'joined') {
    return undefined;
  }
  return reason === '' ? current : `${current}   - ${reason}`;
}

function describeRelation(reader: Reader, relation: RelationDocument): RelationStatus {
  const message = statusMessage(reader, relation);
  const [first] = relation.endpoints;
  const last = relation.endpoints.at(-1);
  const name = (end: typeof first) =>
    end === undefined ? '' : `${end.application}:${end.endpoint}`;
  return {
    id: relation.id,
    requirer: name(first),
    provider: name(last),
    interface: first?.interface ?? '',
    type: relationType(relation),
    ...(message === undefined ? {} : { message }),
  };
}
