/** `juju sandbox …`: what a test of a charm may do to its units. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { runProcess, systemClock } from '#system';
import { projectRoot } from '#tooling';
import { SandboxDaemon } from '../../helpers/sandbox-daemon.ts';

const JUJU = join(projectRoot, 'lib', 'sandbox', 'bin', 'juju.mjs');

describe('faults on request', () => {
  let sandbox: SandboxDaemon;
  beforeEach(async () => {
    sandbox = await SandboxDaemon.start();
  });
  afterEach(async () => {
    await sandbox.destroy();
  });

  async function juju(...args: readonly string[]) {
    const env = { ...process.env, JUJU_DATA: sandbox.root } as Record<string, string>;
    return runProcess(process.execPath, [JUJU, ...args], { env, acceptExitCodes: [0, 1, 2] });
  }

  async function untilEvent(unit: string, event: string, times = 1): Promise<void> {
    await sandbox.waitFor(`${event} at ${unit}`, async () => {
      const seen = (await sandbox.events(unit)).filter((one) => one === event);
      return seen.length === times;
    });
  }

  test('a stopped agent is lost, runs nothing, and goes on where it was when started', async () => {
    await sandbox.deploy('a', { scripts: { 'config-changed': '[ ! -f slow ] || sleep 100' } });
    await sandbox.settle();
    await sandbox.exec('a/0', 'touch slow');
    await sandbox.call('set-config', { application: 'a', values: { number: 1 } });
    await untilEvent('a/0', 'config-changed', 2);

    await sandbox.call('fault', { fault: 'stop-agent', unit: 'a/0' });
    expect(await sandbox.unit('a/0')).toMatchObject({
      agent: { current: 'lost', message: 'agent is not communicating with the server' },
      workload: { current: 'unknown', message: "agent lost, see 'juju show-status-log a/0'" },
    });
    await expect(sandbox.call('fault', { fault: 'stop-agent', unit: 'a/0' })).rejects.toThrow(
      'is stopped already',
    );
    const inDisguise = { fault: 'fire', unit: 'a/0', event: 'update-status' } as const;
    await expect(sandbox.call('fault', inDisguise)).rejects.toThrow('start-agent a/0');
    await sandbox.killDaemon();
    await sandbox.restartDaemon();
    expect((await sandbox.unit('a/0'))?.agent.current).toBe('lost');
    await sandbox.setScript('a/0', 'config-changed', 'true');

    await sandbox.call('fault', { fault: 'start-agent', unit: 'a/0' });
    await sandbox.settle();
    await untilEvent('a/0', 'config-changed', 3);
    await expect(sandbox.call('fault', { fault: 'start-agent', unit: 'a/0' })).rejects.toThrow(
      'is not stopped',
    );
  }, 60_000);

  test('a frozen hook stands still until it is thawed', async () => {
    await sandbox.deploy('a', {
      scripts: { act: 'touch began; while [ ! -f end ]; do sleep 0.02; touch alive; done' },
    });
    await sandbox.settle();
    await expect(sandbox.call('fault', { fault: 'freeze', unit: 'a/0' })).rejects.toThrow(
      'unit "a/0" runs no hook, action or command now',
    );
    const { tasks } = await sandbox.call('run', { targets: ['a/0'], action: 'act', params: {} });
    const file = (name: string) => join(sandbox.charmDirectory('a/0'), name);
    await sandbox.waitFor('the action to run', async () => existsSync(file('alive')));

    await sandbox.call('fault', { fault: 'freeze', unit: 'a/0' });
    await runProcess('rm', [file('alive')]);
    await runProcess('touch', [file('end')]);
    await systemClock.sleep(200);
    const id = tasks[0]?.id ?? '';
    expect((await sandbox.call('task', { id })).status).toBe('running');
    expect(existsSync(file('alive'))).toBe(false);

    await sandbox.call('fault', { fault: 'thaw', unit: 'a/0' });
    expect((await sandbox.call('task', { id, waitMs: 20_000 })).status).toBe('completed');
  }, 60_000);

  test('a dropped commit fails the hook once, and nothing of it stays', async () => {
    await sandbox.deploy('a', {
      scripts: { 'config-changed': 'state-set number="$(config-get number)"' },
    });
    await sandbox.settle();
    await sandbox.call('model-config', { values: { 'automatically-retry-hooks': 'false' } });
    await sandbox.call('fault', { fault: 'drop-commit', unit: 'a/0' });
    await sandbox.call('set-config', { application: 'a', values: { number: 7 } });
    await sandbox.waitFor(
      'the hook to fail',
      async () => (await sandbox.unit('a/0'))?.workload.current === 'error',
    );
    const messages = (await sandbox.log()).map(({ message }) => message);
    expect(messages).toContainEqual(expect.stringContaining('the commit was dropped by'));
    expect((await sandbox.exec('a/0', 'state-get number')).stdout.trim()).toBe('');

    await sandbox.call('resolved', { units: ['a/0'] });
    await sandbox.waitFor(
      'the hook to succeed',
      async () => (await sandbox.exec('a/0', 'state-get number')).stdout.trim() === '7',
    );
  }, 60_000);

  test('leadership goes where it is sent', async () => {
    await sandbox.deploy('a', { units: 2 });
    await sandbox.settle();
    await sandbox.call('fault', { fault: 'force-leader', unit: 'a/1' });
    await untilEvent('a/1', 'leader-elected');
    expect((await sandbox.exec('a/0', 'is-leader')).stdout.trim()).toBe('False');
    await expect(sandbox.call('fault', { fault: 'force-leader', unit: 'a/1' })).rejects.toThrow(
      'is the leader already',
    );
  }, 60_000);

  test('a moved clock brings update-status and retries, and stays moved', async () => {
    await sandbox.deploy('a', { scripts: { 'update-status': '[ -f fixed ]' } });
    await sandbox.settle();
    await sandbox.call('fault', { fault: 'advance', ms: 10 * 60_000 });
    await untilEvent('a/0', 'update-status');
    await sandbox.waitFor(
      'the hook to fail',
      async () => (await sandbox.unit('a/0'))?.workload.current === 'error',
    );
    await sandbox.exec('a/0', 'touch fixed');
    await sandbox.call('fault', { fault: 'advance', ms: 10 * 60_000 });
    await untilEvent('a/0', 'update-status', 2);
    await sandbox.settle();
    await sandbox.killDaemon();
    await sandbox.restartDaemon();
    const ahead = Date.parse((await sandbox.status()).timestamp) - Date.now();
    expect(ahead).toBeGreaterThan(15 * 60_000);
    await expect(sandbox.call('fault', { fault: 'advance', ms: -1 })).rejects.toThrow(
      'the clock goes forward only',
    );
  }, 60_000);

  test('a hook fired by hand has its environment, and changes nothing the unit knows', async () => {
    await sandbox.deploy('a');
    await sandbox.deploy('b');
    await sandbox.call('integrate', { endpoints: ['a:serves', 'b:wants'] });
    await sandbox.settle();
    await untilEvent('a/0', 'serves-relation-changed unit=b/0 app=b');
    const fire = { fault: 'fire', unit: 'a/0' } as const;
    await sandbox.call('fault', { ...fire, event: 'update-status' });
    await untilEvent('a/0', 'update-status');
    const departed = { ...fire, event: 'serves-relation-departed', remoteUnit: 'b/0' };
    await sandbox.call('fault', departed);
    await untilEvent('a/0', 'serves-relation-departed unit=b/0 app=b departing=b/0');
    await sandbox.settle();
    const events = await sandbox.events('a/0');
    expect(events.at(-1)).toBe('serves-relation-departed unit=b/0 app=b departing=b/0');
    const log = await sandbox.log();
    expect(log).toContainEqual(
      expect.objectContaining({
        module: 'juju.sandbox',
        message: 'fire a/0 serves-relation-departed hook for b/0',
      }),
    );

    const refused = async (params: object) =>
      sandbox
        .call('fault', { ...fire, event: '', ...params })
        .catch((error: Error) => error.message);
    expect(await refused({ event: 'nonsense' })).toMatch(
      'unknown event "nonsense"; possible are install',
    );
    expect(await refused({ event: 'x-relation-changed' })).toMatch('no relation at endpoint "x"');
    expect(await refused({ event: 'serves-relation-joined' })).toMatch(
      'name it with --remote-unit',
    );
    expect(await refused({ event: 'serves-relation-joined', remoteUnit: 'a/0' })).toMatch(
      '"a/0" is no remote unit of a/0 in relation',
    );
    expect(await refused({ event: 'start', relation: 1 })).toMatch('--relation has no meaning');
    expect(await refused({ event: 'secret-rotate' })).toMatch('name it with --secret');
    expect(await refused({ event: 'data-storage-attached', storage: 'data/0' })).toMatch(
      'storage "data/0" is not attached to "a/0" as "data"',
    );
    expect(await refused({ event: 'install', unit: 'a/9' })).toMatch('unit "a/9" not found');
  }, 60_000);

  test('a hook fired by hand that fails is an error like any other, and is tried again', async () => {
    await sandbox.deploy('a', { scripts: { stop: '[ -f fixed ]' } });
    await sandbox.settle();
    await sandbox.call('fault', { fault: 'fire', unit: 'a/0', event: 'stop' });
    await sandbox.waitFor(
      'the hook to fail',
      async () => (await sandbox.unit('a/0'))?.workload.message === 'hook failed: "stop"',
    );
    await sandbox.exec('a/0', 'touch fixed');
    await sandbox.call('resolved', { units: ['a/0'] });
    await untilEvent('a/0', 'stop', 2);
    await sandbox.settle();
    await sandbox.call('fault', { fault: 'fire', unit: 'a/0', event: 'start' });
    await untilEvent('a/0', 'start', 2);
  }, 60_000);

  test('the command does all of it, and kills the daemon', async () => {
    await sandbox.deploy('a');
    await sandbox.settle();
    expect(await juju('sandbox', 'fire', 'a/0', 'config-changed')).toMatchObject({ exitCode: 0 });
    await untilEvent('a/0', 'config-changed', 2);
    const pid = await sandbox.daemonPid();
    expect(await juju('sandbox', 'kill-daemon')).toMatchObject({ exitCode: 0 });
    expect((await juju('sandbox', 'kill-daemon')).stderr).toMatch('no daemon runs in');
    expect((await juju('sandbox', 'advance', '5m')).stderr).toMatch('starting it again');
    expect(await sandbox.daemonPid()).not.toBe(pid);
    await untilEvent('a/0', 'update-status');
    expect(await juju('sandbox', 'freeze')).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('no unit specified'),
    });
    expect((await juju('sandbox', 'smash')).stderr).toMatch('unknown subcommand "smash"');
    expect((await juju('sandbox', 'advance', '5')).stderr).toMatch('missing unit in duration');
    expect((await juju('sandbox', 'thaw', 'a/0', '-r', '1')).stderr).toMatch(
      'option --relation is for "juju sandbox fire" only',
    );
    expect((await juju('help', 'sandbox')).stdout).toContain('stop-agent <unit>');
    expect((await juju('help')).stdout).toContain('juju sandbox');
  }, 60_000);
});
