/** juju-reboot: what runs ends, and the unit starts again. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { processesMatching } from '../../helpers/processes.ts';
import { SandboxDaemon } from '../../helpers/sandbox-daemon.ts';

let sandbox: SandboxDaemon;

beforeEach(async () => {
  sandbox = await SandboxDaemon.start();
});

afterEach(async () => {
  await sandbox.destroy();
});

/** A dead child that nobody waited for has no command line any more. */
const isAlive = async (pid: string) =>
  (await processesMatching((line) => line.startsWith('sleep 300'))).includes(Number(pid));

test('after a hook: its writes are kept, the processes of its unit end, start runs, others go on', async () => {
  const service = 'setsid sleep 300 & echo $! > pid';
  await sandbox.deploy('web', { units: 2, scripts: { install: service } });
  await sandbox.settle();
  const pidOf = async (unit: string) => readFile(join(sandbox.charmDirectory(unit), 'pid'), 'utf8');
  const [own, other] = [await pidOf('web/0'), await pidOf('web/1')];
  expect([await isAlive(own), await isAlive(other)]).toEqual([true, true]);
  const before = (await sandbox.events('web/0')).length;
  await sandbox.setScript('web/0', 'config-changed', 'juju-reboot\nstate-set seen=yes');
  await sandbox.setScript('web/1', 'config-changed', ':');
  await sandbox.call('set-config', { application: 'web', values: { greeting: 'moin' } });
  await sandbox.waitFor('start', async () => (await sandbox.events('web/0')).length === before + 2);
  await sandbox.settle();
  expect((await sandbox.events('web/0')).slice(before)).toEqual(['config-changed', 'start']);
  expect((await sandbox.exec('web/0', 'state-get seen')).stdout).toBe('yes\n');
  expect([await isAlive(own), await isAlive(other)]).toEqual([false, true]);
  expect((await sandbox.events('web/1')).filter((event) => event === 'start')).toHaveLength(1);
});

test('at once: the hook is killed, keeps nothing and runs again; a unit never started does not start first', async () => {
  await sandbox.deploy('web', {
    scripts: {
      install:
        'if [ ! -f done ]; then touch done; state-set lost=yes; juju-reboot --now; sleep 300; fi',
    },
  });
  await sandbox.settle();
  expect((await sandbox.events('web/0')).slice(0, 3)).toEqual([
    'install',
    'install',
    'mates-relation-created app=web',
  ]);
  expect((await sandbox.exec('web/0', 'state-get lost')).stdout).toBe('');
  expect((await sandbox.log()).some(({ message }) => message.includes('hook failed'))).toBe(false);
  const before = (await sandbox.events('web/0')).length;
  await sandbox.setScript(
    'web/0',
    'config-changed',
    'if [ ! -f again ]; then touch again; juju-reboot --now; sleep 300; fi',
  );
  await sandbox.call('set-config', { application: 'web', values: { greeting: 'moin' } });
  await sandbox.waitFor('start', async () =>
    (await sandbox.events('web/0')).slice(before).includes('start'),
  );
  await sandbox.settle();
  // The hook that was queued comes before the start.
  expect((await sandbox.events('web/0')).slice(before)).toEqual([
    'config-changed',
    'config-changed',
    'start',
  ]);
});

test('a hook that fails does not reboot, an action cannot, commands can', async () => {
  await sandbox.call('model-config', { values: { 'automatically-retry-hooks': false } });
  await sandbox.deploy('web', { scripts: { act: 'juju-reboot || action-set answer="no"' } });
  await sandbox.settle();
  const before = (await sandbox.events('web/0')).length;
  expect(await sandbox.run('web/0', 'act')).toMatchObject({
    results: {
      answer: 'no',
      stderr: 'ERROR juju-reboot is not supported when running an action.\n',
    },
  });
  await sandbox.setScript('web/0', 'config-changed', 'juju-reboot\nexit 1');
  await sandbox.call('set-config', { application: 'web', values: { greeting: 'moin' } });
  await sandbox.waitFor(
    'the failure',
    async () => (await sandbox.unit('web/0'))?.workload.current === 'error',
  );
  await sandbox.setScript('web/0', 'config-changed', ':');
  await sandbox.call('resolved', { units: ['web/0'] });
  await sandbox.settle();
  expect((await sandbox.events('web/0')).slice(before)).not.toContain('start');
  await sandbox.exec('web/0', 'juju-reboot');
  await sandbox.waitFor('start', async () => (await sandbox.events('web/0')).at(-1) === 'start');
});
