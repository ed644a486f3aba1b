/** `remove-unit --force`: what is in error, hangs or is lost goes all the same, when Juju lets it go. */
import { existsSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { processesUsing } from '../../helpers/processes.ts';
import { SandboxDaemon } from '../../helpers/sandbox-daemon.ts';

const MINUTE_MS = 60_000;
const DEPARTED = 'mates-relation-departed unit=a/0 app=a departing=a/0';

describe('a forced removal', () => {
  let sandbox: SandboxDaemon;
  beforeEach(async () => {
    sandbox = await SandboxDaemon.start();
  });
  afterEach(async () => {
    await sandbox.destroy();
  });

  async function advance(ms: number): Promise<void> {
    await sandbox.call('fault', { fault: 'advance', ms });
  }

  async function untilGone(unit: string): Promise<void> {
    await sandbox.waitFor(
      `the end of ${unit}`,
      async () => (await sandbox.unit(unit)) === undefined,
    );
    await sandbox.waitFor('the end of its files', async () =>
      Promise.resolve(!existsSync(sandbox.charmDirectory(unit))),
    );
  }

  async function untilEvent(unit: string, event: string): Promise<void> {
    await sandbox.waitFor(`${event} at ${unit}`, async () =>
      (await sandbox.events(unit)).includes(event),
    );
  }

  test('of a lost unit: the others see it depart at once, two minutes later it is gone with its machine', async () => {
    await sandbox.deploy('a', {
      units: 2,
      scripts: { start: 'setsid sleep 1000 > /dev/null 2>&1 &' },
    });
    await sandbox.settle();
    await sandbox.call('fault', { fault: 'stop-agent', unit: 'a/0' });
    await sandbox.call('remove-unit', { units: ['a/0'], force: true });

    await untilEvent('a/1', DEPARTED);
    expect((await sandbox.exec('a/1', 'goal-state --format json')).stdout).toContain('"dying"');
    await advance(1.5 * MINUTE_MS);
    // A daemon that was killed meanwhile has not forgotten it.
    await sandbox.killDaemon();
    await sandbox.restartDaemon();
    expect(await sandbox.unit('a/0')).toMatchObject({ agent: { current: 'lost' } });
    await untilEvent('a/1', 'leader-elected');
    await advance(MINUTE_MS);
    await untilGone('a/0');
    const { machines } = await sandbox.status();
    expect(machines.map(({ id }) => id)).toEqual(['1']);
    expect(await sandbox.events('a/0')).not.toContain('stop');
    expect(await processesUsing(`${sandbox.root}/agents/unit-a-0`)).toEqual([]);
  }, 60_000);

  test('that does not wait ends a hook that hangs, and hands the leadership over', async () => {
    await sandbox.deploy('a', {
      units: 2,
      scripts: { 'config-changed': '[ ! -f slow ] || { touch hangs; sleep 1000; }' },
    });
    await sandbox.settle();
    await sandbox.exec('a/0', 'touch slow');
    await sandbox.call('set-config', { application: 'a', values: { number: 1 } });
    await sandbox.waitFor('the hook to hang', async () =>
      Promise.resolve(existsSync(`${sandbox.charmDirectory('a/0')}/hangs`)),
    );

    await sandbox.call('remove-unit', { units: ['a/0'], force: true, noWait: true });

    await untilGone('a/0');
    await untilEvent('a/1', 'leader-elected');
  }, 60_000);

  test('of a unit in error waits a minute for somebody to resolve it, and then for nothing', async () => {
    await sandbox.deploy('a', { units: 2, scripts: { 'config-changed': '[ ! -f bad ]' } });
    await sandbox.settle();
    await sandbox.call('model-config', { values: { 'automatically-retry-hooks': 'false' } });
    for (const unit of ['a/0', 'a/1']) {
      await sandbox.exec(unit, 'touch bad');
    }
    await sandbox.call('set-config', { application: 'a', values: { number: 1 } });
    for (const unit of ['a/0', 'a/1']) {
      await sandbox.waitFor(
        `${unit} to fail`,
        async () => (await sandbox.unit(unit))?.workload.current === 'error',
      );
    }
    await sandbox.call('remove-unit', { units: ['a/0', 'a/1'], force: true });
    await advance(0.5 * MINUTE_MS);
    expect((await sandbox.unit('a/0'))?.workload.current).toBe('error');

    await sandbox.call('resolved', { units: ['a/1'], noRetry: true });
    await untilGone('a/1');
    expect(await sandbox.events('a/1')).toContain('remove');
    await advance(0.5 * MINUTE_MS);
    await untilGone('a/0');
    expect(await sandbox.events('a/0')).not.toContain('remove');
  }, 60_000);

  test('takes the subordinates along', async () => {
    await sandbox.deploy('a');
    await sandbox.deploy('helper', {
      files: {
        'metadata.yaml':
          'name: helper\nsummary: s\ndescription: d\nsubordinate: true\nrequires:\n  host: {interface: juju-info, scope: container}\n',
      },
    });
    await sandbox.call('integrate', { endpoints: ['helper:host', 'a'] });
    await sandbox.waitFor('the subordinate', async () => sandbox.unit('helper/0'));
    await sandbox.settle();
    for (const unit of ['a/0', 'helper/0']) {
      await sandbox.call('fault', { fault: 'stop-agent', unit });
    }
    await sandbox.call('remove-machine', { machines: ['0'], force: true });
    expect(await sandbox.unit('a/0')).toBeDefined();
    await sandbox.call('remove-unit', { units: ['a/0'], force: true, noWait: true });
    await untilGone('helper/0');
    await untilGone('a/0');
    expect((await sandbox.status()).machines).toEqual([]);
  }, 60_000);
});
