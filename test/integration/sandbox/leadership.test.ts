import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { SandboxDaemon } from '../../helpers/sandbox-daemon.ts';

describe('leadership', () => {
  let sandbox: SandboxDaemon;
  beforeEach(async () => {
    sandbox = await SandboxDaemon.start();
    await sandbox.deploy('a', { units: 3 });
    await sandbox.settle();
  });
  afterEach(async () => {
    await sandbox.destroy();
  });

  async function leaders(): Promise<readonly string[]> {
    const { applications } = await sandbox.status();
    return applications[0]?.units.filter(({ leader }) => leader).map(({ name }) => name) ?? [];
  }

  async function elections(unit: string): Promise<number> {
    return (await sandbox.events(unit)).filter((event) => event === 'leader-elected').length;
  }

  test('the lease of a lost leader runs out after a minute, and another unit claims it', async () => {
    await expect(leaders()).resolves.toEqual(['a/0']);
    await sandbox.call('fault', { fault: 'stop-agent', unit: 'a/0' });
    await sandbox.call('fault', { fault: 'advance', ms: 45_000 });
    await sandbox.exec('a/1', 'true');
    await expect(leaders()).resolves.toEqual(['a/0']);

    await sandbox.call('fault', { fault: 'advance', ms: 20_000 });
    await sandbox.waitFor('a new leader', async () => (await elections('a/1')) === 1);
    await expect(leaders()).resolves.toEqual(['a/1']);
    expect((await sandbox.exec('a/1', 'is-leader')).stdout).toBe('True\n');
    await expect(elections('a/2')).resolves.toBe(0);

    // It finds out that it no longer leads, and no hook tells it so.
    await sandbox.call('fault', { fault: 'start-agent', unit: 'a/0' });
    expect((await sandbox.exec('a/0', 'is-leader')).stdout).toBe('False\n');
    await expect(leaders()).resolves.toEqual(['a/1']);
    await expect(elections('a/0')).resolves.toBe(1);
  });

  test('a leader whose agent comes back in time still leads, and is not told again', async () => {
    await sandbox.call('fault', { fault: 'stop-agent', unit: 'a/0' });
    await sandbox.call('fault', { fault: 'advance', ms: 30_000 });
    await sandbox.call('fault', { fault: 'start-agent', unit: 'a/0' });
    await sandbox.call('fault', { fault: 'advance', ms: 120_000 });
    expect((await sandbox.exec('a/0', 'is-leader')).stdout).toBe('True\n');
    await expect(leaders()).resolves.toEqual(['a/0']);
    await expect(elections('a/0')).resolves.toBe(1);
  });

  test('a removed leader hands over at once, to a unit whose agent runs', async () => {
    await sandbox.call('fault', { fault: 'stop-agent', unit: 'a/1' });
    await sandbox.call('remove-unit', { units: ['a/0'] });
    await sandbox.waitFor('a new leader', async () => (await elections('a/2')) === 1);
    await expect(leaders()).resolves.toEqual(['a/2']);
    await sandbox.call('fault', { fault: 'start-agent', unit: 'a/1' });
  });
});
