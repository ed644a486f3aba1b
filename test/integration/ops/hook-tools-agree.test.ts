/** Each wrapper once in a real hook of the sandbox, and over the tools in memory: they must agree. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { build } from 'esbuild';
import { loadCharmMeta } from '#ops';
import { network, relation, type State, state, type TestEvent, TestEvents } from '#ops/testing';
import { createMemoryRunner } from '../../../lib/ops/testing/memory-runner.ts';
import { World } from '../../../lib/ops/testing/world.ts';
import {
  type Answers,
  exerciseAction,
  exerciseHook,
} from '../../fixtures/ops/exercise/exercise.ts';
import { SandboxDaemon } from '../../helpers/sandbox-daemon.ts';

const WITNESS = resolve('test/fixtures/charms/witness');
const on = new TestEvents();

let scratch = '';
let sandbox: SandboxDaemon;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'ops-agree-'));
  await build({
    entryPoints: ['test/fixtures/ops/exercise/main.ts'],
    outfile: join(scratch, 'exercise.cjs'),
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    external: ['ajv', 'ajv/*', 'yaml'],
  });
  sandbox = await SandboxDaemon.start();
  const run = (file: string) =>
    `'${process.execPath}' '${scratch}/exercise.cjs' '${scratch}/${file}'`;
  await sandbox.deploy('mine', {
    scripts: {
      // Changes of the application's data come in an event of their own.
      'serves-relation-changed': `if [ -n "$JUJU_REMOTE_UNIT" ] && [ ! -e '${scratch}/hook' ]; then ${run('hook')}; fi`,
      act: run('action'),
    },
  });
  await sandbox.deploy('theirs', {
    scripts: {
      'wants-relation-created': 'relation-set colour=blue\nrelation-set --app shape=round',
    },
  });
  await sandbox.settle();
  await sandbox.call('integrate', { endpoints: ['mine:serves', 'theirs:wants'] });
  await sandbox.settle();
  await sandbox.run('mine/0', 'act', { count: 3 });
}, 120_000);

afterAll(async () => {
  await sandbox.destroy();
  await rm(scratch, { recursive: true, force: true });
});

async function answersOf(file: string): Promise<Answers> {
  return JSON.parse(await readFile(join(scratch, file), 'utf8')) as Answers;
}

async function inMemory(given: State, event: TestEvent) {
  const meta = await loadCharmMeta(WITNESS);
  return createMemoryRunner(new World(given, event, { meta, appName: 'mine', unitNumber: 0 }));
}

function unitData(address: string) {
  return {
    'egress-subnets': `${address}/32`,
    'ingress-address': address,
    'private-address': address,
  };
}

test('in a hook', async () => {
  const real = await answersOf('hook');
  const mine = (await sandbox.unit('mine/0'))?.address ?? '';
  const theirs = (await sandbox.unit('theirs/0'))?.address ?? '';
  const address = network({ bindAddress: mine, cidr: `${mine}/32`, interfaceName: '' });
  const serves = relation({
    endpoint: 'serves',
    id: 2,
    remoteApp: 'theirs',
    remoteAppData: { shape: 'round' },
    localUnitData: unitData(mine),
    remoteUnits: { 0: { ...unitData(theirs), colour: 'blue' } },
  });
  const given = state({
    leader: true,
    relations: [serves],
    networks: { serves: address, 'juju-info': address },
  });
  const memory = exerciseHook(await inMemory(given, on.relationChanged(serves)), {
    relation: serves,
    remoteUnit: 'theirs/0',
    unit: 'mine/0',
  });
  const { credentialGet, resourceGet, ...answers } = real;
  const expected = JSON.parse(JSON.stringify(memory)) as Answers;
  expect({ ...answers, credentialGet: 0, resourceGet: 0 }).toEqual({
    ...expected,
    credentialGet: 0,
    resourceGet: 0,
  });
  // Refused to applications without trust, as in Juju.
  expect(credentialGet).toMatchObject({
    code: 'cloud-access-denied',
    stderr: expect.stringContaining('cannot access cloud credentials: permission denied'),
  });
  for (const answer of [resourceGet, expected['resourceGet']]) {
    expect(answer).toMatchObject({
      code: 'hook-tool-failed',
      exitCode: 1,
      stderr: expect.stringMatching(/^ERROR could not download resource: /),
    });
  }
});

test('in an action', async () => {
  const memory = exerciseAction(
    await inMemory(state(), on.action('act', { count: 3, opts: { level: 2 } })),
  );
  expect(await answersOf('action')).toEqual(JSON.parse(JSON.stringify(memory)));
});
