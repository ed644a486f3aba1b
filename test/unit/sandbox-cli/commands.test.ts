import { describe, expect, test } from '@jest/globals';
import { whyAbsent } from '../../../lib/sandbox/cli/absent.ts';
import { formatLogLine } from '../../../lib/sandbox/cli/log/log-line.ts';
import { COMMANDS, findCommand } from '../../../lib/sandbox/cli/registry.ts';
import { runFake } from './fake-session.ts';

describe('the registry', () => {
  test('agrees with the commands on names and aliases', async () => {
    for (const { name, aliases, load } of COMMANDS) {
      const command = await load();
      expect([command.name, command.aliases]).toEqual([name, aliases]);
    }
  });

  test('has no name twice, and none that is said to be absent', () => {
    const names = COMMANDS.flatMap(({ name, aliases }) => [name, ...aliases]);
    expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
    expect(names.filter((name) => whyAbsent(name) !== undefined)).toEqual([]);
  });

  test('finds a command by its alias', () => {
    expect(findCommand('relate')?.name).toBe('integrate');
    expect(findCommand('resolve')?.name).toBe('resolved');
  });
});

describe('help', () => {
  test('is what one gets without a command', async () => {
    expect((await runFake([])).out).toContain('juju bootstrap');
  });

  test('lists every command', async () => {
    const { out } = await runFake(['help', 'commands']);
    for (const { name } of COMMANDS) {
      expect(out).toContain(`${name} `);
    }
  });

  test.each(COMMANDS.map(({ name }) => name))('juju help %s is complete', async (name) => {
    const { code, out } = await runFake(['help', name]);
    expect(code).toBe(0);
    for (const part of [
      'Usage: juju ',
      'Summary:\n',
      'Global options:\n',
      'Examples:\n    juju ',
    ]) {
      expect(out).toContain(part);
    }
    // Every example is one of this command, and its flags exist.
    const examples = out.split('Examples:\n')[1]?.match(/^ {4}juju .*$/gm) ?? [];
    for (const example of examples) {
      expect(example).toContain(name);
      for (const [, flag] of example.split(' -- ')[0]?.matchAll(/ --([a-z-]+)/g) ?? []) {
        expect(out.split('Examples:')[0]).toContain(`--${flag}`);
      }
    }
  });

  test('is the same by --help, and needs no valid arguments', async () => {
    const byFlag = await runFake(['run', '--help']);
    expect(byFlag).toMatchObject({ code: 0, err: '' });
    expect(byFlag.out).toBe((await runFake(['help', 'run'])).out);
    expect(byFlag.out).toContain('Usage: juju run [options] <unit>');
    expect(byFlag.out).toContain('--string-args');
  });
});

describe('what does not exist', () => {
  test('is answered with near names', async () => {
    const { code, err } = await runFake(['stauts']);
    expect(code).toBe(2);
    expect(err).toBe(
      'ERROR juju: "stauts" is not a juju command. See "juju help commands" for what exists here.\nDid you mean:\n\tstatus\n',
    );
  });

  test.each(['debug-hooks', 'add-cloud', 'firewall-rules'])(
    'juju %s is refused as absent here',
    async (name) => {
      const { code, err } = await runFake([name, 'x']);
      expect(code).toBe(2);
      expect(err).toContain(`ERROR juju ${name} is not available in the sandbox: `);
    },
  );

  test('names the sandbox that is not there', async () => {
    const { code, err } = await runFake(['kill-controller', '--no-prompt']);
    expect({ code, err }).toEqual({
      code: 1,
      err: 'ERROR no sandbox in /nowhere: nothing to stop\n',
    });
  });
});

describe('juju deploy', () => {
  const answers = {
    deploy: () => ({
      application: 'web',
      charm: 'local:tiny-3',
      revision: 3,
      base: 'ubuntu@22.04/stable',
      units: ['web/0'],
    }),
  };

  test('sends an absolute path and tells what Juju tells', async () => {
    const { code, err, calls } = await runFake(
      [
        'deploy',
        './bin',
        'web',
        '-n2',
        '--config',
        'a=1',
        '--config',
        'b=x y',
        '--trust',
        '--to',
        '3,4',
      ],
      answers,
    );
    expect({ code, err }).toEqual({
      code: 0,
      err: 'Located local charm "tiny", revision 3\nDeploying "web" from local charm "tiny", revision 3 on ubuntu@22.04/stable\n',
    });
    expect(calls[0]?.params).toEqual({
      path: '/bin',
      application: 'web',
      units: 2,
      config: { a: '1', b: 'x y' },
      trust: true,
      to: ['3', '4'],
    });
  });

  test.each([
    [['./no-such'], 1, 'no charm was found at "./no-such"'],
    [
      ['mysql'],
      1,
      'charm or bundle not found for "mysql": the sandbox deploys local charms only, by their path',
    ],
    [['./bin', 'Web'], 2, 'invalid application name "Web"'],
    [
      ['./bin', '--device', 'gpu'],
      2,
      'invalid value "gpu" for option --device: the sandbox plays all machines on this host',
    ],
    [[], 2, 'no charm or bundle specified'],
  ])('refuses %j', async (args, expected, message) => {
    const { code, err } = await runFake(['deploy', ...args]);
    expect({ code, err }).toEqual({ code: expected, err: `ERROR ${message}\n` });
  });
});

describe('lines of the log', () => {
  const line = {
    time: '2024-01-02T15:32:38.123Z',
    entity: 'unit-foo-0',
    level: 'INFO',
    module: 'unit.foo/0.juju-log',
    message: 'db:1: msg',
  };
  test('look like those of juju debug-log', () => {
    expect(formatLogLine(line, { utc: true, date: false, milliseconds: false })).toBe(
      'unit-foo-0: 15:32:38 INFO unit.foo/0.juju-log db:1: msg\n',
    );
    expect(formatLogLine(line, { utc: true, date: true, milliseconds: true })).toBe(
      'unit-foo-0: 2024-01-02 15:32:38.123 INFO unit.foo/0.juju-log db:1: msg\n',
    );
  });
});
