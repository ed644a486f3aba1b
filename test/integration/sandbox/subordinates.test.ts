import { existsSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { SandboxDaemon } from '../../helpers/sandbox-daemon.ts';

const SUBORDINATE = `
name: helper
summary: Lives beside others.
description: A subordinate in plain shell.
subordinate: true
requires:
  host: { interface: juju-info, scope: container }
  local: { interface: witness, scope: container }
`;

describe('subordinates', () => {
  let sandbox: SandboxDaemon;
  beforeEach(async () => {
    sandbox = await SandboxDaemon.start();
  });
  afterEach(async () => {
    await sandbox.destroy();
  });

  async function deployHelper(name = 'helper'): Promise<void> {
    await sandbox.deploy(name, { files: { 'metadata.yaml': SUBORDINATE } });
  }

  async function unitNames(): Promise<readonly string[]> {
    const { applications } = await sandbox.status();
    return applications
      .flatMap(({ units }) => units)
      .flatMap((unit) => [unit.name, ...unit.subordinates.map(({ name }) => `+${name}`)]);
  }

  test('one comes to every principal unit, on its machine, and shows below it', async () => {
    await sandbox.deploy('a', { units: 2 });
    await deployHelper();
    await expect(unitNames()).resolves.toEqual(['a/0', 'a/1']);
    await sandbox.call('integrate', { endpoints: ['helper', 'a:juju-info'] });
    await sandbox.waitFor('two subordinates', async () => (await unitNames()).length === 4);
    const status = await sandbox.settle();

    // The principals enter in any order.
    await expect(unitNames()).resolves.toEqual([
      'a/0',
      expect.stringMatching(/^\+helper\/[01]$/),
      'a/1',
      expect.stringMatching(/^\+helper\/[01]$/),
    ]);
    expect(status.machines).toHaveLength(2);
    expect(status.applications).toContainEqual(
      expect.objectContaining({ name: 'helper', units: [], subordinateTo: ['a'] }),
    );
    expect(status.relations.at(-1)).toMatchObject({
      provider: 'a:juju-info',
      requirer: 'helper:host',
      type: 'subordinate',
    });
    // The implicit endpoint has no hooks.
    expect((await sandbox.events('a/0')).filter((event) => event.includes('juju-info'))).toEqual(
      [],
    );
    const below = status.applications[0]?.units[1]?.subordinates[0];
    const beside = (
      await sandbox.exec(below?.name ?? '', 'echo $JUJU_PRINCIPAL_UNIT $JUJU_MACHINE_ID')
    ).stdout;
    expect(beside).toBe('a/1 1\n');
  });

  test('in a container-scoped relation the two see each other and nobody else', async () => {
    await sandbox.deploy('a', { units: 2 });
    await deployHelper();
    await sandbox.call('integrate', { endpoints: ['helper:local', 'a:serves'] });
    await sandbox.waitFor('two subordinates', async () => (await unitNames()).length === 4);
    await sandbox.settle();

    const { applications } = await sandbox.status();
    for (const unit of applications[0]?.units ?? []) {
      const own = unit.subordinates[0]?.name ?? '';
      const other = own === 'helper/0' ? 'helper/1' : 'helper/0';
      const events = await sandbox.events(unit.name);
      expect(events.filter((event) => event.startsWith('serves-relation-joined'))).toEqual([
        `serves-relation-joined unit=${own} app=helper`,
      ]);
      const { stdout, stderr } = await sandbox.exec(
        unit.name,
        `r=$(relation-ids serves); relation-list -r $r; relation-get -r $r - ${other}`,
      );
      expect(stdout).toBe(`${own}\n`);
      expect(stderr).toBe('ERROR permission denied\n');
    }
  });

  test('it goes with the last relation that keeps it, and its principal stays', async () => {
    await sandbox.deploy('a');
    await deployHelper();
    await sandbox.call('integrate', { endpoints: ['helper:host', 'a'] });
    await sandbox.call('integrate', { endpoints: ['helper:local', 'a:serves'] });
    await sandbox.waitFor('the subordinate', async () => (await unitNames()).length === 2);
    await sandbox.settle();

    await sandbox.call('remove-relation', { endpoints: ['helper:host', 'a'] });
    await sandbox.settle();
    await expect(unitNames()).resolves.toEqual(['a/0', '+helper/0']);

    await sandbox.call('remove-relation', { endpoints: ['helper:local', 'a:serves'] });
    await sandbox.waitFor('its end', async () => (await unitNames()).length === 1);
    const status = await sandbox.settle();
    expect(status.machines).toHaveLength(1);
    expect(status.relations.filter(({ type }) => type === 'subordinate')).toEqual([]);
    expect((await sandbox.events('helper/0')).slice(-4)).toEqual([
      'local-relation-departed unit=a/0 app=a departing=helper/0',
      'local-relation-broken app=a',
      'stop',
      'remove',
    ]);
  });

  test('it goes with its principal, which waits for it; the machine goes last', async () => {
    await sandbox.deploy('a', { units: 2 });
    await deployHelper();
    await sandbox.call('integrate', { endpoints: ['helper:local', 'a:serves'] });
    await sandbox.waitFor('two subordinates', async () => (await unitNames()).length === 4);
    await sandbox.settle();
    const { applications } = await sandbox.status();
    const leaving = applications[0]?.units[1]?.subordinates[0]?.name ?? '';

    // Failed, it holds no lock of the machine that the two share.
    await sandbox.call('model-config', { values: { 'automatically-retry-hooks': false } });
    await sandbox.setScript(leaving, 'stop', 'exit 1');
    await sandbox.call('remove-unit', { units: ['a/1'] });
    await sandbox.waitFor('the remove hook of the principal', async () =>
      (await sandbox.events('a/1')).includes('remove'),
    );
    await expect(unitNames()).resolves.toEqual(['a/0', expect.any(String), 'a/1', `+${leaving}`]);
    await sandbox.call('resolved', { units: [leaving], noRetry: true });
    await sandbox.waitFor('the end of both', async () => (await unitNames()).length === 2);
    const status = await sandbox.settle();
    expect(status.machines.map(({ id }) => id)).toEqual(['0']);
    await sandbox.waitFor('the end of its files', async () =>
      Promise.resolve(!existsSync(sandbox.charmDirectory('a/1'))),
    );
  });

  test('what Juju refuses is refused in its words', async () => {
    await sandbox.deploy('a');
    await deployHelper();
    await sandbox.call('integrate', { endpoints: ['helper:host', 'a'] });
    await sandbox.waitFor('the subordinate', async () => (await unitNames()).length === 2);

    await expect(sandbox.call('remove-unit', { units: ['helper/0'] })).resolves.toMatchObject([
      {
        error:
          'unit "helper/0" is a subordinate, to remove use remove-relation. Note: this will remove all units of "helper"',
      },
    ]);
    await expect(sandbox.call('add-unit', { application: 'helper' })).rejects.toThrow(
      'application is a subordinate',
    );
    await sandbox.deploy('other', {
      files: { 'metadata.yaml': SUBORDINATE.replace('subordinate: true', '') },
    });
    await expect(
      sandbox.call('integrate', { endpoints: ['other:local', 'a:serves'] }),
    ).rejects.toThrow(
      'cannot add relation "other:local a:serves": container scoped relation requires at least one subordinate application',
    );
  });

  test('a removed application takes its subordinates along', async () => {
    await sandbox.deploy('a');
    await deployHelper();
    await sandbox.call('integrate', { endpoints: ['helper:host', 'a'] });
    await sandbox.waitFor('the subordinate', async () => (await unitNames()).length === 2);
    await sandbox.settle();
    await sandbox.call('remove-application', { applications: ['helper'] });
    await sandbox.waitFor('the end of helper', async () => {
      const { applications } = await sandbox.status();
      return applications.length === 1;
    });
    await expect(unitNames()).resolves.toEqual(['a/0']);
  });
});
