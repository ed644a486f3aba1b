import { describe, expect, test } from '@jest/globals';
import type { FullStatus, UnitStatus } from '../../../lib/sandbox/api-status.ts';
import { runFake } from './fake-session.ts';

const SINCE = '2024-01-02T15:04:05.000Z';
const BASE = { name: 'ubuntu', channel: '24.04/stable' };

function unit(name: string, workload: string, machine: string): UnitStatus {
  return {
    name,
    workload: { current: workload, message: 'so', since: SINCE },
    agent: { current: 'idle', since: SINCE },
    leader: name.endsWith('/0'),
    machine,
    address: '10.0.0.5',
    ports: [],
    subordinates: [],
  };
}

const STATUS = {
  model: {
    name: 'm',
    type: 'iaas',
    controller: 'c',
    cloud: 'localhost',
    region: 'localhost',
    version: '3.6.28',
    status: { current: 'available', since: SINCE },
    sla: 'unsupported',
  },
  machines: ['0', '1'].map((id) => ({
    id,
    agent: { current: 'started', since: SINCE },
    machine: { current: 'running', since: SINCE },
    hostname: 'h',
    addresses: ['10.0.0.5'],
    instanceId: `i-${id}`,
    base: BASE,
  })),
  applications: [
    {
      name: 'db',
      charm: { url: 'local:db-3', name: 'db', revision: 3 },
      base: BASE,
      exposed: false,
      status: { current: 'blocked', message: 'so', since: SINCE },
      relations: {},
      subordinateTo: [],
      endpoints: [],
      units: [unit('db/0', 'active', '0'), unit('db/1', 'blocked', '1')],
    },
  ],
  relations: [],
  storage: { storage: [], filesystems: [], volumes: [] },
  timestamp: SINCE,
} as unknown as FullStatus;

const ask = async (kind: string, name: string, query: string) =>
  runFake(['wait-for', kind, name, '--query', query, '--timeout', '1ms'], {
    status: () => STATUS,
  });

describe('juju wait-for', () => {
  test.each([
    ['application', 'db', 'status=="blocked" && charm-url==\'local:db-3\'', true],
    ['application', 'db', 'status=="x" || exposed', false],
    ['application', 'db', 'len(units) == 2 && len(machines) >= 2', true],
    ['application', 'db', 'forEach(units, unit => unit.workload-status == "active")', false],
    ['application', 'db', 'forEach(units, u => u.life == "alive" && len(u.machines) == 1)', true],
    ['application', 'db', 'forEach(units, u => startsWith(u.name, "db/"))', true],
    ['unit', 'db/1', 'workload-message=="so" && machine-id=="1" && leader==false', true],
    ['unit', 'db/1', 'endsWith(charm-url, "-3")', true],
    ['machine', '0', 'status=="started" && instance-status=="running"', true],
    ['machine', '0', 'supported-containers', false],
    [
      'model',
      'm',
      'forEach(applications, app => app.status == "blocked" && app.subordinate == false)',
      true,
    ],
    [
      'model',
      'm',
      'forEach(units, unit => forEach(machines, machine => machine.status=="started"))',
      true,
    ],
    ['model', 'm', 'name == "m" && name < "n" && 1 < 2', true],
    ['model', 'm', '1 == "1"', false],
  ])('%s %s: %s is %s', async (kind, name, query, holds) => {
    const { code, err } = await ask(kind, name, query);
    expect({ code, err }).toMatchObject({ code: holds ? 0 : 1 });
    expect(err).toContain(
      holds ? 'is running' : `ERROR timed out waiting for "${name}" to reach goal state`,
    );
  });

  test('prints what the query looked at', async () => {
    const query = 'life=="alive" && forEach(units, unit => unit.agent-status=="idle")';
    const { code, out, err } = await ask('application', 'db', query);
    expect({ code, out, err }).toEqual({
      code: 0,
      err: 'Application "db" is running\n',
      out: `\
properties:
  life: alive
units:
  db/0:
    agent-status: idle
  db/1:
    agent-status: idle
`,
    });
  });

  test('says what it waits for', async () => {
    const { err } = await ask('application', 'db', 'exposed');
    expect(err.split('\n')[0]).toBe('application "db" found with "blocked", waiting...');
    const absent = await ask('unit', 'db/9', 'leader');
    expect(absent.err.split('\n')[0]).toBe('unit "db/9" not found, waiting...');
  });

  test.each([
    'status=',
    '(exposed',
    'len(1)',
    'nope=="x"',
    'a b',
    'status && exposed',
    'sum(units)',
  ])('%j is refused', async (query) => {
    const { code, err } = await ask('application', 'db', query);
    expect(code).toBe(1);
    expect(err).toContain('ERROR invalid query');
  });

  test.each([
    [['application'], 'application name must be supplied when waiting for an application'],
    [['machine'], 'machine id must be supplied when waiting for an machine'],
    [['unit', 'db'], '"db" is not valid unit name'],
    [['unit', 'db/0', 'db/1'], 'only one unit name can be supplied as an argument to this command'],
    [
      ['relation', 'x'],
      'unrecognized command: juju wait-for relation; there are application, machine, model, unit',
    ],
  ])('%j is wrong usage', async (args, message) => {
    const { code, err } = await runFake(['wait-for', ...args]);
    expect({ code, err }).toEqual({ code: 2, err: `ERROR ${message}\n` });
  });
});
