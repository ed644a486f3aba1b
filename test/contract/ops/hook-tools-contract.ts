/**
 * What any implementation of Juju's hook tools must do, in Juju's words: the phrases are what charms
 * of every framework branch on. An implementation is given a state and an event, and runs tools.
 */
import { describe, expect, test } from '@jest/globals';
import type { hookTools } from '#ops';
import {
  peerRelation,
  relation,
  type State,
  type StateFields,
  secret,
  state,
  type TestEvent,
  TestEvents,
} from '#ops/testing';

/** Hook tools of unit `probe/0` of the probe charm in the middle of `event`. */
export type MakeTools = (given: State, event: TestEvent) => hookTools.HookToolRunner;

const on = new TestEvents();
const db = relation({
  endpoint: 'database',
  remoteApp: 'pg',
  localAppData: { mine: 'app' },
  localUnitData: { mine: 'unit' },
  remoteAppData: { theirs: 'app' },
  remoteUnits: { 0: { theirs: 'unit' }, 2: {} },
});
const peers = peerRelation({
  endpoint: 'cluster',
  localAppData: { token: 't' },
  peers: { 1: { vote: 'yes' } },
});
const user = secret({ content: { password: 'geheim' } });
const hidden = secret({ content: { password: 'geheim' }, granted: false });
const ofApp = secret({ content: { password: 'geheim' }, owner: 'application', label: 'admin' });

const DB = `database:${db.id}`;
const PEERS = `cluster:${peers.id}`;
const SETTABLE = 'maintenance blocked waiting active';

type Answer = { readonly out: unknown } | { readonly error: string; readonly code: number };

/** What a tool printed, or Juju's message and the exit code; anything else is no answer at all. */
function answerOf(outcome: hookTools.HookToolOutcome): Answer {
  const { exitCode, stdout, stderr } = outcome;
  if (exitCode === 0 && stderr === '') {
    return { out: JSON.parse(stdout || 'null') };
  }
  const [, error] = /^ERROR (.*)\n$/.exec(stderr) ?? [];
  return {
    error: stdout === '' ? (error ?? stderr) : `unexpected output: ${stdout}`,
    code: exitCode,
  };
}

function json(...command: string[]): string[] {
  return [...command, '--format=json'];
}

export function hookToolsContract(name: string, makeTools: MakeTools): void {
  function run(
    command: readonly string[],
    fields: StateFields = {},
    event: TestEvent = on.updateStatus(),
  ): hookTools.HookToolOutcome {
    const given = state({ relations: [db, peers], secrets: [user, hidden, ofApp], ...fields });
    const [tool = '', ...args] = command;
    return makeTools(given, event).run({ tool, args });
  }

  describe(`hook tools: ${name}`, () => {
    const cases: [string, string[], Answer, StateFields?][] = [
      ['relation ids', ['relation-ids', 'database'], { out: [DB] }],
      ['relation ids of an unknown endpoint', ['relation-ids', 'nope'], { out: [] }],
      ['relation ids of none', ['relation-ids'], { error: 'no endpoint name specified', code: 2 }],
      ['remote units', ['relation-list', '-r', DB], { out: ['pg/0', 'pg/2'] }],
      [
        'remote units by bare id',
        ['relation-list', '-r', String(db.id)],
        { out: ['pg/0', 'pg/2'] },
      ],
      ['peers without itself', ['relation-list', '-r', PEERS], { out: ['probe/1'] }],
      ['remote application', ['relation-list', '-r', DB, '--app'], { out: 'pg' }],
      [
        'own application of a peer relation',
        ['relation-list', '-r', PEERS, '--app'],
        { out: 'probe' },
      ],
      ['no relation', ['relation-list'], { error: 'no relation id specified', code: 2 }],
      [
        'an unknown relation',
        ['relation-get', '-r', 'database:999999', '-', 'pg/0'],
        { error: 'invalid value "database:999999" for option -r: relation not found', code: 2 },
      ],
      ['remote unit data', ['relation-get', '-r', DB, '-', 'pg/0'], { out: { theirs: 'unit' } }],
      ['one key', ['relation-get', '-r', DB, 'theirs', 'pg/0'], { out: 'unit' }],
      ['an absent key', ['relation-get', '-r', DB, 'absent', 'pg/0'], { out: null }],
      [
        'remote application data',
        ['relation-get', '-r', DB, '--app', '-', 'pg'],
        { out: { theirs: 'app' } },
      ],
      ['own unit data', ['relation-get', '-r', DB, '-', 'probe/0'], { out: { mine: 'unit' } }],
      [
        'own application data on the leader',
        ['relation-get', '-r', DB, '--app', '-', 'probe'],
        { out: { mine: 'app' } },
        { leader: true },
      ],
      [
        'own application data elsewhere',
        ['relation-get', '-r', DB, '--app', '-', 'probe'],
        { error: 'permission denied', code: 1 },
      ],
      [
        'own application data of a peer relation elsewhere',
        ['relation-get', '-r', PEERS, '--app', '-', 'probe'],
        { out: { token: 't' } },
      ],
      ['data of a peer', ['relation-get', '-r', PEERS, '-', 'probe/1'], { out: { vote: 'yes' } }],
      [
        'data of a stranger',
        ['relation-get', '-r', DB, '-', 'other/0'],
        { error: 'permission denied', code: 1 },
      ],
      [
        'an application where a unit belongs',
        ['relation-get', '-r', DB, '-', 'pg'],
        { error: 'expected unit name, got application name "pg"', code: 2 },
      ],
      [
        'writing for the application elsewhere than on the leader',
        ['relation-set', '-r', DB, '--app', 'a=b'],
        { error: 'cannot write relation settings', code: 1 },
      ],
      [
        'writing no pair',
        ['relation-set', '-r', DB, 'a'],
        { error: 'expected "key=value", got "a"', code: 2 },
      ],
      ['a granted secret', ['secret-get', user.id], { out: { password: 'geheim' } }],
      ['a secret not granted', ['secret-get', hidden.id], { error: 'permission denied', code: 1 }],
      [
        'an unknown secret',
        ['secret-get', 'secret:9m4e2mr0ui3e8a215n4g'],
        { error: 'secret "9m4e2mr0ui3e8a215n4g" not found', code: 1 },
      ],
      [
        'an unknown label',
        ['secret-get', '--label', 'x'],
        { error: 'consumer label "x" not found', code: 1 },
      ],
      [
        'neither id nor label',
        ['secret-get'],
        { error: 'require either a secret URI or label', code: 2 },
      ],
      [
        'both for its information',
        ['secret-info-get', ofApp.id, '--label', 'admin'],
        { error: 'specify either a secret URI or label but not both', code: 2 },
        { leader: true },
      ],
      [
        'adding a secret of the application elsewhere than on the leader',
        ['secret-add', '--owner', 'application', 'password=x'],
        { error: 'this unit is not the leader', code: 1 },
      ],
      [
        'adding nothing',
        ['secret-add', '--owner', 'unit'],
        { error: 'missing secret value or filename', code: 2 },
      ],
      [
        'adding a label twice',
        ['secret-add', '--label', 'admin', 'password=x'],
        { error: 'secret with label "admin" already exists', code: 1 },
        { leader: true },
      ],
      [
        'a status charms cannot set',
        ['status-set', 'error', 'x'],
        { error: `invalid status "error", expected one of [${SETTABLE}]`, code: 2 },
      ],
      [
        'the status of the application elsewhere than on the leader',
        ['status-set', '--application=true', 'active'],
        { error: 'this unit is not the leader', code: 1 },
      ],
      [
        'reading it there',
        ['status-get', '--application'],
        { error: 'finding application status: this unit is not the leader', code: 1 },
      ],
      ['leadership', ['is-leader'], { out: true }, { leader: true }],
      [
        'an action tool outside of an action',
        ['action-get'],
        { error: 'not running an action', code: 1 },
      ],
      [
        'a binding that is not declared',
        ['network-get', 'nope'],
        { error: 'no network config found for binding "nope"', code: 1 },
      ],
      [
        'opened ports',
        ['opened-ports'],
        { out: ['443/tcp', '53/udp'] },
        { openedPorts: ['53/udp', '443/tcp'] },
      ],
      [
        'an unknown flag',
        ['config-get', '--nope'],
        { error: 'option provided but not defined: --nope', code: 2 },
      ],
    ];

    test.each(
      cases.map(([title, command, expected, fields = {}]) => ({
        title,
        command,
        expected,
        fields,
      })),
    )('$title', ({ command, expected, fields }) => {
      const format = 'out' in expected ? ['--format=json'] : [];
      expect(answerOf(run([...command, ...format], fields))).toEqual(expected);
    });

    test('a relation tool in a relation event means that relation', () => {
      const event = on.relationChanged(db);
      expect(answerOf(run(json('relation-list'), {}, event))).toEqual({ out: ['pg/0', 'pg/2'] });
    });

    test('in departed the unit is not listed, and its data can be read', () => {
      const event = on.relationDeparted(db, { remoteUnit: 0 });
      expect(answerOf(run(json('relation-list', '-r', DB), {}, event))).toEqual({ out: ['pg/2'] });
      expect(answerOf(run(json('relation-get', '-r', DB, '-', 'pg/0'), {}, event))).toEqual({
        out: { theirs: 'unit' },
      });
    });

    test('in broken the relation is not listed and has no units, and its application can be read', () => {
      const event = on.relationBroken(db);
      expect(answerOf(run(json('relation-ids', 'database'), {}, event))).toEqual({ out: [] });
      expect(answerOf(run(json('relation-list', '-r', DB), {}, event))).toEqual({ out: [] });
      const read = run(json('relation-get', '-r', DB, '--app', '-', 'pg'), {}, event);
      expect(answerOf(read)).toEqual({ out: { theirs: 'app' } });
    });

    test('what is written is read at once; empty values delete; pairs override the file', () => {
      const tools = makeTools(state({ relations: [db] }), on.updateStatus());
      const set = tools.run({
        tool: 'relation-set',
        args: ['-r', DB, '--file', '-', 'a=2'],
        stdin: '"a": "1"\n"mine": ""\n"text": "ü\\n"\n',
      });
      expect(answerOf(set)).toEqual({ out: null });
      const get = tools.run({
        tool: 'relation-get',
        args: json('-r', DB, '-', 'probe/0'),
      });
      expect(answerOf(get)).toEqual({ out: { a: '2', text: 'ü\n' } });
    });

    test('the state of the unit is a map of texts, seen at once', () => {
      const tools = makeTools(state({ unitState: { old: '1' } }), on.updateStatus());
      const call = (...[tool = '', ...args]: readonly string[]) =>
        answerOf(tools.run({ tool, args, stdin: '"b": "2"\n"text": "ü\\n"\n' }));
      expect(call('state-set', 'empty=', 'b=3', '--file', '-')).toEqual({ out: null });
      expect(call(...json('state-get'))).toEqual({
        out: { old: '1', b: '3', empty: '', text: 'ü\n' },
      });
      expect(call('state-delete', 'old')).toEqual({ out: null });
      expect(call(...json('state-get', 'old'))).toEqual({ out: '' });
      expect(call('state-get', 'old', '--strict')).toEqual({ error: '"old" not found', code: 1 });
      expect(call('state-get', 'a', 'b')).toEqual({ error: 'unrecognized args: ["b"]', code: 2 });
    });

    test.each([
      ['a key', 'ü'.repeat(129), 'v', 'max allowed key length (256) exceeded'],
      ['a value', 'k', 'v'.repeat(65_537), 'max allowed value length (65536) exceeded'],
      ['neither', 'k'.repeat(256), 'v'.repeat(65_536), undefined],
    ])('of the state of the unit %s may be too long, in bytes', (_what, key, value, error) => {
      expect(answerOf(run(['state-set', `${key}=${value}`]))).toEqual(
        error === undefined ? { out: null } : { error, code: 1 },
      );
    });

    test('an action sees its params with defaults, and refuses malformed results', () => {
      const event = on.action('greet', { times: 2 });
      expect(answerOf(run(json('action-get'), {}, event))).toEqual({
        out: { name: 'you', times: 2 },
      });
      expect(answerOf(run(['action-set', 'x'], {}, event))).toEqual({
        error: 'argument "x" must be of the form key...=value',
        code: 2,
      });
    });
  });
}
