import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { identifyProcess } from '#system';
import { SandboxDaemon } from '../../helpers/sandbox-daemon.ts';

describe('failure in the sandbox', () => {
  let sandbox: SandboxDaemon;
  beforeEach(async () => {
    sandbox = await SandboxDaemon.start();
  });
  afterEach(async () => {
    await sandbox.destroy();
  });

  async function untilError(unit: string): Promise<void> {
    await sandbox.waitFor(
      `${unit} to be in error`,
      async () => (await sandbox.unit(unit))?.workload.current === 'error',
    );
  }

  test('a failed hook writes nothing, stops the unit, and runs again when resolved', async () => {
    await sandbox.deploy('a');
    await sandbox.deploy('b', {
      scripts: {
        'wants-relation-created':
          'relation-set colour=red\nstate-set kept=no\nopen-port 80\nstatus-set active tried\n[ -f fixed ]',
      },
    });
    await sandbox.settle();
    await sandbox.call('integrate', { endpoints: ['a:serves', 'b:wants'] });
    await untilError('b/0');

    const broken = await sandbox.unit('b/0');
    expect(broken?.workload.message).toBe('hook failed: "wants-relation-created" for a:serves');
    expect(broken?.ports).toEqual([]);
    const seen = async () =>
      (await sandbox.call('show-unit', { unit: 'a/0' })).relations.find(
        ({ endpoint }) => endpoint === 'serves',
      )?.relatedUnits['b/0']?.data;
    expect((await seen())?.['colour']).toBeUndefined();
    expect((await sandbox.run('b/0', 'act')).status).toBe('completed');
    expect((await sandbox.unit('b/0'))?.workload.current).toBe('error');

    await sandbox.setScript(
      'b/0',
      'wants-relation-created',
      'relation-set colour=green\nopen-port 80',
    );
    await sandbox.call('resolved', { units: ['b/0'] });
    await sandbox.settle();
    await sandbox.waitFor(
      'b/0 to be well',
      async () => (await sandbox.unit('b/0'))?.workload.current !== 'error',
    );
    expect((await seen())?.['colour']).toBe('green');
    expect((await sandbox.unit('b/0'))?.ports).toEqual(['80/tcp']);
    await expect(sandbox.call('resolved', { units: ['b/0'] })).rejects.toThrow(
      'unit "b/0" is not in an error state',
    );
  }, 60_000);

  test('a failed install can be skipped, and start still follows', async () => {
    await sandbox.deploy('one', { scripts: { install: 'false' } });
    await untilError('one/0');
    await sandbox.call('resolved', { units: ['one/0'], noRetry: true });
    await sandbox.waitFor('start', async () => (await sandbox.events('one/0')).includes('start'));

    expect((await sandbox.events('one/0')).filter((event) => event === 'install')).toHaveLength(1);
  }, 60_000);

  test('a hook killed from outside runs again without an error', async () => {
    await sandbox.deploy('one', {
      scripts: { start: 'if [ ! -f once ]; then touch once; kill -9 $$; fi' },
    });
    await sandbox.settle();

    const events = await sandbox.events('one/0');
    expect(events.slice(-2)).toEqual(['start', 'start']);
  }, 60_000);

  test('a charm whose dispatch cannot be executed fails its hook', async () => {
    await sandbox.deploy('one', { files: { dispatch: 'no shebang, no program' } });
    await untilError('one/0');

    const log = (await sandbox.log()).map(({ message }) => message);
    expect(log.find((message) => message.startsWith('hook "install" failed'))).toBeDefined();
  }, 60_000);

  test('kill -9 of the daemon in the middle of a hook loses nothing and runs the hook again', async () => {
    await sandbox.deploy('a', {
      scripts: { 'config-changed': 'status-set active' },
    });
    await sandbox.settle();
    await sandbox.exec('a/0', 'relation-set -r mates:0 before=crash; state-set kept=yes');
    await sandbox.setScript(
      'a/0',
      'config-changed',
      'relation-set -r mates:0 half=done\n[ -f again ] && exit 0\ntouch again\necho $$ > pid\nsleep 1000',
    );
    await sandbox.call('set-config', { application: 'a', values: { greeting: 'bye' } });
    const pidFile = join(sandbox.charmDirectory('a/0'), 'pid');
    const hookPid = await sandbox.waitFor('the hook to run', async () => {
      const text = await readFile(pidFile, 'utf8').catch(() => '');
      return text.endsWith('\n') ? Number(text) : undefined;
    });

    await sandbox.killDaemon();
    await sandbox.restartDaemon();
    await sandbox.waitFor(
      'the hook to be done',
      async () =>
        (await sandbox.events('a/0')).filter((event) => event === 'config-changed').length >= 3,
    );
    await sandbox.settle();

    const changes = (await sandbox.events('a/0')).filter((event) => event === 'config-changed');
    expect(changes).toHaveLength(3);
    expect(identifyProcess(hookPid)).toBeUndefined();
    expect((await sandbox.unit('a/0'))?.workload.current).toBe('active');
    const shown = await sandbox.call('show-unit', { unit: 'a/0' });
    expect(shown.relations[0]?.localUnit?.data).toMatchObject({ before: 'crash', half: 'done' });
    expect((await sandbox.exec('a/0', 'state-get kept')).stdout).toBe('yes\n');
  }, 60_000);

  test('kill -9 of the daemon fails a running action, which is not run again', async () => {
    await sandbox.deploy('a', { scripts: { act: 'touch started\nsleep 1000' } });
    await sandbox.settle();
    const { tasks } = await sandbox.call('run', { targets: ['a/0'], action: 'act', params: {} });
    const id = tasks[0]?.id ?? '';
    await sandbox.waitFor('the action to run', async () =>
      readFile(join(sandbox.charmDirectory('a/0'), 'started'), 'utf8').then(
        () => true,
        () => false,
      ),
    );

    await sandbox.killDaemon();
    await sandbox.restartDaemon();
    await sandbox.settle();

    const task = await sandbox.call('task', { id });
    expect(task).toMatchObject({ status: 'failed', message: 'action terminated' });
    const next = await sandbox.call('run', {
      targets: ['a/0'],
      action: 'act',
      params: { count: 'x' },
    });
    expect(next.operation).toBe('3');
    expect(next.tasks[0]?.error).toBe(
      'validation failed: (root).count : must be of type integer, given "x"',
    );
  }, 60_000);

  test('commits and kill -9 at random instants never tear a change apart', async () => {
    await sandbox.deploy('a', {
      scripts: {
        'config-changed':
          'n=$(config-get number); relation-set -r mates:0 left="$n"; relation-set -r mates:0 right="$n"',
      },
    });
    await sandbox.settle();
    for (let round = 1; round <= 8; round += 1) {
      await sandbox.call('set-config', { application: 'a', values: { number: round } });
      await new Promise((resolve) => {
        setTimeout(resolve, Math.random() * 60);
      });
      await sandbox.killDaemon();
      await sandbox.restartDaemon();
      const shown = await sandbox.call('show-unit', { unit: 'a/0' });
      const data = shown.relations[0]?.localUnit?.data ?? {};
      expect(data['left']).toBe(data['right']);
    }
    await sandbox.waitFor('the last value', async () => {
      const shown = await sandbox.call('show-unit', { unit: 'a/0' });
      return shown.relations[0]?.localUnit?.data['left'] === '8';
    });
  }, 120_000);
});
