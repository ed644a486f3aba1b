import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { SecretInfo } from '../../../lib/sandbox/api.ts';
import { runFake } from './fake-session.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'secrets-'));
  writeFileSync(join(folder, 'key'), 'from a file\n');
});
afterAll(() => rmSync(folder, { recursive: true }));

const answers = {
  'add-secret': () => ({ uri: 'secret:9m4e2mr0ui3e8a215n4g' }),
  'update-secret': () => ({}),
  'grant-secret': () => ({}),
};
const base64 = (text: string) => Buffer.from(text).toString('base64');

describe('juju add-secret', () => {
  test('prints the URI and sends values in base64, also those of files', async () => {
    const { code, out, calls } = await runFake(
      [
        'add-secret',
        's3',
        'access-key=a=b',
        'secret-key#file=key',
        'raw#base64=aGk=',
        '--info',
        'x',
      ],
      answers,
      { cwd: folder },
    );
    expect({ code, out }).toEqual({ code: 0, out: 'secret:9m4e2mr0ui3e8a215n4g\n' });
    expect(calls[0]?.params).toEqual({
      name: 's3',
      content: {
        'access-key': base64('a=b'),
        'secret-key': base64('from a file\n'),
        raw: 'aGk=',
      },
      description: 'x',
    });
  });

  test('reads a YAML file, over which arguments win', async () => {
    const { calls } = await runFake(['add-secret', 's3', 'user=me', '--file', '-'], answers, {
      input: 'user: you\npin: 1234\n',
    });
    expect(calls[0]?.params).toMatchObject({
      content: { user: base64('me'), pin: base64('1234') },
    });
  });

  test.each([
    [['add-secret'], 2, 'missing secret name'],
    [['add-secret', 's3'], 2, 'missing secret value or filename'],
    [['add-secret', 's3', 'x'], 2, 'key value "x" not valid'],
    [['add-secret', 's3', 'ab=1'], 2, 'key "ab" not valid'],
    [['add-secret', 's3', 'Big=1'], 2, 'key "Big" not valid'],
    [['add-secret', 's3', 'key#nope=1'], 2, 'key "key#nope" not valid'],
    [['add-secret', 's3', 'key#base64=%'], 2, 'value of key "key" is not base64'],
    [['update-secret', 's3'], 2, 'must specify a new value or metadata to update a secret'],
    [['grant-secret', 's3'], 2, 'missing application name'],
    [['grant-secret', 's3', 'A'], 2, 'application name "A" not valid'],
    [
      ['add-secret', 's3', 'key#file=/no/such'],
      1,
      "reading content for secret key from /no/such: no such file or directory, open '/no/such'",
    ],
  ])('%j is refused', async (args, expected, message) => {
    const { code, err } = await runFake(args);
    expect({ code, err }).toEqual({ code: expected, err: `ERROR ${message}\n` });
  });

  test('grants to several applications', async () => {
    const { calls } = await runFake(['grant-secret', 's3', 'a,b'], answers);
    expect(calls[0]?.params).toEqual({ secret: 's3', applications: ['a', 'b'] });
  });
});

const SECRET: SecretInfo = {
  id: '9m4e2mr0ui3e8a215n4g',
  owner: '<model>',
  name: 'my-secret',
  rotation: 'never',
  revision: 1,
  created: '2024-01-02T15:04:05Z',
  updated: '2024-01-02T15:04:06Z',
  revisions: [{ revision: 1, created: '2024-01-02T15:04:05Z' }],
  access: [{ target: 'application-db', scope: 'model-1', role: 'view' }],
};

describe('juju secrets', () => {
  test('prints the table of Juju', async () => {
    const { name, ...rest } = SECRET;
    const { out } = await runFake(['secrets'], {
      secrets: () => [
        SECRET,
        { ...rest, id: 'd3b2f1rmq25c76t0bhrg', owner: 'mysql', rotation: 'hourly', revision: 2 },
      ],
    });
    expect(out).toBe(`\
ID                    Name       Owner    Rotation  Revision  Last updated
9m4e2mr0ui3e8a215n4g  ${name}  <model>  never            1  2024-01-02
d3b2f1rmq25c76t0bhrg  -          mysql    hourly           2  2024-01-02
`);
  });

  test('show-secret keeps the content to itself unless asked to reveal it', async () => {
    const shown = { ...SECRET, content: { token: base64('hush'), blob: '/w==' } };
    const plain = await runFake(['show-secret', 'my-secret'], { 'show-secret': () => shown });
    expect(plain.out).not.toContain('hush');
    expect(plain.out).toBe(
      `\
9m4e2mr0ui3e8a215n4g:
  revision: 1
  owner: <model>
  name: my-secret
  created: 2024-01-02T15:04:05Z
  updated: 2024-01-02T15:04:06Z
  access:
  - target: application-db
    scope: model-1
    role: view
`,
    );
    const revealed = await runFake(['show-secret', 'my-secret', '--reveal', '--format=json'], {
      'show-secret': () => shown,
    });
    expect(JSON.parse(revealed.out)).toMatchObject({
      '9m4e2mr0ui3e8a215n4g': { content: { Data: { token: 'hush', blob: '/w==' } } },
    });
  });
});
