/** Canonical's client library jubilant, as integration tests of charms use it, on our `juju` command. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { type RunResult, runProcess } from '#system';
import { projectRoot } from '#tooling';
import { describeWithPython } from '../helpers/python-venv.ts';

jest.setTimeout(300_000);

const JUJU = join(projectRoot, 'lib', 'sandbox', 'bin', 'juju.mjs');
const OPERATE = join(projectRoot, 'test', 'interop', 'clients', 'operate.py');
const FERRY = join(projectRoot, 'test', 'interop', 'charms', 'ferry');

await describeWithPython('jubilant', 'jubilant', (venv) => {
  let scratch = '';
  let facts: Readonly<Record<string, unknown>> = {};

  const run = async (command: string, ...args: readonly string[]): Promise<RunResult> =>
    await runProcess(command, args, {
      env: { ...process.env, PATH: process.env['PATH'] ?? '', JUJU_DATA: join(scratch, 'juju') },
      timeoutMs: 200_000,
    });

  beforeAll(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'interop-jubilant-'));
    facts = JSON.parse((await run(venv.python, OPERATE, JUJU, FERRY)).stdout);
  });
  afterAll(async () => {
    await run(process.execPath, JUJU, 'kill-controller', '--no-prompt');
    await rm(scratch, { recursive: true, force: true });
  });

  test('bootstraps, makes a model, and reads and sets what is said of it', () => {
    expect(facts).toMatchObject({
      version: [3, 6],
      model: ['crossings', 'crossings', 'iaas', 'alive'],
      'model-config': '10m',
      'model-config-reset': '5m',
      constraints: { mem: 2048 },
    });
  });

  test('deploys, integrates, and waits until all is active', () => {
    expect(facts['deployed']).toEqual({
      version: '7.1',
      charm: ['ferry', 0],
      message: 'Ishmael steers',
      ports: ['7000/tcp'],
      leader: true,
      related: 'north',
      storage: ['hold/0', 'hold/1'],
      south: 'fare 7',
    });
    expect(facts['databag']).toEqual({ fare: '7' });
    expect(facts['not-a-charm']).toMatchObject({
      type: 'CLIError',
      text: expect.stringContaining('ERROR no charm was found at "./nowhere"'),
    });
  });

  test('reads, sets and resets configuration', () => {
    expect(facts).toMatchObject({
      config: { captain: 'Ishmael', fare: 7, night: true },
      'app-config': { trust: true },
      'config-reset': { captain: 'Queequeg', fare: 5, night: false },
      'config-unknown': {
        type: 'CLIError',
        text: expect.stringContaining('ERROR unknown option "mast"'),
      },
    });
  });

  test('runs actions and commands, and takes failures for what they are', () => {
    expect(facts['run']).toEqual({
      status: 'completed',
      results: { cargo: { kind: 'salt' }, fare: '10' },
      stdout: 'ahoy\n',
      log: ['boarding 2'],
      success: true,
    });
    expect(facts).toMatchObject({
      'run-leader': { cargo: { kind: 'mail' }, fare: '5' },
      'run-failed': { type: 'TaskError', text: expect.stringContaining('there is a hole in it') },
      'run-unknown': { type: 'ValueError', text: expect.stringContaining('"fly" not defined') },
      'run-invalid': { type: 'ValueError', text: expect.stringContaining('must be >= 1') },
      exec: 'True',
      'exec-words': 'two  words\n',
      'exec-failed': 3,
      ssh: 'over',
    });
  });

  test('adds, grants, changes, shows and removes secrets', () => {
    expect(facts['secret']).toEqual({
      revision: 2,
      content: { word: 'sesame' },
      old: { word: 'open\nsesame' },
      description: 'changed',
      owner: '<model>',
      revisions: 2,
      same: true,
      access: ['application-north', 'application-south'],
    });
    expect(facts).toMatchObject({ uri: true, secrets: ['big-gate'], 'secrets-after': [] });
  });

  test('scales up and down', () => {
    expect(facts).toMatchObject({ leaders: ['north/0'], units: ['north/0', 'north/2'] });
  });

  test('raises its own exceptions when units fail and time is over', () => {
    expect(facts).toMatchObject({
      'wait-error': 'WaitError',
      error: 'hook failed: "config-changed"',
      log: true,
      timeout: 'TimeoutError',
      'no-command': 'CLIError',
    });
  });

  test('refreshes, removes relations and applications, and destroys the model', () => {
    expect(facts).toMatchObject({ left: [0, 0], 'model-after': null });
  });
});
