import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { SandboxDaemon } from '../../helpers/sandbox-daemon.ts';

describe('machines', () => {
  let sandbox: SandboxDaemon;
  beforeEach(async () => {
    sandbox = await SandboxDaemon.start();
  });
  afterEach(async () => {
    await sandbox.destroy();
  });

  async function machineIds(): Promise<readonly string[]> {
    return (await sandbox.status()).machines.map(({ id }) => id);
  }

  test('units go where they are told, and a machine goes with the last of them', async () => {
    await sandbox.deploy('a');
    await sandbox.call('add-unit', { application: 'a', count: 2, to: ['0'] });
    const { applications } = await sandbox.settle();
    expect(applications[0]?.units.map(({ name, machine }) => [name, machine])).toEqual([
      ['a/0', '0'],
      ['a/1', '0'],
      ['a/2', '1'],
    ]);
    await sandbox.call('remove-unit', { units: ['a/0', 'a/2'] });
    await sandbox.waitFor('the end of machine 1', async () => (await machineIds()).length === 1);
    await expect(machineIds()).resolves.toEqual(['0']);
    await sandbox.call('remove-unit', { units: ['a/1'] });
    await sandbox.waitFor('the end of machine 0', async () => (await machineIds()).length === 0);
  });

  test('units on one machine share its ports, those of different machines do not', async () => {
    await sandbox.deploy('a');
    await sandbox.call('add-unit', { application: 'a', count: 2, to: ['0'] });
    await sandbox.settle();
    await sandbox.exec('a/0', 'open-port 80-90');

    const conflict = 'port range conflicts with 80-90/tcp (unit "a/0")';
    await expect(sandbox.exec('a/1', 'open-port 80-90')).resolves.toMatchObject({
      stderr: `ERROR cannot open 80-90/tcp (unit "a/1"): ${conflict}\n`,
    });
    await expect(sandbox.exec('a/1', 'close-port 85')).resolves.toMatchObject({
      stderr: `ERROR cannot close 85/tcp (unit "a/1"): ${conflict}\n`,
    });
    await expect(sandbox.exec('a/2', 'open-port 85; opened-ports')).resolves.toMatchObject({
      stdout: '85/tcp\n',
      stderr: '',
    });
    // What a hook closes is open until it has succeeded.
    await expect(sandbox.exec('a/0', 'close-port 80-90; open-port 80')).resolves.toMatchObject({
      stderr: `ERROR cannot open 80/tcp (unit "a/0"): ${conflict}\n`,
    });
    await expect(sandbox.exec('a/1', 'open-port 80; opened-ports')).resolves.toMatchObject({
      stdout: '80/tcp\n',
      stderr: '',
    });
  });

  test('one can be added before its unit; with a unit it cannot be removed but by force', async () => {
    await expect(sandbox.call('add-machine', { count: 2 })).resolves.toEqual({
      machines: ['0', '1'],
    });
    await sandbox.deploy('a');
    await sandbox.call('add-unit', { application: 'a', to: ['1'] });
    await sandbox.settle();
    const results = await sandbox.call('remove-machine', { machines: ['0', '1', '7'] });
    expect(results.map(({ name, error }) => [name, error])).toEqual([
      ['0', undefined],
      ['1', 'machine 1 has unit "a/1" assigned'],
      ['7', 'machine 7 not found'],
    ]);
    await expect(machineIds()).resolves.toEqual(['1', '2']);
    await sandbox.call('remove-machine', { machines: ['1'], force: true });
    await sandbox.waitFor('its end', async () => !(await machineIds()).includes('1'));
    expect(await sandbox.events('a/1')).toContain('remove');
  });

  test('a place that is none is refused, and no unit is made', async () => {
    await sandbox.deploy('a');
    for (const place of ['9', 'lxd:0', 'zone=a']) {
      await expect(sandbox.call('add-unit', { application: 'a', to: [place] })).rejects.toThrow(
        place === '9' ? 'machine 9 not found' : 'the sandbox has no containers and zones',
      );
    }
    await sandbox.call('add-machine', { base: 'ubuntu@20.04' });
    await expect(sandbox.call('add-unit', { application: 'a', to: ['1'] })).rejects.toThrow(
      'base does not match: unit has "ubuntu@24.04", machine has "ubuntu@20.04"',
    );
    const { applications } = await sandbox.status();
    expect(applications[0]?.units.map(({ name }) => name)).toEqual(['a/0']);
  });
});
