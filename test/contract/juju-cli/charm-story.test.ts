import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { systemClock } from '#system';
import { newSandbox, type Sandbox } from './juju-process.ts';
import { writeShellCharm } from './shell-charm.ts';

/** One charm from deployment to removal; each test goes on where the one before ended. */
describe('a charm in the sandbox, by the juju program', () => {
  let sandbox: Sandbox;
  const juju: Sandbox['juju'] = async (line, options) => sandbox.juju(line, options);

  beforeAll(async () => {
    sandbox = newSandbox();
    writeShellCharm(sandbox.folder);
    await juju('bootstrap');
  });
  afterAll(async () => sandbox.end());

  test('is deployed with configuration and becomes active', async () => {
    const deployed = await juju('deploy ./tiny server --config port=9000');
    expect(deployed).toMatchObject({
      code: 0,
      out: '',
      err: expect.stringMatching(
        /^Located local charm "tiny", revision 0\nDeploying "server" from local charm "tiny", revision 0 on \S+\n$/,
      ),
    });
    expect(await juju('wait-for application server --timeout 20s')).toMatchObject({ code: 0 });
    const { out } = await juju('status');
    expect(out).toMatch(/^server +active +1 +tiny +0 +no +port 9000$/m);
    expect(out).toMatch(/^server\/0\* +active +\w+ +0 +\S+ +port 9000$/m);
  });

  test('refuses to be deployed twice under one name', async () => {
    const { code, err } = await juju('deploy ./tiny server');
    expect(code).toBe(1);
    expect(err).toContain('ERROR cannot add application "server": application already exists');
  });

  test('is configured, by value, file and reset', async () => {
    expect(await juju('config server port')).toMatchObject({ code: 0, out: '9000\n' });
    expect(await juju(['config', 'server', 'port=9001', 'motd=hello: world'])).toEqual({
      code: 0,
      out: '',
      err: '',
    });
    expect(parse((await juju('config server')).out)).toMatchObject({
      application: 'server',
      settings: {
        port: { value: 9001, source: 'user', default: 8080 },
        motd: { value: 'hello: world' },
        fail: { value: false, source: 'default' },
      },
    });
    expect(await juju('config server --reset port')).toMatchObject({ code: 0 });
    expect((await juju('config server port')).out).toBe('8080\n');
    expect(await juju('config server port=x')).toMatchObject({
      code: 1,
      err: expect.stringContaining('option "port" expected int, got "x"'),
    });
    expect(await juju('config server nope=1')).toMatchObject({
      code: 1,
      err: expect.stringContaining('unknown option "nope"'),
    });
  });

  test('runs actions: results, log lines, failure, crash', async () => {
    const echo = await juju('run server/0 echo text=hi count=3');
    expect(echo).toMatchObject({
      code: 0,
      out: 'nested:\n  count: "3"\ntext: hi\n\nwritten\nwarned\n',
    });
    expect(echo.err).toMatch(
      /^Running operation \d+ with 1 task\n {2}- task \d+ on unit-server-0\n\nWaiting for task \d+\.\.\.\n\n\d\d:\d\d:\d\d echoing\n/,
    );
    expect(await juju('run server/leader refuse')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^Action id \d+ failed: as you wish\n\n$/),
    });
    expect(await juju('run server/0 crash --quiet')).toMatchObject({
      code: 1,
      out: expect.stringMatching(/^Action id \d+ failed: exit status 3\n\noops\n$/),
      err: expect.stringMatching(
        /^ERROR the following task failed:\n - id "\d+" with return code 3\n/,
      ),
    });
  });

  test('refuses actions that do not exist and parameters that do not fit, with exit code 0', async () => {
    expect(await juju('run server/0 nope')).toMatchObject({
      code: 0,
      out: '',
      err: expect.stringContaining('action "nope" not defined on unit "server/0"'),
    });
    expect(await juju('run server/0 echo count=many')).toMatchObject({
      code: 0,
      err: expect.stringContaining('validation failed: (root).count'),
    });
  });

  test('runs an action in the background, shows it, and cancels it', async () => {
    const { err } = await juju('run server/0 slow --background');
    const id = /with task (\d+)/.exec(err)?.[1] ?? '';
    expect(await juju(`show-task ${id} --wait 300ms`)).toMatchObject({
      code: 1,
      err: expect.stringContaining('ERROR maximum wait time reached'),
    });
    expect(await juju(`cancel-task ${id}`)).toMatchObject({ code: 0 });
    const shown = await juju(`show-task ${id} --wait 10s --format json`);
    expect(JSON.parse(shown.out)).toMatchObject({ id, status: 'aborted' });
    const { out } = await juju('operations');
    expect(out).toContain('slow run on unit-server-0');
  });

  test('runs commands in the hook context', async () => {
    expect(
      await juju(['exec', '--unit', 'server/0', 'config-get port; echo no >&2']),
    ).toMatchObject({
      code: 0,
      out: '8080\nno\n',
      err: '',
    });
    expect(await juju('exec --unit server/0 -- false')).toMatchObject({ code: 1 });
  });

  test('lists its actions', async () => {
    expect((await juju('actions server')).out).toMatch(/^echo +Gives back what it gets$/m);
    expect((await juju('show-action server echo')).out).toContain('default: nothing');
  });

  test('is related, sees the data of the other side, and shows it', async () => {
    await juju('deploy ./tiny client');
    expect(await juju('integrate client:upstream server:service')).toEqual({
      code: 0,
      out: '',
      err: '',
    });
    const query = 'workload-message=="upstream is http://server/0"';
    expect(
      await juju(['wait-for', 'unit', 'client/0', '--query', query, '--timeout', '20s']),
    ).toMatchObject({ code: 0 });
    expect((await juju('status --relations')).out).toMatch(
      /^server:service +client:upstream +tiny +regular +$/m,
    );
    const unit = parse((await juju('show-unit client/0 --endpoint upstream')).out);
    expect(unit['client/0']['relation-info'][0]).toMatchObject({
      'related-endpoint': 'service',
      'related-units': { 'server/0': { data: { url: 'http://server/0' } } },
    });
    expect(await juju('integrate client:upstream server:service')).toMatchObject({
      code: 1,
      err: expect.stringContaining("Use 'juju status --relations' to view the current relations."),
    });
    expect(await juju('remove-relation client:upstream server:service')).toMatchObject({ code: 0 });
  });

  test('reads a user secret only when it was granted', async () => {
    const added = await juju('add-secret pass word=hush');
    expect(added).toMatchObject({ code: 0, out: expect.stringMatching(/^secret:\S+\n$/) });
    await juju(['config', 'server', `token=${added.out.trim()}`]);
    expect(await juju('run server/0 reveal')).toMatchObject({ code: 1 });
    expect(await juju('grant-secret pass server')).toMatchObject({ code: 0 });
    expect(await juju('run server/0 reveal')).toMatchObject({ code: 0, out: 'token: hush\n\n' });
    expect((await juju('show-secret pass')).out).not.toContain('hush');
    expect((await juju('show-secret pass --reveal')).out).toContain('word: hush');
    expect((await juju('secrets')).out).toMatch(/ pass +<model> +never +1 /);
    expect(await juju('revoke-secret pass server')).toMatchObject({ code: 0 });
    expect(await juju('remove-secret pass')).toMatchObject({ code: 0 });
  });

  test('goes to error when a hook fails, and on after it is resolved', async () => {
    expect(await juju('resolved server/0')).toMatchObject({
      code: 1,
      err: expect.stringContaining('unit "server/0" is not in an error state'),
    });
    await juju('config server fail=true');
    const query = 'workload-status=="error"';
    expect(
      await juju(['wait-for', 'unit', 'server/0', '--query', query, '--timeout', '20s']),
    ).toMatchObject({ code: 0 });
    expect((await juju('status')).out).toContain('hook failed: "config-changed"');
    await juju('config server fail=false');
    // A retry of the sandbox's own may come first; either way the unit has to end active.
    await juju('resolved server/0');
    expect(await juju('wait-for unit server/0 --timeout 20s')).toMatchObject({ code: 0 });
  });

  test('leaves its traces in the log', async () => {
    const { out } = await juju('debug-log --replay --no-tail --include server/0');
    expect(out).toMatch(
      /^unit-server-0: \d\d:\d\d:\d\d INFO unit\.server\/0\.juju-log listening on 9000$/m,
    );
    expect(out).toContain('WARNING unit.server/0.config-changed told to fail\n');
    expect(out).not.toContain('unit-client-0');
  });

  test('follows the log until interrupted', async () => {
    const answer = await sandbox.juju('debug-log --tail --replay', {
      onOutput: (text, kill) => {
        if (text.includes('\n')) {
          kill('SIGINT');
        }
      },
    });
    expect(answer).toMatchObject({ code: 130, err: '' });
  });

  test('shows its status again and again until interrupted', async () => {
    const answer = await sandbox.juju('status server --watch 100ms --color', {
      onOutput: (text, kill) => {
        if (text.split('Controller').length > 3) {
          kill('SIGINT');
        }
      },
    });
    expect(answer).toMatchObject({ code: 130, err: '' });
    expect(answer.out).toContain('\u001B[32mactive\u001B[0m');
  });

  test('grows and shrinks', async () => {
    expect(await juju('add-unit server')).toEqual({ code: 0, out: '', err: '' });
    expect(await juju('wait-for unit server/1 --timeout 20s')).toMatchObject({ code: 0 });
    expect(await juju('remove-unit server/9 --no-prompt')).toMatchObject({
      code: 1,
      err: 'ERROR removing unit server/9 failed: unit "server/9" does not exist\n',
    });
    const removed = await juju('remove-unit server/1', { input: 'y\n' });
    expect(removed).toMatchObject({
      code: 0,
      out: 'will remove unit server/1\n\nContinue [y/N]? ',
      err: 'WARNING This command will perform the following actions:\n',
    });
    while ((await juju('show-unit server/1')).code === 0) {
      await systemClock.sleep(100);
    }
  });

  test('is removed with its units', async () => {
    const removed = await juju('remove-application server client --no-prompt');
    expect(removed).toMatchObject({
      code: 0,
      out: 'will remove application server\n- will remove unit server/0\nwill remove application client\n- will remove unit client/0\n',
    });
  });
});
