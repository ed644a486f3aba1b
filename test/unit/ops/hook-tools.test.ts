import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import {
  CloudAccessError,
  HookToolError,
  hookTools,
  NotLeaderError,
  PermissionDeniedError,
  RelationNotFoundError,
  SecretNotFoundError,
  SecretPermissionError,
} from '#ops';
import { splitText, stringMapYaml } from '../../../lib/ops/hook-tools/text.ts';
import * as fc from '../../helpers/fast-check.ts';
import { scripted } from '../../helpers/scripted-tools.ts';

const relation = { endpoint: 'db', id: 7 };

describe('arguments', () => {
  test.each<[string, (runner: hookTools.HookToolRunner) => unknown, readonly string[]]>([
    ['relation-ids', (it) => hookTools.relationIds(it, 'db'), ['--format=json', 'db']],
    [
      'relation-list',
      (it) => hookTools.relationList(it, relation),
      ['--format=json', '-r', 'db:7'],
    ],
    [
      'relation-list',
      (it) => hookTools.relationListApp(it, relation),
      ['--format=json', '-r', 'db:7', '--app'],
    ],
    [
      'relation-get',
      (it) => hookTools.relationGet(it, relation, { name: 'pg', application: true }),
      ['--format=json', '-r', 'db:7', '--app', '-', 'pg'],
    ],
    [
      'relation-set',
      (it) => hookTools.relationSet(it, relation, { a: 'b' }, { application: false }),
      ['-r', 'db:7', '--file', '-'],
    ],
    [
      'relation-model-get',
      (it) => hookTools.relationModelGet(it, relation),
      ['--format=json', '-r', 'db:7'],
    ],
    ['config-get', (it) => hookTools.configGet(it), ['--format=json']],
    ['is-leader', (it) => hookTools.isLeader(it), ['--format=json']],
    ['goal-state', (it) => hookTools.goalState(it), ['--format=json']],
    ['application-version-set', (it) => hookTools.applicationVersionSet(it, '-1'), ['--', '-1']],
    [
      'status-set',
      (it) => hookTools.statusSet(it, { status: 'active', message: '-x' }, { application: true }),
      ['--application=true', 'active', '--', '-x'],
    ],
    [
      'status-get',
      (it) => hookTools.statusGet(it),
      ['--format=json', '--include-data', '--application=false'],
    ],
    [
      'status-get',
      (it) => hookTools.applicationStatusGet(it),
      ['--format=json', '--include-data', '--application=true'],
    ],
    ['state-get', (it) => hookTools.stateGet(it), ['--format=json', '--', '-']],
    ['state-get', (it) => hookTools.stateGet(it, '-k'), ['--format=json', '--', '-k']],
    ['state-set', (it) => hookTools.stateSet(it, { a: 'b' }), ['--file', '-']],
    ['state-delete', (it) => hookTools.stateDelete(it, '-k'), ['--', '-k']],
    ['credential-get', (it) => hookTools.credentialGet(it), ['--format=json']],
    ['juju-reboot', (it) => hookTools.jujuReboot(it, { now: false }), []],
    ['juju-reboot', (it) => hookTools.jujuReboot(it, { now: true }), ['--now']],
    [
      'unit-get',
      (it) => hookTools.unitGet(it, 'public-address'),
      ['--format=json', 'public-address'],
    ],
    ['opened-ports', (it) => hookTools.openedPorts(it), ['--format=json']],
    ['opened-ports', (it) => hookTools.openedPortsByEndpoint(it), ['--format=json', '--endpoints']],
    [
      'open-port',
      (it) => hookTools.openPort(it, '80/tcp', { endpoints: ['db', 'web'] }),
      ['80/tcp', '--endpoints', 'db,web'],
    ],
    [
      'close-port',
      (it) => hookTools.closePort(it, '80/tcp', { endpoints: ['db'] }),
      ['80/tcp', '--endpoints', 'db'],
    ],
    [
      'network-get',
      (it) => hookTools.networkGet(it, 'db', { relation }),
      ['--format=json', '-r', 'db:7', 'db'],
    ],
    ['storage-list', (it) => hookTools.storageList(it), ['--format=json']],
    [
      'secret-revoke',
      (it) => hookTools.secretRevoke(it, 'secret:1', { application: 'pg' }),
      ['--app', 'pg', 'secret:1'],
    ],
    [
      'secret-revoke',
      (it) => hookTools.secretRevoke(it, 'secret:1', { unit: 'pg/0' }),
      ['--unit', 'pg/0', 'secret:1'],
    ],
    [
      'secret-revoke',
      (it) => hookTools.secretRevoke(it, 'secret:1', { relation, unit: 'pg/0' }),
      ['--relation', 'db:7', '--unit', 'pg/0', 'secret:1'],
    ],
    ['action-get', (it) => hookTools.actionGet(it), ['--format=json']],
    ['action-set', (it) => hookTools.actionSet(it, { 'a.b': 'c d' }), ['a.b=c d']],
    ['action-log', (it) => hookTools.actionLog(it, '--x'), ['--', '--x']],
    ['action-fail', (it) => hookTools.actionFail(it), []],
    ['action-fail', (it) => hookTools.actionFail(it, 'no'), ['--', 'no']],
    [
      'secret-get',
      (it) => hookTools.secretGet(it, { id: 'secret:1' }),
      ['--format=json', 'secret:1'],
    ],
    [
      'secret-get',
      (it) => hookTools.secretGet(it, { id: 'secret:1', label: 'l' }, 'refresh'),
      ['--format=json', 'secret:1', '--label', 'l', '--refresh'],
    ],
    [
      'secret-info-get',
      (it) => hookTools.secretInfoGet(it, { id: 'secret:1', label: 'l' }),
      ['--format=json', 'secret:1'],
    ],
    [
      'secret-grant',
      (it) => hookTools.secretGrant(it, 'secret:1', { relation, unit: 'pg/0' }),
      ['--relation', 'db:7', '--unit', 'pg/0', 'secret:1'],
    ],
    [
      'secret-revoke',
      (it) => hookTools.secretRevoke(it, 'secret:1', { relation }),
      ['--relation', 'db:7', 'secret:1'],
    ],
    [
      'secret-remove',
      (it) => hookTools.secretRemove(it, 'secret:1', 3),
      ['secret:1', '--revision', '3'],
    ],
    ['secret-ids', (it) => hookTools.secretIds(it), ['--format=json']],
    [
      'secret-set',
      (it) =>
        hookTools.secretSet(it, 'secret:1', {
          label: 'l',
          expire: new Date('2030-01-02T03:04:05Z'),
          rotate: 'daily',
        }),
      ['secret:1', '--label', 'l', '--expire', '2030-01-02T03:04:05.000Z', '--rotate', 'daily'],
    ],
    ['open-port', (it) => hookTools.openPort(it, '80/tcp'), ['80/tcp']],
    ['close-port', (it) => hookTools.closePort(it, 'icmp'), ['icmp']],
    ['network-get', (it) => hookTools.networkGet(it, 'db'), ['--format=json', 'db']],
    ['storage-list', (it) => hookTools.storageList(it, 'data'), ['--format=json', 'data']],
    ['storage-get', (it) => hookTools.storageGet(it, 'data/0'), ['--format=json', '-s', 'data/0']],
    ['storage-add', (it) => hookTools.storageAdd(it, { data: 2, log: 1 }), ['data=2', 'log=1']],
    ['resource-get', (it) => hookTools.resourceGet(it, 'blob'), ['blob']],
    ['juju-log', (it) => hookTools.jujuLog(it, 'INFO', '-v'), ['--log-level', 'INFO', '--', '-v']],
  ])('%s gets what Juju expects', (tool, call, args) => {
    const { calls, runner } = scripted();
    call(runner);
    expect(calls.map(({ tool: name, args: given }) => [name, ...given])).toEqual([[tool, ...args]]);
  });

  test('a databag travels on standard input', () => {
    const { calls, runner } = scripted();
    hookTools.relationSet(runner, relation, { jobs: '[{"a":1}]', gone: '' }, { application: true });
    expect(calls[0]?.args).toEqual(['-r', 'db:7', '--app', '--file', '-']);
    expect(parse(calls[0]?.stdin ?? '')).toEqual({ jobs: '[{"a":1}]', gone: '' });
  });

  test('NUL, which no argument can hold, is spelled out', () => {
    const { calls, runner } = scripted();
    hookTools.statusSet(runner, { status: 'active', message: 'a\0b' }, { application: false });
    expect(calls[0]?.args.at(-1)).toBe('a\\0b');
  });
});

const relationGet = (runner: hookTools.HookToolRunner) =>
  hookTools.relationGet(runner, relation, { name: 'pg/0', application: false });
const secretGet = (runner: hookTools.HookToolRunner) => hookTools.secretGet(runner, { id: 'x' });
const addAppSecret = (runner: hookTools.HookToolRunner) =>
  hookTools.secretAdd(runner, { password: 'hunter2' }, { owner: 'application' });

describe('errors', () => {
  test.each([
    [relationGet, 'invalid value "db:7" for option -r: relation not found', RelationNotFoundError],
    [relationGet, 'permission denied', PermissionDeniedError],
    [
      (it: hookTools.HookToolRunner) =>
        hookTools.relationSet(it, relation, {}, { application: true }),
      'cannot write relation settings',
      PermissionDeniedError,
    ],
    [secretGet, 'secret "x" not found', SecretNotFoundError],
    [secretGet, 'consumer label "x" not found', SecretNotFoundError],
    [secretGet, 'permission denied', SecretPermissionError],
    [addAppSecret, 'this unit is not the leader', NotLeaderError],
    [
      (it: hookTools.HookToolRunner) => hookTools.applicationStatusGet(it),
      'finding application status: this unit is not the leader',
      NotLeaderError,
    ],
    [
      (it: hookTools.HookToolRunner) => hookTools.credentialGet(it),
      'cannot access cloud credentials: permission denied',
      CloudAccessError,
    ],
    [
      (it: hookTools.HookToolRunner) => hookTools.credentialGet(it),
      'cannot access cloud credentials: connection refused',
      HookToolError,
    ],
    [relationGet, 'connection refused', HookToolError],
  ])('Juju\'s phrase gives the type (%#: "%s")', (call, phrase, type) => {
    const { runner } = scripted({ exitCode: 1, stderr: `ERROR ${phrase}\n` });
    const error = thrownBy(() => call(runner));
    expect(error).toBeInstanceOf(type);
    expect(error).toMatchObject({ exitCode: 1, stderr: `ERROR ${phrase}\n` });
    expect((error as HookToolError).constructor).toBe(type);
    expect((error as HookToolError).message).toContain(phrase);
  });

  test('say neither secret content nor action results', () => {
    const { runner } = scripted({ exitCode: 1, stderr: 'ERROR boom' });
    for (const call of [
      () => addAppSecret(runner),
      () => hookTools.secretSet(runner, 'secret:1', { content: { password: 'hunter2' } }),
      () => hookTools.actionSet(runner, { password: 'hunter2' }),
    ]) {
      const error = thrownBy(call) as HookToolError;
      expect(`${error.stack}${error.message}${error.args.join(' ')}`).not.toContain('hunter2');
      expect(error.args.join(' ')).toContain('password');
    }
  });

  test('output that is not JSON names the tool', () => {
    const { runner } = scripted({ stdout: 'warning: something {' });
    expect(() => hookTools.configGet(runner)).toThrow('config-get failed: its output is not JSON');
  });
});

describe('long texts', () => {
  test('a long log message is logged in pieces that fit an argument', () => {
    const { calls, runner } = scripted();
    const message = `${'ü'.repeat(70_000)}\n${'line of text\n'.repeat(20_000)}end`;
    hookTools.jujuLog(runner, 'ERROR', message);
    const pieces = calls.map((call) => call.args.at(-1) ?? '');
    expect(pieces.length).toBe(4);
    expect(pieces.join('')).toBe(message);
    expect(Math.max(...pieces.map((piece) => Buffer.byteLength(piece)))).toBeLessThan(131_072);
  });

  test('a status message or a reason longer than an argument is cut, not refused', () => {
    const { calls, runner } = scripted();
    const message = 'x'.repeat(200_000);
    hookTools.statusSet(runner, { status: 'active', message }, { application: false });
    hookTools.actionFail(runner, message);
    hookTools.actionLog(runner, message);
    const sent = calls.map((call) => call.args.at(-1) ?? '');
    expect(sent.map((text) => text.length)).toEqual([131_071, 131_071, 131_071, 68_929]);
    expect(sent[0]?.endsWith('x...')).toBe(true);
  });

  test('an empty message is not logged: Juju would refuse it', () => {
    const { calls, runner } = scripted();
    hookTools.jujuLog(runner, 'INFO', '');
    expect(calls).toEqual([]);
  });

  test('pieces always join to the text and never break a character', () => {
    fc.assert(
      fc.property(
        // Without the character that stands for broken ones.
        fc
          .string({ unit: fc.oneof(fc.string({ unit: 'grapheme' }), fc.constant('\n')) })
          .filter((text) => !text.includes('\ufffd')),
        fc.integer({ min: 4, max: 20 }),
        (text, maxBytes) => {
          const pieces = splitText(text, maxBytes);
          expect(pieces.join('')).toBe(text);
          for (const piece of pieces) {
            expect(Buffer.byteLength(piece)).toBeLessThanOrEqual(maxBytes);
            expect(piece).not.toContain('\ufffd');
          }
        },
      ),
    );
  });

  test('any text map survives the way through YAML', () => {
    const text = fc.string({ unit: 'binary' });
    fc.assert(
      fc.property(fc.dictionary(text, text), (map) => {
        expect(parse(stringMapYaml(map)) ?? {}).toEqual({ ...map });
      }),
    );
  });
});

function thrownBy(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}
