/** `juju sandbox record`, `stop-record` and `replay`: a run as a file for a bug report. */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { runProcess } from '#system';
import { projectRoot } from '#tooling';
import { SandboxDaemon } from '../../helpers/sandbox-daemon.ts';

const JUJU = join(projectRoot, 'lib', 'sandbox', 'bin', 'juju.mjs');
const SECRET = 'correct horse battery';

const SCRIPTS = {
  install: `secret-add --label pass password="${SECRET}" pin=1 > /dev/null`,
  'config-changed':
    'n=$(config-get number)\n' +
    'p=$(secret-get "$(secret-ids)" password)\n' +
    'relation-set -r "$(relation-ids mates)" number="$n" leaked="$p" home="$CHARM_DIR/x"\n' +
    'printf "note: %s" "$n" | relation-set -r "$(relation-ids mates)" --file -\n' +
    'secret-get "$(secret-ids)" --format json > /dev/null\n' +
    'status-set active "n is $n"',
  act: 'action-set answer=42; exit 3',
};

describe('a record of a run', () => {
  let sandbox: SandboxDaemon;
  let scratch: string;
  beforeEach(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'record-'));
    sandbox = await SandboxDaemon.start();
    await sandbox.deploy('a', { scripts: SCRIPTS });
    await sandbox.settle();
  });
  afterEach(async () => {
    await sandbox.destroy();
    await rm(scratch, { recursive: true });
  });

  async function juju(...args: readonly string[]) {
    const env = { ...process.env, JUJU_DATA: sandbox.root } as Record<string, string>;
    return runProcess(process.execPath, [JUJU, 'sandbox', ...args], {
      env,
      cwd: scratch,
      acceptExitCodes: [0, 1, 2],
    });
  }

  /** One change of config, a failed action and commands, with a kill -9 in between. */
  async function recordRun(name: string): Promise<string> {
    expect(await juju('record', name)).toMatchObject({ exitCode: 0 });
    await sandbox.call('set-config', { application: 'a', values: { number: 1 } });
    await sandbox.waitFor('the first change', async () =>
      (await sandbox.unit('a/0'))?.workload.message?.endsWith('1'),
    );
    await sandbox.settle();
    await sandbox.killDaemon();
    await sandbox.restartDaemon();
    await sandbox.call('set-config', { application: 'a', values: { number: 2 } });
    await sandbox.waitFor('the second change', async () =>
      (await sandbox.unit('a/0'))?.workload.message?.endsWith('2'),
    );
    await sandbox.settle();
    await sandbox.run('a/0', 'act');
    await sandbox.exec('a/0', 'is-leader');
    expect(await juju('stop-record')).toMatchObject({ exitCode: 0 });
    return join(scratch, name);
  }

  test('has commands, dispatches, tools and commits, and no content of a secret', async () => {
    const file = await recordRun('run.jsonl.gz');
    const text = gunzipSync(await readFile(file)).toString('utf8');
    expect(text).not.toContain(SECRET);
    const [header, ...lines] = text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(header).toMatchObject({ format: 'juju-sandbox-record', version: 1, juju: '3.6.28' });
    expect(lines).toContainEqual(
      expect.objectContaining({
        type: 'command',
        call: 'set-config',
        params: { application: 'a', values: { number: 1 } },
      }),
    );
    const dispatches = lines.filter(({ type }) => type === 'dispatch');
    expect(dispatches.map(({ dispatch, name }) => [dispatch, name])).toEqual([
      [1, 'config-changed'],
      [2, 'config-changed'],
      [3, 'act'],
      [4, 'run-commands'],
    ]);
    expect(dispatches[0]).toMatchObject({
      unit: 'a/0',
      charm: 'witness-0',
      file: '{charm}/dispatch',
      env: { JUJU_DISPATCH_PATH: 'hooks/config-changed', JUJU_CHARM_DIR: '{charm}' },
    });
    const tools = lines.filter(({ type, dispatch }) => type === 'tool' && dispatch === 1);
    expect(tools.map(({ command, args }) => [command, args])).toContainEqual([
      'relation-set',
      ['-r', 'mates:0', 'number=1', 'leaked=[redacted]', 'home={charm}/x'],
    ]);
    expect(tools).toContainEqual(
      expect.objectContaining({ command: 'relation-set', stdin: 'note: 1', code: 0 }),
    );
    expect(tools).toContainEqual(
      expect.objectContaining({ stdout: '{"password":"[redacted]","pin":"[redacted]"}\n' }),
    );
    expect(lines.filter(({ type }) => type === 'resume')).toHaveLength(1);
    const ends = lines.filter(({ type }) => type === 'end');
    expect(ends.map(({ exitCode }) => exitCode)).toEqual([0, 0, 3, 0]);
    const commits = lines.filter(({ type }) => type === 'commit');
    expect(commits.map(({ committed }) => committed)).toEqual([true, true, false, true]);
  }, 60_000);

  test('is replayed against the same charm without a difference, and finds the first one', async () => {
    await recordRun('run.jsonl');
    expect(await juju('replay', 'run.jsonl')).toMatchObject({
      exitCode: 0,
      stderr: '',
      stdout: 'a/0: 4 dispatches replayed, no difference\n',
    });

    const charm = join(scratch, 'changed');
    await cp(join(sandbox.root, 'charms', 'witness-0'), charm, { recursive: true });
    const script = join(charm, 'scripts', 'config-changed');
    const changed = SCRIPTS['config-changed'].replace('active "n is', 'active "n was');
    await writeFile(script, changed);
    expect(await juju('replay', 'run.jsonl', '--charm', charm)).toMatchObject({
      exitCode: 1,
      stderr:
        'ERROR dispatch 1 (config-changed) of a/0 differs at call 10\n' +
        '  recorded: status-set active "n is 1"\n' +
        '  replayed: status-set active "n was 1"\n',
    });
    await writeFile(script, `${SCRIPTS['config-changed']}\nis-leader`);
    expect((await juju('replay', 'run.jsonl', '--charm', charm)).stderr).toContain(
      'differs at call 11\n  recorded: (no further call)\n  replayed: is-leader\n',
    );
    await writeFile(script, 'exit 5');
    expect((await juju('replay', 'run.jsonl', '--charm', charm)).stderr).toContain(
      'differs at call 1\n  recorded: config-get number\n  replayed: (no further call)\n',
    );
    await writeFile(script, `${SCRIPTS['config-changed']}\nexit 5`);
    expect((await juju('replay', 'run.jsonl', '--charm', charm)).stderr).toContain(
      'differs at exit\n  recorded: exit code 0\n  replayed: exit code 5\n',
    );
  }, 90_000);

  test('is refused with reasons', async () => {
    expect((await juju('stop-record')).stderr).toBe('ERROR no record is being made\n');
    await writeFile(join(scratch, 'there'), 'not a record');
    expect((await juju('record', 'there')).stderr).toMatch(/cannot record into .*there: EEXIST/);
    expect((await juju('record', 'one')).exitCode).toBe(0);
    expect((await juju('record', 'two')).stderr).toMatch(/a record is being made in .*one/);
    expect((await juju('replay', 'there')).stderr).toMatch('not a record of a sandbox');
    expect((await juju('replay', 'one')).stderr).toMatch('the record has no dispatches');
    expect((await juju('replay', 'none')).stderr).toMatch(/cannot read .*none/);
    expect((await juju('replay')).exitCode).toBe(2);
  }, 60_000);
});
