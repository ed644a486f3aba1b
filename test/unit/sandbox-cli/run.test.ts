import { describe, expect, test } from '@jest/globals';
import { aTask, daemonWith } from './a-task.ts';
import { runFake } from './fake-session.ts';

const RUN = ['run', 'mysql/0', 'backup', '--utc'];

const PROGRESS = `\
Running operation 1 with 1 task
  - task 2 on unit-mysql-0

Waiting for task 2...

15:04:05 taking snapshot


`;

describe('juju run', () => {
  test('shows progress and log on standard error and the results on standard output', async () => {
    const { code, out, err } = await runFake(RUN, daemonWith(aTask()));
    expect({ code, out, err }).toEqual({ code: 0, out: 'filename: out.tgz\n\n', err: PROGRESS });
  });

  test('shows no progress when quiet', async () => {
    expect((await runFake([...RUN, '--quiet'], daemonWith(aTask()))).err).toBe('');
  });

  test('prints an empty line when there are no results but streams', async () => {
    const task = aTask({
      results: { 'return-code': 0, stdout: 'one\ntwo\n\n', stderr: '\noops\n' },
    });
    expect((await runFake(RUN, daemonWith(task))).out).toBe('\none\ntwo\noops\n');
  });

  test('says why an action failed and exits 0 when only action-fail was called', async () => {
    const task = aTask({ status: 'failed', message: 'no disk', results: { 'return-code': 0 } });
    const { code, out } = await runFake(RUN, daemonWith(task));
    expect({ code, out }).toEqual({ code: 0, out: 'Action id 2 failed: no disk\n\n' });
  });

  test('exits 1 and names the task when its return code is not 0', async () => {
    const task = aTask({
      status: 'failed',
      message: 'exit status 3',
      results: { 'return-code': 3, stderr: 'no such table\n' },
    });
    const { code, out, err } = await runFake(RUN, daemonWith(task));
    expect({ code, out }).toEqual({
      code: 1,
      out: 'Action id 2 failed: exit status 3\n\nno such table\n',
    });
    expect(err.slice(err.indexOf('ERROR'))).toBe(
      `ERROR the following task failed:\n - id "2" with return code 3\n\nuse 'juju show-task' to inspect the failure\n`,
    );
  });

  test('prints a map by unit for several units, without log lines', async () => {
    const tasks = [
      aTask({ results: { b: { c: 1 }, a: 'x', 'return-code': 0 } }),
      aTask({ id: '3', unit: 'mysql/1', status: 'failed', message: 'no', results: {} }),
    ];
    const { out, err } = await runFake(
      ['run', 'mysql/0', 'mysql/1', 'backup'],
      daemonWith(...tasks),
    );
    expect(out).toBe(`\
mysql/0:
  id: "2"
  output: |
    a: x
    b:
      c: 1
  status: completed
mysql/1:
  id: "3"
  message: "no"
  output: ""
  status: failed
`);
    expect(err).toBe(`\
Running operation 1 with 2 tasks
  - task 2 on unit-mysql-0
  - task 3 on unit-mysql-1

Waiting for task 2...

Waiting for task 3...

`);
  });

  test('prints the YAML of Juju', async () => {
    const { out } = await runFake([...RUN, '--format', 'yaml'], daemonWith(aTask()));
    expect(out).toBe(`\
mysql/0:
  id: "2"
  log:
  - 2024-01-02 15:04:05 +0000 UTC taking snapshot
  results:
    filename: out.tgz
    return-code: 0
  status: completed
  timing:
    completed: 2024-01-02 15:04:06 +0000 UTC
    enqueued: 2024-01-02 15:04:04 +0000 UTC
    started: 2024-01-02 15:04:05 +0000 UTC
  unit: mysql/0
`);
  });

  test('prints JSON that jq filters for Juju understand', async () => {
    const { out } = await runFake([...RUN, '--format=json'], daemonWith(aTask()));
    expect(JSON.parse(out)).toMatchObject({
      'mysql/0': { id: '2', results: { filename: 'out.tgz', 'return-code': 0 } },
    });
  });

  test('sends parameters as YAML values, nested by dots, over those of a file', async () => {
    const { calls } = await runFake(
      (
        'run mysql/leader backup --params - n=3 opts.level=9 opts.fast=yes name=out.tgz ' +
        'list=[1,two] time=15:30 day=2024-01-02 none='
      ).split(' '),
      daemonWith(aTask()),
      { input: 'n: 1\nopts: {level: 1, kept: true}\n' },
    );
    expect(calls[0]).toEqual({
      name: 'run',
      params: {
        targets: ['mysql/leader'],
        action: 'backup',
        params: {
          n: 3,
          opts: { level: 9, kept: true, fast: true },
          name: 'out.tgz',
          list: [1, 'two'],
          time: '15:30',
          day: '2024-01-02',
          none: null,
        },
      },
    });
  });

  test('sends texts with --string-args', async () => {
    const { calls } = await runFake([...RUN, '--string-args', 'n=3'], daemonWith(aTask()));
    expect(calls[0]?.params).toMatchObject({ params: { n: '3' } });
  });

  test('does not wait in the background and says how to go on', async () => {
    const { code, out, err, calls } = await runFake([...RUN, '--background'], daemonWith(aTask()));
    expect({ code, out, calls: calls.length }).toEqual({ code: 0, out: '', calls: 1 });
    expect(err).toBe(
      `Scheduled operation 1 with task 2\nCheck operation status with 'juju show-operation 1'\nCheck task status with 'juju show-task 2'\n`,
    );
  });

  test('prints the tasks of several units in the background', async () => {
    const tasks = [aTask(), aTask({ id: '3', unit: 'mysql/1' })];
    const { out } = await runFake(
      ['run', 'mysql/0', 'mysql/1', 'backup', '--background'],
      daemonWith(...tasks),
    );
    expect(out).toBe('mysql/0:\n  id: "2"\nmysql/1:\n  id: "3"\n');
  });

  test('exits 0 with nothing on standard output when nothing could be scheduled', async () => {
    const error = 'action "nope" not defined on unit "mysql/0"';
    const { code, out, err } = await runFake(['run', 'mysql/0', 'nope'], {
      run: () => ({ operation: '1', tasks: [{ target: 'mysql/0', error }] }),
    });
    expect({ code, out }).toEqual({ code: 0, out: '' });
    expect(err).toBe(`\nOperation 1 failed to schedule any tasks:\n${error}\n`);
  });

  test('gives up after the time given and names the unit', async () => {
    const { code, err } = await runFake(
      [...RUN, '--wait', '1ms'],
      daemonWith(aTask({ status: 'running' })),
    );
    expect(code).toBe(1);
    expect(err).toContain('ERROR timed out waiting for results from: unit mysql/0\n');
  });

  test.each([
    [[], 'no unit specified'],
    [['backup'], 'no unit specified'],
    [['mysql/0'], 'no action specified'],
    [['mysql/0', 'Backup'], 'invalid unit or action name "Backup"'],
    [['mysql/0', 'web/0', 'backup'], 'all units must be of the same application'],
    [['mysql/0', 'backup', 'x'], 'argument "x" must be of the form key.key.key...=value'],
    [
      ['mysql/0', 'backup', 'Big=1'],
      'key "Big" must start and end with lowercase alphanumeric, and contain only lowercase alphanumeric and hyphens',
    ],
    [
      ['mysql/0', 'backup', '--wait=1s', '--background'],
      'cannot specify both --wait and --background',
    ],
  ])('refuses %j', async (args, message) => {
    const { code, err, calls } = await runFake(['run', ...args]);
    expect({ code, err, calls }).toEqual({ code: 2, err: `ERROR ${message}\n`, calls: [] });
  });
});

describe('juju exec', () => {
  test('prints what the commands wrote, standard output first', async () => {
    const task = aTask({ results: { 'return-code': 0, stderr: 'warn', stdout: 'x\n' }, log: [] });
    const { out, err, calls } = await runFake(
      ['exec', '--unit', 'mysql/0', '--', 'echo', 'a b', "it's"],
      daemonWith(task),
    );
    expect({ out, err }).toEqual({ out: 'x\nwarn\n', err: '' });
    expect(calls[0]?.params).toMatchObject({
      command: `echo 'a b' 'it'"'"'s'`,
      units: ['mysql/0'],
    });
  });

  test('hands over a single argument as it is', async () => {
    const { calls } = await runFake(['exec', '-a', 'mysql', 'env | sort'], daemonWith(aTask()));
    expect(calls[0]?.params).toMatchObject({ command: 'env | sort', applications: ['mysql'] });
  });

  test('puts the names above the outputs of several units', async () => {
    const tasks = [
      aTask({ id: '3', unit: 'mysql/10', results: { stdout: 'b\n' } }),
      aTask({ id: '2', unit: 'mysql/2', results: { stdout: 'a\n' } }),
    ];
    const { out } = await runFake(['exec', '--all', 'hostname'], daemonWith(...tasks));
    expect(out).toBe('mysql/2:\na\n\nmysql/10:\nb\n\n');
  });

  test('fails when the commands fail', async () => {
    const task = aTask({ status: 'failed', results: { 'return-code': 7 } });
    const { code, err } = await runFake(['exec', '-u', 'mysql/0', 'exit 7'], daemonWith(task));
    expect(code).toBe(1);
    expect(err).toContain('ERROR the following task failed:\n - id "2" with return code 7\n');
  });

  test.each([
    [['--unit', 'mysql/0'], 'no commands specified'],
    [
      ['env'],
      'You must specify a target, either through --all, --machine, --application or --unit',
    ],
    [
      ['-u', 'x', 'env'],
      'The following exec targets are not valid:\n  "x" is not a valid unit name',
    ],
    [
      ['--machine', 'x', 'env'],
      'The following exec targets are not valid:\n  "x" is not a valid machine id',
    ],
    [['--all', '--machine', '0', 'env'], 'You cannot specify --all and individual machines'],
  ])('refuses %j', async (args, message) => {
    const { code, err } = await runFake(['exec', ...args]);
    expect({ code, err }).toEqual({ code: 2, err: `ERROR ${message}\n` });
  });
});
