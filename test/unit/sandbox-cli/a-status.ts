/** A status, for the tests of how it is shown. */
import type { FullStatus, UnitStatus } from '../../../lib/sandbox/api-status.ts';

const SINCE = '2024-01-02T15:04:05Z';

export function aUnit(name: string, overrides: Partial<UnitStatus> = {}): UnitStatus {
  return {
    name,
    workload: { current: 'active', since: SINCE },
    agent: { current: 'idle', since: SINCE, version: '3.6.28' },
    leader: true,
    machine: '0',
    address: '10.0.2.1',
    ports: [],
    subordinates: [],
    ...overrides,
  };
}

const BASE = { name: 'ubuntu', channel: '22.04/stable' };

/** The sample of Juju's own tests: two principals, one subordinate application. */
export const SAMPLE: FullStatus = {
  model: {
    name: 'controller',
    type: 'iaas',
    controller: 'kontroll',
    cloud: 'dummy',
    region: 'dummy-region',
    version: '1.2.3',
    status: { current: 'available', since: SINCE },
    sla: 'unsupported',
  },
  machines: [
    {
      id: '0',
      agent: { current: 'started', since: SINCE, version: '1.2.3' },
      machine: { current: 'running', since: SINCE },
      hostname: 'here',
      addresses: ['10.0.0.1'],
      instanceId: 'controller-0',
      base: { name: 'ubuntu', channel: '12.10' },
    },
  ],
  remoteApplications: [],
  offers: [],
  applications: [
    {
      name: 'wordpress',
      charm: { url: 'local:wordpress-3', name: 'wordpress', revision: 3 },
      base: BASE,
      exposed: true,
      status: { current: 'active', since: SINCE },
      relations: {
        db: [{ application: 'mysql', interface: 'mysql', scope: 'global' }],
      },
      subordinateTo: [],
      endpoints: ['db'],
      workloadVersion: '4.5.3',
      units: [
        aUnit('wordpress/0', { address: '10.0.1.1', ports: ['80/tcp', '443/tcp', '53/udp'] }),
      ],
    },
    {
      name: 'logging',
      charm: { url: 'local:logging-1', name: 'logging', revision: 1, version: 'v1-2-g3' },
      base: BASE,
      exposed: true,
      status: { current: 'error', message: 'somehow lost in all those logs', since: SINCE },
      relations: {},
      subordinateTo: ['mysql'],
      endpoints: ['info'],
      workloadVersion: 'a bit too long, really',
      units: [],
    },
    {
      name: 'mysql',
      charm: { url: 'local:mysql-1', name: 'mysql', revision: 1 },
      base: BASE,
      exposed: false,
      life: 'dying',
      status: { current: 'maintenance', message: 'installing all the things', since: SINCE },
      relations: {},
      subordinateTo: [],
      endpoints: ['server'],
      workloadVersion: '5.7.13',
      units: [
        aUnit('mysql/10', {
          agent: { current: 'allocating' },
          leader: false,
          address: '10.0.2.2',
          workload: { current: 'waiting', message: 'waiting for machine' },
        }),
        aUnit('mysql/2', {
          workload: { current: 'maintenance', message: 'installing all the things' },
          agent: { current: 'executing', message: 'running config-changed hook' },
          subordinates: [
            {
              name: 'logging/1',
              workload: { current: 'error', message: 'somehow lost in all those logs' },
              agent: { current: 'idle' },
              leader: true,
              address: '10.0.2.1',
              ports: [],
              subordinates: [],
            },
          ],
        }),
      ],
    },
  ],
  storage: [],
  relations: [
    {
      id: 2,
      provider: 'mysql:server',
      requirer: 'wordpress:db',
      interface: 'mysql',
      type: 'regular',
    },
    {
      id: 0,
      provider: 'mysql:juju-info',
      requirer: 'logging:info',
      interface: 'juju-info',
      type: 'subordinate',
    },
    {
      id: 1,
      provider: 'mysql:cluster',
      requirer: 'mysql:cluster',
      interface: 'mysql-ha',
      type: 'peer',
    },
  ],
  timestamp: SINCE,
};
