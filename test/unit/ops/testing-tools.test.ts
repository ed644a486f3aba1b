import { describe, expect, test } from '@jest/globals';
import { MaintenanceStatus } from '#ops';
import {
  type ContextOptions,
  network,
  peerRelation,
  relation,
  type State,
  type StateFields,
  secret,
  state,
  storage,
  subordinateRelation,
  UncaughtCharmError,
} from '#ops/testing';
import { toolsFor } from '../../helpers/memory-tools.ts';
import { PROBE_META, type ProbeCharm, probe } from '../../helpers/probe-charm.ts';

async function onStart(
  act: (charm: ProbeCharm) => void,
  fields: StateFields = {},
  options: Partial<ContextOptions> = {},
) {
  const context = probe((charm, framework) => {
    framework.observe(charm.on.start, () => act(charm));
  }, options);
  return { context, out: await context.run(context.on.start(), state(fields)) };
}

describe('storages', () => {
  test('have a name, a number of their own and a place', () => {
    const [one, other] = [storage({ name: 'data' }), storage({ name: 'data' })];
    expect(one.id).toMatch(/^data\/\d+$/);
    expect(other.id).not.toBe(one.id);
    expect(storage({ name: 'disk', index: 7, kind: 'block' })).toEqual({
      id: 'disk/7',
      location: '/dev/disk-7',
      kind: 'block',
    });
    expect(state({ storages: [one] }).getStorage(one)).toEqual(one);
    expect(() => state().getStorage('data/0')).toThrow('there is no storage data/0 in the state');
  });

  test('asked for are recorded, and not listed before they are attached', () => {
    const { run, error, world } = toolsFor({ storages: [storage({ name: 'data', index: 0 })] });
    run('storage-add', 'data=2', 'data');
    expect(world.recording.requestedStorages).toEqual({ data: 3 });
    expect(run('storage-list')).toEqual(['data/0']);
    expect(run('storage-get', '-s', 'data/0', 'location')).toBe('/srv/data/0');
    expect(error('storage-add')).toBe('2 ERROR storage add requires a storage directive');
    expect(error('storage-add', 'data=x')).toContain('only count can be specified for "data"');
    expect(error('storage-add', 'data=2')).toContain('at most 4 instances supported, 6 specified');
    expect(error('storage-add', 'nope')).toBe('1 ERROR charm storage "nope" not found');
    expect(error('storage-get')).toBe('2 ERROR no storage instance specified');
    expect(error('storage-get', '-s', 'data/9')).toContain('storage not found');
    expect(error('storage-get', '-s', 'data/0', 'size')).toContain('invalid storage attribute');
  });
});

describe('networks', () => {
  test('have one address unless told otherwise', async () => {
    const seen: unknown[] = [];
    await onStart(
      ({ unit }) => {
        seen.push(unit.networkGet('admin'), unit.networkGet('database').bindAddress);
      },
      {
        networks: {
          admin: network({
            bindAddress: '10.0.0.5',
            cidr: '10.0.0.0/24',
            interfaceName: 'ens3',
            macAddress: '00:16:3e:aa:bb:cc',
            moreBindAddresses: [{ address: '10.1.0.5', hostname: 'other' }],
            moreIngressAddresses: ['1.2.3.4'],
          }),
        },
      },
    );
    expect(seen).toEqual([
      {
        binding: 'admin',
        bindAddress: '10.0.0.5',
        bindAddresses: [
          {
            interfaceName: 'ens3',
            macAddress: '00:16:3e:aa:bb:cc',
            hostname: undefined,
            address: '10.0.0.5',
            cidr: '10.0.0.0/24',
          },
          {
            interfaceName: 'eth0',
            macAddress: undefined,
            hostname: 'other',
            address: '10.1.0.5',
            cidr: undefined,
          },
        ],
        ingressAddress: '10.0.0.5',
        ingressAddresses: ['10.0.0.5', '1.2.3.4'],
        egressSubnets: ['10.0.0.5/32'],
      },
      '192.0.2.0',
    ]);
  });

  test('are printed in parts when asked for parts', () => {
    const { run, error } = toolsFor({});
    expect(run('network-get', 'juju-info', '--bind-address')).toBe('192.0.2.0');
    expect(run('network-get', 'cache', '--egress-subnets', '--ingress-address')).toEqual({
      'ingress-address': '192.0.2.0',
      'egress-subnets': ['192.0.2.0/32'],
    });
    expect(run('unit-get', 'private-address')).toBe('192.0.2.0');
    expect(error('unit-get')).toBe('2 ERROR no setting specified');
    expect(error('unit-get', 'size')).toBe('2 ERROR unknown setting "size"');
    expect(error('network-get')).toBe('2 ERROR no arguments specified');
    expect(error('network-get', '')).toBe('2 ERROR no binding name specified');
    expect(error('network-get', 'cache', '-r', '99999')).toContain('relation not found');
  });
});

describe('ports', () => {
  test('conflict when they overlap, and are opened once', () => {
    const { run, error, world } = toolsFor({ openedPorts: ['8080-8088/tcp'] });
    run('open-port', '80');
    run('open-port', '80/TCP');
    run('open-port', '8080/udp');
    run('open-port', 'icmp');
    run('close-port', '443');
    expect(world.commit().openedPorts).toEqual(['80/tcp', '8080-8088/tcp', '8080/udp', 'icmp']);
    expect(error('open-port', '8085')).toBe(
      '1 ERROR cannot open 8085/tcp (unit "probe/0"): port range conflicts with 8080-8088/tcp (unit "probe/0")',
    );
    expect(error('open-port')).toBe('2 ERROR no port or range specified');
    expect(error('open-port', '9-8')).toContain('invalid port range');
    expect(error('open-port', '70000')).toContain('must be between 0 and 65535, got 70000-70000');
    expect(error('open-port', '80/sctp')).toContain('invalid protocol "sctp"');
  });
});

describe('ports of endpoints', () => {
  test('are listed with them, replaced when opened otherwise, and kept in the state', () => {
    const { run, world } = toolsFor({ openedPorts: ['443/tcp (cache)'] });
    run('open-port', '80', '--endpoints', 'database, cache');
    run('open-port', 'icmp', '--endpoints=*');
    expect(run('opened-ports', '--endpoints')).toEqual([
      '443/tcp (cache)',
      '80/tcp (database, cache)',
      'icmp (*)',
    ]);
    run('open-port', '443', '--endpoints', 'database');
    run('close-port', 'icmp');
    expect(run('opened-ports')).toEqual(['443/tcp', '80/tcp']);
    expect(world.commit().openedPorts).toEqual(['443/tcp (database)', '80/tcp (database, cache)']);
  });
});

describe('revoking', () => {
  test('takes back all grants of an application, or one unit’s', () => {
    const grants = { 1: ['pg', 'pg/0'], 2: ['pg'] };
    const mine = secret({ content: { password: 'x' }, owner: 'unit', grants });
    const { run, error, world } = toolsFor({ secrets: [mine] });
    run('secret-revoke', mine.id, '--app', 'pg');
    expect(world.secrets[0]?.grants).toEqual({ 1: ['pg/0'], 2: [] });
    run('secret-revoke', mine.id, '--unit', 'pg/0');
    expect(world.secrets[0]?.grants).toEqual({ 1: [], 2: [] });
    expect(error('secret-revoke', mine.id)).toContain('missing relation or application or unit');
    expect(error('secret-revoke', mine.id, '--app', 'a', '--unit', 'a/0')).toContain(
      'specify only one of application or unit',
    );
    expect(error('secret-revoke', mine.id, '--app', 'a', '-r', '1')).toContain(
      'do not specify both relation and app',
    );
  });
});

describe('goal state', () => {
  test('names this unit, its peers, as many more as are planned, and what is related', () => {
    const { run } = toolsFor({
      plannedUnits: 3,
      relations: [
        peerRelation({ endpoint: 'cluster', peers: { 4: {} } }),
        relation({ endpoint: 'database', remoteApp: 'pg' }),
      ],
    });
    const [active, joined] = ['active', 'joined'].map((status) => ({
      status,
      since: expect.stringMatching(/Z$/),
    }));
    expect(run('goal-state')).toEqual({
      units: { 'probe/0': active, 'probe/4': active, 'probe/1': active },
      relations: { database: { pg: joined, 'pg/0': joined } },
    });
  });

  test('of a unit nobody plans is dying', async () => {
    const seen: number[] = [];
    await onStart((charm) => void seen.push(charm.app.plannedUnits()), { plannedUnits: 0 });
    expect(seen).toEqual([0]);
  });

  test('tells who lives: also who was not met yet, and not who departs', async () => {
    const seen: string[][] = [];
    const cluster = peerRelation({ endpoint: 'cluster', peers: { 1: {}, 3: {} } });
    const note = (charm: ProbeCharm) => void seen.push([...charm.app.livingUnits()]);
    await onStart(note, { plannedUnits: 4, relations: [cluster] });
    expect(seen).toEqual([['probe/0', 'probe/1', 'probe/3', 'probe/2']]);
    const { run } = toolsFor(
      { plannedUnits: 2, relations: [cluster] },
      {},
      { relation: cluster, relationKind: 'departed', remoteUnit: 1 },
    );
    expect(run('goal-state')).toMatchObject({
      units: { 'probe/3': { status: 'active' }, 'probe/1': { status: 'dying' } },
    });
  });
});

describe('subordinates', () => {
  test('know the unit beside them', async () => {
    const beside = subordinateRelation({ endpoint: 'beside', remoteApp: 'app', remoteUnit: 3 });
    const seen: unknown[] = [];
    const meta = {
      ...PROBE_META,
      subordinate: true,
      requires: { beside: { interface: 'juju-info', scope: 'container' } },
    };
    await onStart(
      (charm) => {
        seen.push(charm.juju.principalUnit);
        seen.push(charm.model.getRelation('beside')?.units.map((unit) => unit.name));
      },
      { relations: [beside] },
      { meta },
    );
    expect(seen).toEqual(['app/3', ['app/3']]);
  });
});

describe('the cloud', () => {
  const cloudSpec = { type: 'openstack', name: 'blue', region: 'eu' };

  test('is told to trusted charms only', () => {
    const given = { model: { cloudSpec } };
    expect(toolsFor(given, { trusted: true }).run('credential-get')).toMatchObject(cloudSpec);
    expect(toolsFor(given).error('credential-get')).toContain('cannot access cloud credentials');
    expect(toolsFor({}, { trusted: true }).error('credential-get')).toContain('model.cloudSpec');
  });
});

describe('logs and results', () => {
  test('of unknown levels are of level INFO, and empty ones are refused', () => {
    const { run, error, world } = toolsFor({});
    run('juju-log', '--log-level', 'warning', 'a', 'b');
    run('juju-log', '--log-level', 'LOUD', 'c');
    run('juju-log', '--debug', 'd');
    expect(world.recording.jujuLog).toEqual([
      { level: 'WARNING', message: 'a b' },
      { level: 'INFO', message: 'c' },
      { level: 'DEBUG', message: 'd' },
    ]);
    expect(error('juju-log')).toBe('2 ERROR no message specified');
    expect(error('application-version-set')).toBe('2 ERROR no version specified');
  });

  test('with keys Juju refuses are refused', () => {
    const action = { name: 'greet', params: {} };
    const { error, run, world } = toolsFor({}, {}, { action });
    expect(error('action-set', 'a_b=1')).toContain('key "a_b" must start and end with lowercase');
    expect(error('action-set', 'a.stdout=1')).toContain('cannot set reserved action key "stdout"');
    expect(error('action-log')).toContain('no message specified');
    expect(error('juju-reboot')).toContain('not supported when running an action');
    run('action-set', 'a.b=1', 'a.c=2', 'd=3');
    expect(world.recording.actionResults).toEqual({ a: { b: '1', c: '2' }, d: '3' });
  });
});

describe('a context', () => {
  test('says where the unit is', async () => {
    const seen: unknown[] = [];
    const place = { machineId: '7', availabilityZone: 'zone-1', jujuVersion: '4.0.1' };
    await onStart(
      ({ juju }) => void seen.push(juju.machineId, juju.availabilityZone, juju.jujuVersion),
      {},
      place,
    );
    expect(seen).toEqual(['7', 'zone-1', '4.0.1']);
  });

  test('keeps the versions set and the reboot asked for', async () => {
    const { context, out } = await onStart(({ unit }) => {
      unit.setWorkloadVersion('1');
      unit.setWorkloadVersion('2');
    });
    expect(context.workloadVersionHistory).toEqual(['1', '2']);
    expect(out.workloadVersion).toBe('2');
    expect(context.requestedReboot).toBeUndefined();
    const { run, world } = toolsFor({});
    run('juju-reboot', '--now');
    expect(world.recording.reboot).toBe('now');
  });

  test('runs actions by the id given', async () => {
    const seen: string[] = [];
    const context = probe((charm, framework) => {
      framework.observe(charm.on.action('greet'), (event) => void seen.push(event.id));
    });
    await context.run(context.on.action('greet', {}, { id: '42' }), state());
    expect(seen).toEqual(['42']);
  });

  test('of a failed run keeps what Juju keeps: statuses, nothing that is buffered', async () => {
    const db = relation({ endpoint: 'database' });
    const given = state({ relations: [db] });
    const failure = await onFailingStart(given);
    expect(failure.state.unitStatus.message).toBe('half way');
    expect(failure.state.workloadVersion).toBe('1');
    expect(failure.state.relations).toEqual(given.relations);
    expect(failure.state.openedPorts).toEqual([]);
  });
});

async function onFailingStart(given: State): Promise<UncaughtCharmError> {
  const context = probe((charm, framework) => {
    framework.observe(charm.on.start, () => {
      charm.model.getRelation('database')?.data(charm.unit).set('a', '2');
      charm.unit.openPort(80);
      charm.unit.setWorkloadVersion('1');
      charm.unit.status = new MaintenanceStatus('half way');
      throw new Error('no');
    });
  });
  try {
    await context.run(context.on.start(), given);
  } catch (error) {
    if (error instanceof UncaughtCharmError) {
      return error;
    }
    throw error;
  }
  throw new Error('the run did not fail');
}

test('states, and all that is in them or in events, are frozen at every depth', () => {
  const db = relation({ endpoint: 'database', remoteUnits: { 0: { a: '1' } } });
  const given = state({
    relations: [db],
    secrets: [secret({ content: { key: 'x' } })],
    networks: { admin: network({ moreBindAddresses: [{ address: '1.1.1.1' }] }) },
    storages: [storage({ name: 'data' })],
    model: {
      cloudSpec: { type: 'lxd', name: 'l', credential: { authType: 'x', attributes: { a: 'b' } } },
    },
  });
  const context = probe(() => undefined);
  const thawed = (value: unknown, path: string): string[] =>
    typeof value !== 'object' || value === null
      ? []
      : [
          ...(Object.isFrozen(value) ? [] : [path]),
          ...Object.entries(value).flatMap(([key, item]) => thawed(item, `${path}.${key}`)),
        ];
  expect(thawed(given, 'state')).toEqual([]);
  expect(thawed(given.with({ leader: true }), 'copy')).toEqual([]);
  expect(thawed(context.on.relationDeparted(db, { departingUnit: 'x/0' }), 'event')).toEqual([]);
  expect(thawed(context.on.action('greet', { nested: { list: [{}] } }), 'event')).toEqual([]);
});
