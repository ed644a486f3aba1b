import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { SandboxDaemon } from '../../helpers/sandbox-daemon.ts';

const encode = (text: string) => Buffer.from(text).toString('base64');

describe('actions and secrets in the sandbox', () => {
  let sandbox: SandboxDaemon;
  beforeEach(async () => {
    sandbox = await SandboxDaemon.start();
  });
  afterEach(async () => {
    await sandbox.destroy();
  });

  test('an action gets parameters with defaults, and returns nested results, logs and output', async () => {
    await sandbox.deploy('a', {
      scripts: {
        act: 'action-log one step\naction-set size="$(action-get count)" opts.level="$(action-get opts.level)"\necho said\necho complained >&2',
      },
    });
    await sandbox.settle();
    const task = await sandbox.run('a/0', 'act', { count: 5 });

    expect(task.status).toBe('completed');
    expect(task.results).toEqual({
      size: '5',
      opts: { level: '2' },
      'return-code': 0,
      stdout: 'said\n',
      stderr: 'complained\n',
    });
    expect(task.log.map(({ message }) => message)).toEqual(['one step']);
    const operation = await sandbox.call('operation', { id: task.operation });
    expect(operation.summary).toBe('act run on unit-a-0');
  }, 60_000);

  test('action-fail keeps what was written, an exit code drops it', async () => {
    await sandbox.deploy('a', {
      scripts: {
        act: 'relation-set -r mates:0 tried="$(action-get count)"\naction-set kept=yes\naction-fail sorry\nexit $(($(action-get count) - 1))',
      },
    });
    await sandbox.settle();
    const refused = await sandbox.run('a/0', 'act', { count: 1 });
    const crashed = await sandbox.run('a/0', 'act', { count: 8 });

    expect(refused).toMatchObject({ status: 'failed', message: 'sorry', results: { kept: 'yes' } });
    expect(crashed).toMatchObject({
      status: 'failed',
      message: 'exit status 7',
      results: { kept: 'yes', 'return-code': 7 },
    });
    const shown = await sandbox.call('show-unit', { unit: 'a/0' });
    expect(shown.relations[0]?.localUnit?.data['tried']).toBe('1');
    expect((await sandbox.unit('a/0'))?.workload.current).not.toBe('error');
  }, 60_000);

  test('unknown actions, bad parameters and unknown units are refused one by one', async () => {
    await sandbox.deploy('a');
    await sandbox.settle();
    const run = async (target: string, action: string, params = {}) =>
      (await sandbox.call('run', { targets: [target], action, params })).tasks[0]?.error;

    expect(await run('a/0', 'nope')).toBe('action "nope" not defined on unit "a/0"');
    expect(await run('a/9', 'act')).toBe('unit "a/9" not found');
    expect(await run('zz/leader', 'act')).toBe('could not determine leader for "zz"');
    expect(await run('a/0', 'act', { other: 1 })).toContain('additional property "other"');
  }, 60_000);

  test('a running action can be cancelled', async () => {
    await sandbox.deploy('a', { scripts: { act: 'sleep 1000' } });
    await sandbox.settle();
    const { tasks } = await sandbox.call('run', { targets: ['a/0'], action: 'act', params: {} });
    const id = tasks[0]?.id ?? '';
    await sandbox.waitFor(
      'it to run',
      async () => (await sandbox.call('task', { id })).status === 'running',
    );
    await sandbox.call('cancel-task', { id });

    expect((await sandbox.call('task', { id, waitMs: 10_000 })).status).toBe('aborted');
  }, 60_000);

  test('a user secret reaches a charm through config, once granted, and tells of new revisions', async () => {
    await sandbox.deploy('a', {
      scripts: {
        'config-changed':
          'uri=$(config-get key); [ -z "$uri" ] && exit 0; status-set active "$(secret-get "$uri" word 2>&1)"',
        'secret-changed':
          'status-set active "$(secret-get "$JUJU_SECRET_ID" word) then $(secret-get "$JUJU_SECRET_ID" word --refresh)"',
      },
    });
    await sandbox.settle();
    const { uri } = await sandbox.call('add-secret', {
      name: 'mine',
      content: { word: encode('open') },
    });
    await sandbox.call('set-config', { application: 'a', values: { key: uri } });
    const message = async () => (await sandbox.settle()).applications[0]?.status.message;
    expect(await message()).toBe('ERROR permission denied');

    await sandbox.call('grant-secret', { secret: 'mine', applications: ['a'] });
    await sandbox.call('set-config', { application: 'a', values: { greeting: 'again' } });
    expect(await message()).toBe('open');

    await sandbox.call('update-secret', { secret: 'mine', content: { word: encode('sesame') } });
    expect(await message()).toBe('open then sesame');
    const info = await sandbox.call('show-secret', { secret: 'mine', reveal: true });
    expect(info).toMatchObject({
      revision: 2,
      owner: '<model>',
      content: { word: encode('sesame') },
    });
  }, 60_000);

  test('a revision that comes while a hook reads the one before is told of as well', async () => {
    await sandbox.deploy('a', {
      scripts: {
        'config-changed': `uri=$(config-get key); [ -z "$uri" ] && exit 0
          word=$(secret-get "$uri" word --refresh)
          touch "$CHARM_DIR/has-read"
          while [ ! -e "$CHARM_DIR/go-on" ]; do sleep 0.02; done
          status-set active "$word"`,
        'secret-changed': 'status-set active "$(secret-get "$JUJU_SECRET_ID" word --refresh)"',
      },
    });
    await sandbox.settle();
    const { uri } = await sandbox.call('add-secret', {
      name: 'mine',
      content: { word: encode('open') },
    });
    await sandbox.call('grant-secret', { secret: 'mine', applications: ['a'] });
    await sandbox.call('set-config', { application: 'a', values: { key: uri } });
    const charm = sandbox.charmDirectory('a/0');
    await sandbox.waitFor('the hook to have read', async () => existsSync(join(charm, 'has-read')));
    await sandbox.call('update-secret', { secret: 'mine', content: { word: encode('sesame') } });
    await writeFile(join(charm, 'go-on'), '');

    expect((await sandbox.settle()).applications[0]?.status.message).toBe('sesame');
    const told = (await sandbox.events('a/0')).filter((event) => event === 'secret-changed');
    expect(told).toHaveLength(1);
  }, 60_000);

  test('a charm secret is granted over a relation, and its old revisions come back to the owner', async () => {
    await sandbox.deploy('a', {
      scripts: {
        'serves-relation-joined':
          'id=$(secret-add --label pw word=one); secret-grant "$id" -r "$JUJU_RELATION_ID"; relation-set --app secret="$id"',
        act: 'secret-set "$(secret-ids)" word=two',
        'secret-remove': 'secret-remove "$JUJU_SECRET_ID" --revision "$JUJU_SECRET_REVISION"',
      },
    });
    await sandbox.deploy('b', {
      scripts: {
        'wants-relation-changed':
          'id=$(relation-get --app secret a); [ -z "$id" ] || status-set active "$(secret-get "$id" word)"',
        'secret-changed': 'status-set active "$(secret-get "$JUJU_SECRET_ID" word --refresh)"',
      },
    });
    await sandbox.call('integrate', { endpoints: ['a:serves', 'b:wants'] });
    await sandbox.settle();
    expect((await sandbox.unit('b/0'))?.workload.message).toBe('one');

    expect((await sandbox.run('a/0', 'act')).status).toBe('completed');
    await sandbox.waitFor(
      'the new word',
      async () => (await sandbox.unit('b/0'))?.workload.message === 'two',
    );
    await sandbox.waitFor('the old revision to be removed', async () => {
      const [secret] = await sandbox.call('secrets', {});
      return secret?.revisions.length === 1 && secret.revision === 2;
    });
    const [secret] = await sandbox.call('secrets', {});
    expect(secret?.access).toEqual([
      { target: 'application-b', scope: 'relation-2', role: 'view' },
    ]);

    await sandbox.call('remove-relation', { id: 2 });
    await sandbox.waitFor(
      'the grant to go',
      async () => (await sandbox.call('secrets', {}))[0]?.access.length === 0,
    );
    expect((await sandbox.exec('b/0', `secret-get ${secret?.id ?? ''}`)).stderr).toBe(
      'ERROR permission denied\n',
    );
  }, 60_000);

  test('units of the owner hear of its secret under the owner’s label', async () => {
    await sandbox.deploy('a', {
      units: 2,
      scripts: {
        'leader-elected': 'secret-add --label seal word=one',
        'mates-relation-joined': 'secret-get --label seal',
        act: 'secret-set "$(secret-ids)" word=two',
        'secret-changed': 'status-set active "$JUJU_SECRET_LABEL"',
      },
    });
    await sandbox.settle();
    await sandbox.run('a/0', 'act');
    for (const unit of ['a/0', 'a/1']) {
      await sandbox.waitFor(
        `${unit} to hear of it`,
        async () => (await sandbox.unit(unit))?.workload.message === 'seal',
      );
    }
  }, 60_000);

  test('the owner hears that its secret has expired, also when the daemon was away meanwhile', async () => {
    await sandbox.deploy('a', {
      scripts: {
        act: 'secret-add --label=short --expire=1s --rotate=daily key=value',
        'secret-expired':
          'juju-log "expired $JUJU_SECRET_LABEL revision $JUJU_SECRET_REVISION"\nsecret-set "$JUJU_SECRET_ID" --expire=48h',
      },
    });
    await sandbox.settle();
    await sandbox.run('a/0', 'act');
    await sandbox.killDaemon();
    await sandbox.restartDaemon();
    const told = await sandbox.waitFor('secret-expired', async () =>
      (await sandbox.log()).find(({ message }) => message.startsWith('expired ')),
    );
    expect(told.message).toBe('expired short revision 1');
    await sandbox.settle();
    const [secret] = await sandbox.call('secrets', {});
    const { created = '', rotates = '', expires = '' } = secret ?? {};
    expect(secret).toMatchObject({ revision: 1, rotation: 'daily' });
    expect(Date.parse(rotates) - Date.parse(created)).toBe(86_400_000);
    expect(Date.parse(expires) - Date.parse(created)).toBeGreaterThanOrEqual(2 * 86_400_000);
  }, 60_000);
});
