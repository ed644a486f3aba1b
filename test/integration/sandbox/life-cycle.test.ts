import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { SandboxDaemon } from '../../helpers/sandbox-daemon.ts';

describe('a unit in the sandbox', () => {
  let sandbox: SandboxDaemon;
  beforeEach(async () => {
    sandbox = await SandboxDaemon.start();
  });
  afterEach(async () => {
    await sandbox.destroy();
  });

  test('starts with install, peers, leadership, config and start, in this order', async () => {
    await sandbox.deploy('one');
    await sandbox.settle();

    expect(await sandbox.events('one/0')).toEqual([
      'install',
      'mates-relation-created app=one',
      'leader-elected',
      'config-changed',
      'start',
    ]);
    const unit = await sandbox.unit('one/0');
    expect(unit?.leader).toBe(true);
    expect(unit?.workload.current).toBe('unknown');
  }, 60_000);

  test('of two, one leads and both meet as peers', async () => {
    await sandbox.deploy('two', { units: 2 });
    await sandbox.settle();

    const follower = await sandbox.events('two/1');
    expect(follower.slice(0, 3)).toEqual([
      'install',
      'mates-relation-created app=two',
      'leader-settings-changed',
    ]);
    expect(follower.slice(-2)).toEqual([
      'mates-relation-joined unit=two/0 app=two',
      'mates-relation-changed unit=two/0 app=two',
    ]);
  }, 60_000);

  test('sees a relation come, change and go on both sides', async () => {
    await sandbox.deploy('a', {
      scripts: {
        'serves-relation-joined': 'relation-set colour=blue\nrelation-set --app shape=round',
      },
    });
    await sandbox.deploy('b');
    await sandbox.settle();
    await sandbox.call('integrate', { endpoints: ['a:serves', 'b:wants'] });
    await sandbox.settle();

    const relationEvents = (await sandbox.events('b/0')).filter((event) =>
      event.startsWith('wants'),
    );
    expect(relationEvents[0]).toBe('wants-relation-created app=a');
    // That of the application comes before or after, as a/0 is faster than b/0 or not.
    const ofApplication = 'wants-relation-changed app=a';
    expect(relationEvents).toContain(ofApplication);
    expect(relationEvents.filter((event) => event !== ofApplication).slice(1, 3)).toEqual([
      'wants-relation-joined unit=a/0 app=a',
      'wants-relation-changed unit=a/0 app=a',
    ]);
    const shown = await sandbox.call('show-unit', { unit: 'b/0' });
    const relation = shown.relations.find(({ endpoint }) => endpoint === 'wants');
    expect(relation?.applicationData).toEqual({ shape: 'round' });
    expect(relation?.relatedUnits['a/0']?.data['colour']).toBe('blue');

    await sandbox.call('remove-relation', { endpoints: ['a:serves', 'b:wants'] });
    await sandbox.waitFor('the relation to be gone', async () =>
      (await sandbox.status()).relations.every(({ type }) => type === 'peer'),
    );
    expect((await sandbox.events('b/0')).slice(-2)).toEqual([
      'wants-relation-departed unit=a/0 app=a departing=a/0',
      'wants-relation-broken app=a',
    ]);
    expect((await sandbox.events('a/0')).slice(-2)).toEqual([
      'serves-relation-departed unit=b/0 app=b departing=b/0',
      'serves-relation-broken app=b',
    ]);
  }, 60_000);

  test('leaves by departed, broken, stop and remove, and hands its leadership over', async () => {
    await sandbox.deploy('a', { units: 2 });
    await sandbox.deploy('b');
    await sandbox.call('integrate', { endpoints: ['a:serves', 'b:wants'] });
    await sandbox.settle();
    await sandbox.call('remove-unit', { units: ['a/0'] });
    await sandbox.waitFor('a/0 to be gone', async () => (await sandbox.unit('a/0')) === undefined);
    await sandbox.settle();

    const events = await sandbox.events('a/0');
    expect(events.slice(-5)).toEqual([
      'serves-relation-departed unit=b/0 app=b departing=a/0',
      'serves-relation-broken app=b',
      'mates-relation-departed unit=a/1 app=a departing=a/0',
      'stop',
      'remove',
    ]);
    expect((await sandbox.unit('a/1'))?.leader).toBe(true);
    expect(await sandbox.events('a/1')).toContain('leader-elected');
    expect(await sandbox.events('b/0')).toContain(
      'wants-relation-departed unit=a/0 app=a departing=a/0',
    );

    const { units } = await sandbox.call('add-unit', { application: 'a' });
    expect(units).toEqual(['a/2']);
  }, 60_000);

  test('takes its application and relations along when the application is removed', async () => {
    await sandbox.deploy('a');
    await sandbox.deploy('b');
    await sandbox.call('integrate', { endpoints: ['a:serves', 'b:wants'] });
    await sandbox.settle();
    await sandbox.call('remove-application', { applications: ['a'] });
    const status = await sandbox.waitFor('the application to be gone', async () => {
      const now = await sandbox.status();
      return now.applications.length === 1 ? now : undefined;
    });

    expect(status.relations.map(({ provider }) => provider)).toEqual(['b:mates']);
    expect((await sandbox.events('a/0')).slice(-2)).toEqual(['stop', 'remove']);
  }, 60_000);

  test('has config-changed once for a change of config, and never for none', async () => {
    await sandbox.deploy('one', {
      scripts: { 'config-changed': 'status-set active "$(config-get greeting)"' },
    });
    await sandbox.settle();
    await sandbox.call('set-config', {
      application: 'one',
      values: { greeting: 'hello', number: '3' },
    });
    await sandbox.call('set-config', { application: 'one', values: { greeting: 'hello' } });
    await sandbox.settle();
    await sandbox.call('set-config', { application: 'one', values: { greeting: 'bye' } });
    const status = await sandbox.settle();

    const changes = (await sandbox.events('one/0')).filter((event) => event === 'config-changed');
    expect(changes).toHaveLength(3);
    expect(status.applications[0]?.status).toMatchObject({ current: 'active', message: 'bye' });
    await expect(
      sandbox.call('set-config', { application: 'one', values: { number: 'x' } }),
    ).rejects.toThrow('option "number" expected int, got "x"');
  }, 60_000);
});
