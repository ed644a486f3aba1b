import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Calls } from '../../../lib/sandbox/api.ts';
import type { FullStatus } from '../../../lib/sandbox/api-status.ts';
import { runFake } from './fake-session.ts';

const EMPTY = { applications: [], machines: [], relations: [] } as unknown as FullStatus;

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'bundle-'));
  mkdirSync(join(folder, 'charm'));
  writeFileSync(join(folder, 'charm', 'metadata.yaml'), 'name: tiny\nsummary: s\ndescription: d\n');
  writeFileSync(join(folder, 'big.txt'), 'all of it');
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

interface Model {
  readonly status?: FullStatus;
  readonly sequences?: Calls['sequences']['result'];
  readonly settings?: Calls['get-config']['result']['settings'];
}

/** What `juju deploy ./bundle.yaml` does on a model. */
async function deploy(bundle: string, args: readonly string[] = [], model: Model = {}) {
  writeFileSync(join(folder, 'bundle.yaml'), bundle);
  const machines = new Map<string, string>();
  return await runFake(
    ['deploy', './bundle.yaml', ...args],
    {
      status: () => model.status ?? EMPTY,
      sequences: () => model.sequences ?? { machine: 0, units: {} },
      'get-config': ({ application }) => ({
        application,
        charm: 'tiny',
        trust: false,
        settings: model.settings ?? {},
      }),
      constraints: () => ({}),
      deploy: ({ application = '' }) => ({
        application,
        charm: 'tiny',
        revision: 0,
        base: 'ubuntu@22.04/stable',
        units: [],
      }),
      // Others were at it too: numbers are not those foreseen.
      'add-machine': () => ({ machines: [String(machines.size + 70)] }),
      'add-unit': ({ application, to = [] }) => {
        const unit = `${application}/${machines.size}`;
        machines.set(unit, to[0] ?? String(machines.size + 70));
        return { units: [unit] };
      },
      'show-unit': ({ unit }) =>
        ({ machine: machines.get(unit) }) as unknown as Calls['show-unit']['result'],
      integrate: () => ({ id: 1, key: '' }),
      expose: () => ({}),
      'set-config': () => ({}),
    },
    { cwd: folder },
  );
}

function changesIn(out: string): readonly string[] {
  return out
    .split('\n')
    .filter((line) => line.startsWith('- '))
    .map((line) =>
      line
        .slice(2)
        .replace(/ with architecture=\w+$/, '')
        .replaceAll(`${folder}/`, ''),
    );
}

describe('a bundle on an empty model', () => {
  const TWO = `
default-base: ubuntu@20.04
applications:
  wordpress: {charm: ./charm, num_units: 1}
  mysql: {charm: ./charm, num_units: 2, base: ubuntu@22.04}
relations:
- [wordpress:db, mysql:server]
`;

  test('is told in the order of Juju, and nothing is done in a dry run', async () => {
    const { code, out, err, calls } = await deploy(TWO, ['--dry-run']);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out.split('\n')[0]).toBe('Changes to deploy bundle:');
    expect(changesIn(out)).toEqual([
      'upload charm charm for base ubuntu@22.04/stable',
      'deploy application mysql on ubuntu@22.04/stable',
      'upload charm charm for base ubuntu@20.04/stable',
      'deploy application wordpress on ubuntu@20.04/stable',
      'add relation wordpress:db - mysql:server',
      'add unit mysql/0 to new machine 0',
      'add unit mysql/1 to new machine 1',
      'add unit wordpress/0 to new machine 2',
    ]);
    expect(calls.map(({ name }) => name)).toEqual(['status', 'sequences']);
  });

  test('is deployed by the same changes', async () => {
    const { code, out, err, calls } = await deploy(TWO);
    expect({ code, err }).toEqual({ code: 0, err: 'Deploy of bundle completed.\n' });
    expect(out.split('\n')[0]).toBe('Executing changes:');
    expect(calls).toContainEqual({
      name: 'deploy',
      params: {
        path: join(folder, 'charm'),
        application: 'mysql',
        base: 'ubuntu@22.04',
        units: 0,
        config: {},
        storage: {},
        resources: {},
      },
    });
    expect(calls.map(({ name }) => name).filter((name) => name !== 'show-unit')).toEqual([
      'status',
      'sequences',
      'deploy',
      'deploy',
      'integrate',
      'add-unit',
      'add-unit',
      'add-unit',
    ]);
  });

  test('units come where they are told, whatever numbers the machines get', async () => {
    const { out, calls } = await deploy(`
applications:
  a: {charm: ./charm, num_units: 3, to: ["4", new]}
  b: {charm: ./charm, num_units: 4, to: [a/1, a]}
  c: {charm: ./charm, num_units: 2, to: [b]}
machines: {"4": {}}
`);
    expect(changesIn(out).slice(4)).toEqual([
      'add new machine 0 (bundle machine 4)',
      'add unit a/0 to new machine 0',
      'add new machine 1',
      'add new machine 2',
      'add unit a/1 to new machine 1',
      'add unit a/2 to new machine 2',
      'add unit b/0 to new machine 1 to satisfy [a/1]',
      'add unit b/1 to new machine 0 to satisfy [a]',
      'add unit b/2 to new machine 1 to satisfy [a]',
      'add unit b/3 to new machine 2 to satisfy [a]',
      'add unit c/0 to new machine 1 to satisfy [b]',
      'add unit c/1 to new machine 0 to satisfy [b]',
    ]);
    const places = calls.filter(({ name }) => name === 'add-unit').map(({ params }) => params);
    expect(places[0]).toEqual({ application: 'a', to: ['70'] });
  });

  test('overlays change, add and take away; files are read from beside the file that names them', async () => {
    writeFileSync(
      join(folder, 'small.yaml'),
      `
applications:
  mysql: {num_units: 1, options: {text: "include-file://big.txt"}}
  wordpress:
  extra: {charm: ./charm}
`,
    );
    const bundle = TWO.replace('num_units: 2', 'num_units: 2, options: {port: 3306, text: no}');
    const { code, out, calls } = await deploy(bundle, ['--overlay', './small.yaml']);
    expect(code).toBe(0);
    expect(changesIn(out).filter((line) => !line.startsWith('upload'))).toEqual([
      'deploy application extra on ubuntu@20.04/stable',
      'deploy application mysql on ubuntu@22.04/stable',
      'add unit mysql/0 to new machine 0',
    ]);
    expect(
      calls.find(
        ({ params }) =>
          'application' in (params as object) &&
          (params as { application: string }).application === 'mysql',
      )?.params,
    ).toMatchObject({
      config: { port: 3306, text: 'all of it' },
    });
  });

  test('that wants trust wants it said', async () => {
    const bundle = 'applications: {a: {charm: ./charm, trust: true}}';
    expect(await deploy(bundle)).toMatchObject({
      code: 1,
      err: expect.stringContaining('consent to trust the following application(s):\n  - a\n'),
    });
    const { calls } = await deploy(bundle, ['--trust']);
    expect(calls.find(({ name }) => name === 'deploy')?.params).toMatchObject({ trust: true });
  });
});

const unit = (name: string, machine: string) => ({ name, machine });

describe('a bundle on a model that has some of it', () => {
  const status = {
    ...EMPTY,
    applications: [
      { name: 'a', exposed: false, units: [unit('a/2', '3'), unit('a/3', '5')] },
      { name: 'b', exposed: true, units: [] },
    ],
    machines: [{ id: '3' }, { id: '5' }],
    relations: [{ provider: 'a:serves', requirer: 'b:wants' }],
  } as unknown as FullStatus;
  const sequences = { machine: 6, units: { a: 4 } };

  test('adds what is missing and takes nothing away', async () => {
    const { out } = await deploy(
      `
applications:
  a: {charm: ./charm, num_units: 3, to: ["0", "1"], options: {port: 1, host: x}, constraints: mem=1G}
  b: {charm: ./charm, num_units: 2, to: [a, a], expose: true}
machines: {"0": {}, "1": {}}
relations: [[b:wants, a:serves], [a:mates, b]]
`,
      [],
      {
        status,
        sequences,
        settings: { port: { type: 'int', value: 1, source: 'user' } },
      },
    );
    expect(changesIn(out)).toEqual([
      'set application options for a',
      'set constraints for a to "mem=1024M"',
      'add relation a:mates - b',
      'add unit a/4 to new machine 6',
      'add unit b/0 to existing machine 3 to satisfy [a]',
      'add unit b/1 to existing machine 5 to satisfy [a]',
    ]);
  });

  test('machines are those told', async () => {
    const bundle = `
applications: {c: {charm: ./charm, num_units: 1, to: ["0"]}}
machines: {"0": {}}
`;
    const told = await deploy(bundle, ['--map-machines', 'existing,0=5'], { status, sequences });
    expect(changesIn(told.out).at(-1)).toBe('add unit c/0 to existing machine 5');
    const wrong = await deploy(bundle, ['--map-machines', '0=9'], { status, sequences });
    expect(wrong).toMatchObject({
      code: 1,
      err: 'ERROR error in --map-machines: machine "9" not found\n',
    });
  });

  test('all there is no change', async () => {
    const bundle = 'applications: {b: {charm: ./charm}}';
    const { out, err } = await deploy(bundle, [], { status, sequences });
    expect({ out, err }).toEqual({ out: '', err: 'No changes to apply.\n' });
  });
});

function matches(line: string, message: string | RegExp): boolean {
  return typeof message === 'string' ? line === message : message.test(line);
}

describe('mistakes in a bundle', () => {
  const APP = '{charm: ./charm, num_units: 1';
  test.each([
    ['{}', 'at least one application must be specified'],
    ['applications: {a: }', 'bundle application for key "a" is undefined'],
    [
      'applications: {a: {charm: mysql}}',
      'charm "mysql" of application "a": the sandbox deploys local charms only, by their path',
    ],
    [
      'applications: {a: {charm: ./none}}',
      /charm path in application "a" does not exist: \/.*\/none/,
    ],
    [
      `applications: {a: ${APP}, to: [a/0, b]}}`,
      'too many units specified in unit placement for application "a"',
    ],
    [
      `applications: {a: ${APP}, to: [b]}}`,
      'placement "b" refers to an application not defined in this bundle',
    ],
    [
      `applications: {a: ${APP}, to: ["1"]}}`,
      'placement "1" refers to a machine not defined in this bundle',
    ],
    [`applications: {a: ${APP}, to: ["x y"]}}`, 'invalid placement syntax "x y"'],
    [
      `applications: {a: ${APP}, to: ["lxd:0"]}}`,
      'placement "lxd:0": the sandbox has no containers, only machines',
    ],
    [
      `applications: {a: ${APP}, to: [b/1]}, b: ${APP}}}`,
      'placement "b/1" specifies a unit greater than the 1 unit(s) started by the target application',
    ],
    [
      `applications: {a: ${APP}, to: [b]}, b: ${APP}, to: [a]}}`,
      'cycle in placement directives for: a, b',
    ],
    [
      `applications: {a: ${APP}}}\nmachines: {"7": {}}`,
      'machine "7" is not referred to by a placement directive',
    ],
    [`applications: {a: ${APP}}}\nmachines: {x: {}}`, 'invalid machine id "x" found in machines'],
    [`applications: {a: ${APP}}}\nrelations: [[a]]`, 'relation ["a"] has 1 endpoint(s), not 2'],
    [
      `applications: {a: ${APP}}}\nrelations: [[a, "b:x"]]`,
      'relation ["a" "b:x"] refers to application "b" not defined in this bundle',
    ],
    [
      `applications: {a: ${APP}}}\nrelations: [["a:x", "a:y"]]`,
      'relation ["a:x" "a:y"] relates an application to itself',
    ],
    [
      'applications: {a: {charm: ./charm, num_units: -1}}',
      'negative number of units specified on application "a"',
    ],
    [
      'applications: {a: {charm: ./charm, constraints: bad=wolf}}',
      'invalid constraints "bad=wolf" in application "a": unknown constraint "bad"',
    ],
    [
      'applications: {a: {charm: ./charm, storage: {data: "?"}}}',
      /^invalid storage "data" in application "a": /,
    ],
    [
      'applications: {a: {charm: ./charm, resources: {r: 3}}}',
      /^resource "r" of application "a": the sandbox has no store/,
    ],
    [
      'applications: {a: {charm: ./charm, base: jammy}}',
      'application "a" declares an invalid base "jammy"',
    ],
    [
      'applications: {a: {charm: ./charm, offers: {o: {}}}}',
      /^offers of application "a": bundles of the sandbox are about one model/,
    ],
    [
      'bundle: kubernetes\napplications: {a: {charm: ./charm}}',
      'bundle of the bundle: the sandbox has machines, no Kubernetes',
    ],
    [
      'saas: {x: {url: y}}\napplications: {a: {charm: ./charm}}',
      /^saas of the bundle: bundles of the sandbox are about one model/,
    ],
  ])('%s', async (bundle, message) => {
    const { code, out, err, calls } = await deploy(bundle);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(calls.filter(({ name }) => !['status', 'sequences'].includes(name))).toEqual([]);
    const said = err
      .replace('ERROR cannot deploy bundle: ', '')
      .replace('the provided bundle has the following errors:\n', '')
      .split('\n');
    expect(said.filter((line) => matches(line, message))).toHaveLength(1);
  });

  test('what changes nothing is told, and what is not known', async () => {
    const { err } = await deploy(
      'applications: {a: {charm: ./charm, annotations: {x: y}, num-units: 3, bindings: {"": alpha}}}',
      ['--dry-run'],
    );
    expect(err).toBe(
      'WARNING annotations of application "a": no effect in the sandbox\nWARNING unknown key "num-units" of application "a" is ignored\n',
    );
  });

  test('flags of charms are refused with a bundle, those of bundles with a charm', async () => {
    const bundle = 'applications: {a: {charm: ./charm}}';
    expect((await deploy(bundle, ['-n', '2', '--config', 'a=b'])).err).toBe(
      'ERROR options provided but not supported when deploying a bundle: --config, --num-units\n',
    );
    const charm = await runFake(['deploy', './charm', '--dry-run'], {}, { cwd: folder });
    expect(charm.err).toBe(
      'ERROR options provided but not supported when deploying a charm: --dry-run\n',
    );
  });
});
