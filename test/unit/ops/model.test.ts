import { describe, expect, test } from '@jest/globals';
import { ActiveStatus, BlockedStatus, MaintenanceStatus, UnknownStatus, WaitingStatus } from '#ops';
import { relation, type State, type StateFields, secret, state } from '#ops/testing';
import { type ProbeCharm, probe } from '../../helpers/probe-charm.ts';

async function onStart(act: (charm: ProbeCharm) => void | Promise<void>, fields: StateFields = {}) {
  const context = probe((charm, framework) => {
    framework.observe(charm.on.start, () => act(charm));
  });
  const out: State = await context.run(context.on.start(), state(fields));
  return { out, context, tools: context.hookToolCalls.map((call) => call.tool) };
}

describe('config', () => {
  test('is read once, with the defaults of the charm', async () => {
    const seen: unknown[] = [];
    const { tools } = await onStart(
      ({ config }) => {
        seen.push(config.integer('port'), config.string('title'), config.boolean('debug'));
        seen.push(config.get('ratio'), config.number('ratio', 0.5), config.string('title', '-'));
        seen.push(config.entries());
      },
      { config: { debug: true } },
    );
    expect(seen).toEqual([80, undefined, true, undefined, 0.5, '-', { port: 80, debug: true }]);
    expect(tools).toEqual(['config-get']);
  });

  test('an option that is not declared, or is declared otherwise, is refused', async () => {
    await onStart(({ config }) => {
      expect(() => config.get('prot')).toThrow(
        expect.objectContaining({ code: 'undeclared-name' }),
      );
      expect(() => config.string('port')).toThrow(
        expect.objectContaining({ code: 'wrong-option-type' }),
      );
    });
  });

  test('a secret option gives the secret it names', async () => {
    const user = secret({ content: { password: 'geheim' } });
    const seen: unknown[] = [];
    await onStart(
      ({ config }) => {
        seen.push(config.secret('credentials')?.getContent());
      },
      { secrets: [user], config: { credentials: user.id } },
    );
    expect(seen).toEqual([{ password: 'geheim' }]);
  });
});

describe('status', () => {
  test('the most severe collected status is set, the first among equals, in one call', async () => {
    const context = probe((charm, framework) => {
      framework.observe(charm.on.collectUnitStatus, (event) => {
        event.addStatus(new ActiveStatus());
        event.addStatus(new WaitingStatus('for a database'));
        event.addStatus(new BlockedStatus('set "title"'));
      });
      framework.observe(charm.on.collectUnitStatus, (event) => {
        event.addStatus(new BlockedStatus('second'));
        event.addStatus(new MaintenanceStatus('busy'));
      });
    });
    const out = await context.run(context.on.updateStatus(), state());
    expect(out.unitStatus).toEqual(new BlockedStatus('set "title"'));
    expect(context.hookToolCalls.map((call) => call.args)).toEqual([
      ['--application=false', 'blocked', '--', 'set "title"'],
    ]);
  });

  test('what was set in this dispatch already is not set again', async () => {
    const context = probe((charm, framework) => {
      framework.observe(charm.on.start, () => {
        charm.unit.status = new MaintenanceStatus('starting');
        charm.unit.status = new MaintenanceStatus('starting');
        charm.unit.status = new ActiveStatus('up');
      });
      framework.observe(charm.on.collectUnitStatus, (event) => {
        event.addStatus(new ActiveStatus('up'));
      });
    });
    await context.run(context.on.start(), state());
    expect(context.unitStatusHistory).toEqual([
      new MaintenanceStatus('starting'),
      new ActiveStatus('up'),
    ]);
  });

  test('nothing collected leaves the status alone', async () => {
    const context = probe((charm, framework) => {
      framework.observe(charm.on.collectUnitStatus, () => undefined);
    });
    const given = state({ unitStatus: new ActiveStatus('as before') });
    const out = await context.run(context.on.updateStatus(), given);
    expect(out.unitStatus).toEqual(new ActiveStatus('as before'));
    expect(context.hookToolCalls).toEqual([]);
  });

  test.each([true, false])(
    'application status is collected on the leader only (%s)',
    async (leader) => {
      const context = probe((charm, framework) => {
        framework.observe(charm.on.collectAppStatus, (event) => {
          event.addStatus(new ActiveStatus('3 protected'));
        });
      });
      const out = await context.run(context.on.updateStatus(), state({ leader }));
      expect(out.appStatus).toEqual(leader ? new ActiveStatus('3 protected') : new UnknownStatus());
    },
  );

  test('the status is read when asked for, and the application refuses all but the leader', async () => {
    const seen: string[] = [];
    await onStart(
      (charm) => {
        seen.push(String(charm.unit.status));
        expect(() => charm.app.status).toThrow(expect.objectContaining({ code: 'not-leader' }));
        expect(() => {
          charm.app.status = new ActiveStatus();
        }).toThrow(expect.objectContaining({ code: 'not-leader' }));
      },
      { unitStatus: new BlockedStatus('no storage') },
    );
    expect(seen).toEqual(['blocked: no storage']);
  });
});

describe('the unit and its application', () => {
  test('leadership is asked once', async () => {
    const { tools } = await onStart(({ unit }) => {
      unit.isLeader();
      unit.isLeader();
    });
    expect(tools).toEqual(['is-leader']);
  });

  test('setPorts makes the opened ports exactly those named', async () => {
    const { out, tools } = await onStart(
      ({ unit }) => {
        unit.setPorts(443, { protocol: 'udp', port: 5000, to: 5010 }, { protocol: 'icmp' });
        unit.setPorts(443, { protocol: 'udp', port: 5000, to: 5010 }, { protocol: 'icmp' });
        unit.openPort(80);
        unit.closePort({ protocol: 'icmp' });
        expect(unit.openedPorts()).toContainEqual({ protocol: 'udp', port: 5000, to: 5010 });
      },
      { openedPorts: ['8080/tcp', '443/tcp'] },
    );
    expect(out.openedPorts).toEqual(['443/tcp', '5000-5010/udp', '80/tcp']);
    expect(tools).toEqual([
      'opened-ports',
      'close-port',
      'open-port',
      'open-port',
      'open-port',
      'close-port',
    ]);
  });

  test('version, planned units, network, storages and resources', async () => {
    const seen: unknown[] = [];
    const { out } = await onStart(
      (charm) => {
        charm.unit.setWorkloadVersion('15.6');
        seen.push(charm.app.plannedUnits());
        const { bindAddress, ingressAddress } = charm.unit.networkGet('database');
        seen.push(bindAddress, ingressAddress);
        seen.push(charm.model.storages('data').map((it) => [it.id, it.location]));
        seen.push(charm.model.resourcePath('blob'), charm.model.name);
      },
      {
        plannedUnits: 3,
        model: { name: 'prod' },
        networks: {
          database: { bindAddress: '10.0.0.5', ingressAddress: '1.2.3.4', egressSubnets: [] },
        },
        storages: [{ id: 'data/2', location: '/srv', kind: 'filesystem' }],
        resources: { blob: '/r/blob.bin' },
      },
    );
    expect(out.workloadVersion).toBe('15.6');
    expect(seen).toEqual([3, '10.0.0.5', '1.2.3.4', [['data/2', '/srv']], '/r/blob.bin', 'prod']);
  });

  test('the status of another unit is unknown, and nothing of it can be set', async () => {
    const db = relation({ endpoint: 'database' });
    await onStart(
      (charm) => {
        const [remote] = charm.model.getRelation('database')?.units ?? [];
        expect(remote?.status).toEqual(new UnknownStatus());
        expect(() => remote?.openPort(1)).toThrow(
          expect.objectContaining({ code: 'not-own-unit' }),
        );
      },
      { relations: [db] },
    );
  });
});
