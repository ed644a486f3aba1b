import { describe, expect, test } from '@jest/globals';
import type { ApplicationConfig } from '../../../lib/sandbox/api.ts';
import { runFake } from './fake-session.ts';

const CONFIG: ApplicationConfig = {
  application: 'db',
  charm: 'database',
  trust: false,
  settings: {
    port: {
      type: 'int',
      description: 'Where to listen',
      default: 5432,
      value: 5433,
      source: 'user',
    },
    name: { type: 'string', source: 'unset' },
    motd: { type: 'string', default: 'hello: world', value: 'hello: world', source: 'default' },
  },
};

const answers = { 'get-config': () => CONFIG, 'set-config': () => ({}) };

describe('juju config', () => {
  test('prints all options as Juju does', async () => {
    const { out } = await runFake(['config', 'db'], answers);
    expect(out).toBe(`\
application: db
application-config:
  trust:
    default: false
    description: Does this application have access to trusted credentials
    source: default
    type: bool
    value: false
charm: database
settings:
  motd:
    default: 'hello: world'
    source: default
    type: string
    value: 'hello: world'
  name:
    source: unset
    type: string
  port:
    default: 5432
    description: Where to listen
    source: user
    type: int
    value: 5433
`);
  });

  test.each([
    ['port', '5433\n'],
    ['motd', 'hello: world\n'],
    ['name', '\n'],
    ['trust', 'false\n'],
  ])('prints the bare value of %s', async (key, expected) => {
    expect((await runFake(['config', 'db', key], answers)).out).toBe(expected);
  });

  test('names an option that is not there', async () => {
    const { code, err } = await runFake(['config', 'db', 'nope'], answers);
    expect({ code, err }).toEqual({
      code: 1,
      err: 'ERROR key "nope" not found in "db" application config or charm settings.\n',
    });
  });

  test('sets and resets in one call, values as typed', async () => {
    const { code, out, calls } = await runFake(
      ['config', 'db', 'port=1', 'motd=a=b', '--reset', 'name,other'],
      answers,
    );
    expect({ code, out }).toEqual({ code: 0, out: '' });
    expect(calls).toEqual([
      {
        name: 'set-config',
        params: {
          application: 'db',
          values: { port: '1', motd: 'a=b' },
          reset: ['name', 'other'],
        },
      },
    ]);
  });

  test('takes a file of settings, and what it printed itself', async () => {
    const own = await runFake(['config', 'db', '--file', '-', 'motd=x'], answers, {
      input: 'db: {port: 7, on: true}\n',
    });
    expect(own.calls[0]?.params).toMatchObject({ values: { port: 7, on: true, motd: 'x' } });
    const { out } = await runFake(['config', 'db'], answers);
    const again = await runFake(['config', 'db', '--file', '-'], answers, { input: out });
    expect(again.calls[0]?.params).toMatchObject({ values: { port: 5433 } });
  });

  test.each([
    [['config'], 'no application name specified'],
    [['config', 'DB'], 'invalid application name "DB"'],
    [['config', 'db', 'a', 'b'], 'can only retrieve a single value, or all values'],
    [['config', 'db', 'a', 'b=1'], 'cannot set and retrieve values simultaneously'],
    [['config', 'db', 'a=1', 'a=2'], 'key "a" specified more than once'],
    [
      ['config', 'db', 'a=1', '--reset', 'a'],
      'key "a" cannot be both set and reset simultaneously',
    ],
    [['config', 'db', 'a', '--reset', 'b'], 'cannot reset and retrieve values simultaneously'],
  ])('refuses %j', async (args, message) => {
    const { code, err } = await runFake(args);
    expect({ code, err }).toEqual({ code: 2, err: `ERROR ${message}\n` });
  });

  test('names a file that is not there', async () => {
    const { code, err } = await runFake(['config', 'db', 'ca=@/no/such/file'], answers);
    expect(code).toBe(1);
    expect(err).toBe(
      'ERROR cannot read option file for "ca": open /no/such/file: no such file or directory\n',
    );
  });
});

describe('juju model-config', () => {
  const answer = {
    'model-config': () => ({
      'update-status-hook-interval': { value: '5m', source: 'default' as const },
      'automatically-retry-hooks': { value: true, source: 'model' as const },
    }),
  };

  test('prints a table, or one value', async () => {
    expect((await runFake(['model-config'], answer)).out).toBe(
      'Attribute                    From     Value\nautomatically-retry-hooks    model    true\nupdate-status-hook-interval  default  5m\n',
    );
    expect((await runFake(['model-config', 'update-status-hook-interval'], answer)).out).toBe(
      '5m\n',
    );
  });

  test('sets without printing', async () => {
    const { out, calls } = await runFake(['model-config', 'a=1', '--reset=b'], answer);
    expect(out).toBe('');
    expect(calls[0]?.params).toEqual({ values: { a: '1' }, reset: ['b'] });
  });
});
