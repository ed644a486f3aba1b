import { describe, expect, test } from '@jest/globals';
import { filterStatus } from '../../../lib/sandbox/cli/status/filter.ts';
import { formatOneline } from '../../../lib/sandbox/cli/status/oneline.ts';
import { groupPorts } from '../../../lib/sandbox/cli/status/ports.ts';
import { structuredStatus } from '../../../lib/sandbox/cli/status/structured.ts';
import { formatTabular } from '../../../lib/sandbox/cli/status/tabular.ts';
import { toYaml } from '../../../lib/sandbox/go-output/yaml.ts';
import { aUnit, SAMPLE } from './a-status.ts';
import { runFake } from './fake-session.ts';

const TABULAR = `\
Model       Controller  Cloud/Region        Version  SLA          Timestamp
controller  kontroll    dummy/dummy-region  1.2.3    unsupported  15:04:05Z

App        Version          Status       Scale  Charm      Channel  Rev  Exposed  Message
logging    a bit too lo...  error            1  logging               1  yes      somehow lost in all those logs
mysql      5.7.13           maintenance    1/2  mysql                 1  no       installing all the things
wordpress  4.5.3            active           1  wordpress             3  yes      

Unit          Workload     Agent       Machine  Public address  Ports              Message
mysql/2*      maintenance  executing   0        10.0.2.1                           (config-changed) installing all the things
  logging/1*  error        idle                 10.0.2.1                           somehow lost in all those logs
mysql/10      waiting      allocating  0        10.0.2.2                           waiting for machine
wordpress/0*  active       idle        0        10.0.1.1        80,443/tcp 53/udp  

Machine  State    Address   Inst id       Base          AZ  Message
0        started  10.0.0.1  controller-0  ubuntu@12.10      

Integration provider  Requirer       Interface  Type         Message
mysql:cluster         mysql:cluster  mysql-ha   peer         
mysql:juju-info       logging:info   juju-info  subordinate  
mysql:server          wordpress:db   mysql      regular      
`;

const YAML = `\
model:
  name: controller
  type: iaas
  controller: kontroll
  cloud: dummy
  region: dummy-region
  version: 1.2.3
  model-status:
    current: available
    since: 2024-01-02 15:04:05Z
  sla: unsupported
machines:
  "0":
    juju-status:
      current: started
      since: 2024-01-02 15:04:05Z
      version: 1.2.3
    hostname: here
    dns-name: 10.0.0.1
    ip-addresses:
    - 10.0.0.1
    instance-id: controller-0
    machine-status:
      current: running
      since: 2024-01-02 15:04:05Z
    modification-status:
      current: idle
      since: 2024-01-02 15:04:05Z
    base:
      name: ubuntu
      channel: "12.10"
applications:
  wordpress:
    charm: local:wordpress-3
    base:
      name: ubuntu
      channel: "22.04"
    charm-origin: local
    charm-name: wordpress
    charm-rev: 3
    exposed: true
    application-status:
      current: active
      since: 2024-01-02 15:04:05Z
    relations:
      db:
      - related-application: mysql
        interface: mysql
        scope: global
    units:
      wordpress/0:
        workload-status:
          current: active
          since: 2024-01-02 15:04:05Z
        juju-status:
          current: idle
          since: 2024-01-02 15:04:05Z
          version: 3.6.28
        leader: true
        machine: "0"
        open-ports:
        - 80/tcp
        - 443/tcp
        - 53/udp
        public-address: 10.0.1.1
    version: 4.5.3
    endpoint-bindings:
      "": alpha
      db: alpha
storage: {}
controller:
  timestamp: 15:04:05Z
`;

function running(message: string): string {
  return formatTabular(
    {
      ...SAMPLE,
      applications: SAMPLE.applications.slice(0, 1).map((application) => ({
        ...application,
        units: [aUnit('a/0', { agent: { current: 'executing', message } })],
      })),
    },
    { relations: false, storage: false, utc: true },
  );
}

function names(...patterns: string[]): unknown[] {
  return filterStatus(SAMPLE, patterns).applications.map(({ name, units }) => [
    name,
    units.map((unit) => unit.name),
  ]);
}

describe('the tables of juju status', () => {
  test('are those of Juju, to the space', () => {
    expect(formatTabular(SAMPLE, { relations: true, storage: true, utc: true })).toBe(TABULAR);
  });

  test('leave the relations out unless asked for', () => {
    expect(formatTabular(SAMPLE, { relations: false, storage: false, utc: true })).not.toContain(
      'Integration',
    );
  });

  test('cut a message at 120 letters', () => {
    const long = aUnit('a/0', { workload: { current: 'blocked', message: 'x'.repeat(121) } });
    const [application] = SAMPLE.applications;
    const status = {
      ...SAMPLE,
      applications: application === undefined ? [] : [{ ...application, units: [long] }],
    };
    expect(formatTabular(status, { relations: false, storage: false, utc: true })).toContain(
      ` ${'x'.repeat(117)}...\n`,
    );
  });

  test('show a running action but no relation hook before the message', () => {
    expect(running('running action backup')).toContain('(backup) ');
    expect(running('running db-relation-joined hook for pg/0')).not.toContain('(');
  });
});

describe('the document of juju status', () => {
  test('has the keys of Juju, omits what is empty and quotes what must be quoted', () => {
    const one = filterStatus(SAMPLE, ['wordpress']);
    expect(toYaml(structuredStatus(one, { utc: true }))).toBe(YAML);
  });

  test('has empty maps for applications and machines when there are none', () => {
    const empty = { ...SAMPLE, applications: [], machines: [], relations: [] };
    expect(structuredStatus(empty, { utc: true })).toMatchObject({
      machines: {},
      applications: {},
    });
  });

  test('nests subordinates and shows life only while something goes away', () => {
    expect(structuredStatus(SAMPLE, { utc: true })).toMatchObject({
      applications: {
        mysql: {
          life: 'dying',
          units: { 'mysql/2': { subordinates: { 'logging/1': { leader: true } } } },
        },
        logging: { 'subordinate-to': ['mysql'], 'charm-version': 'v1-2-g3' },
      },
    });
  });
});

describe('one line a unit', () => {
  test('indents subordinates', () => {
    expect(formatOneline(SAMPLE)).toBe(`
- mysql/2: 10.0.2.1 (agent:executing, workload:maintenance)
  - logging/1: 10.0.2.1 (agent:idle, workload:error)
- mysql/10: 10.0.2.2 (agent:allocating, workload:waiting)
- wordpress/0: 10.0.1.1 (agent:idle, workload:active) 80,443/tcp 53/udp
`);
  });
});

describe('selectors', () => {
  test.each([
    [['mysql'], [['mysql', ['mysql/10', 'mysql/2']]]],
    [['mysql/2'], [['mysql', ['mysql/2']]]],
    [['word*'], [['wordpress', ['wordpress/0']]]],
    [['waiting'], [['mysql', ['mysql/10']]]],
    [
      ['active', 'mysql/10'],
      [
        ['wordpress', ['wordpress/0']],
        ['mysql', ['mysql/10']],
      ],
    ],
    [['nothing'], []],
  ])('%j keep %j', (patterns, expected) => {
    expect(names(...patterns)).toEqual(expected);
  });

  test('keep only relations of what is kept', () => {
    expect(filterStatus(SAMPLE, ['wordpress']).relations).toHaveLength(1);
  });
});

describe('ports', () => {
  test('are grouped by protocol in order of their numbers', () => {
    expect(groupPorts(['8080-8088/udp', '443/tcp', '80/tcp', 'icmp'])).toBe(
      '80,443/tcp 8080-8088/udp icmp',
    );
  });
});

describe('juju status', () => {
  test('says on standard error that the model is empty', async () => {
    const empty = { ...SAMPLE, applications: [], machines: [], relations: [] };
    const { code, out, err } = await runFake(['status', '--utc'], { status: () => empty });
    expect({ code, err }).toEqual({ code: 0, err: '\nModel "controller" is empty.\n' });
    expect(out.split('\n')).toHaveLength(3);
  });

  test('says so when nothing matches', async () => {
    const { code, out, err } = await runFake(['status', 'nope'], { status: () => SAMPLE });
    expect({ code, out, err }).toEqual({
      code: 0,
      out: '',
      err: 'Nothing matched specified filter.\n',
    });
  });

  test('prints JSON on one line', async () => {
    const { out } = await runFake(['status', '--format', 'json'], { status: () => SAMPLE });
    expect(out.indexOf('\n')).toBe(out.length - 1);
    expect(JSON.parse(out)).toMatchObject({ applications: { mysql: { 'charm-name': 'mysql' } } });
  });

  test('refuses an unknown format as bad usage', async () => {
    const { code, err } = await runFake(['status', '--format=xml']);
    expect({ code, err }).toEqual({
      code: 2,
      err: 'ERROR invalid value "xml" for option --format: unknown format "xml"\n',
    });
  });
});
