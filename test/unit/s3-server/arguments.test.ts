import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { parseCommand } from '../../../lib/sandbox/s3-server/cli/arguments.ts';
import {
  credentialsFile,
  loadCredentials,
} from '../../../lib/sandbox/s3-server/cli/credentials.ts';

const environment = { variables: { HOME: '/home/me' }, workingDirectory: '/here' };

function parse(...args: readonly string[]): ReturnType<typeof parseCommand> {
  return parseCommand(args, environment);
}

describe('the command line', () => {
  test('of start has safe defaults', () => {
    expect(parse('start')).toMatchObject({
      verb: 'start',
      dataDirectory: '/home/me/.local/share/juju-s3',
      host: '127.0.0.1',
      port: 0,
      buckets: [],
      isDetached: false,
    });
  });

  test('of start takes its options', () => {
    expect(
      parse(
        'start',
        '--port',
        '9000',
        '--data=d',
        '--bucket',
        'one',
        '--bucket',
        'two',
        '--detach',
      ),
    ).toMatchObject({
      port: 9000,
      dataDirectory: '/here/d',
      buckets: ['one', 'two'],
      isDetached: true,
    });
  });

  test('takes the data directory from the environment', () => {
    const variables = { JUJU_S3_DATA: '/data' };
    expect(parseCommand(['stop'], { ...environment, variables })).toEqual({
      verb: 'stop',
      dataDirectory: '/data',
    });
  });

  test.each([[], ['help'], ['--help'], ['start', '--help']])('%j shows the help', (...args) => {
    expect(parse(...args)).toEqual({ verb: 'help' });
  });

  test.each([
    [['serve'], 'unknown command "serve"'],
    [['start', 'now'], 'unexpected argument "now"'],
    [['start', '--port', '70000'], '"70000" is no port'],
    [['start', '--port', 'x'], '"x" is no port'],
    [['start', '--tls-cert', 'c'], '--tls-cert and --tls-key go together'],
    [['start', '--nonsense'], '--nonsense'],
    [['start', '--secret-key', 's3cr3t'], 'keys are not taken from the command line'],
    [['start', '--access-key=a'], 'keys are not taken from the command line'],
  ])('%j is refused as wrong usage', (args, message) => {
    expect(() => parse(...args)).toThrow(
      expect.objectContaining({ code: 'usage', message: expect.stringContaining(message) }),
    );
  });

  test('never repeats a secret it refuses', () => {
    expect(() => parse('start', '--secret-key', 's3cr3t')).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('s3cr3t') }),
    );
  });
});

describe('credentials', () => {
  let dataDirectory: string;

  beforeEach(() => {
    dataDirectory = mkdtempSync(join(tmpdir(), 's3-keys-'));
  });

  afterEach(() => rmSync(dataDirectory, { recursive: true, force: true }));

  test('are generated once, for their owner only', async () => {
    const sources = { dataDirectory, file: undefined, variables: {} };
    const first = await loadCredentials(sources);
    expect(await loadCredentials(sources)).toEqual(first);
    const file = credentialsFile(dataDirectory);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, 'utf8')).toBe(
      `access-key: ${first.accessKey}\nsecret-key: ${first.secretKey}\n`,
    );
  });

  test('come from a file, quoted or not', async () => {
    const file = join(dataDirectory, 'keys');
    writeFileSync(file, 'access-key: "AK"\nsecret-key: s/k+=\n');
    expect(await loadCredentials({ dataDirectory, file, variables: {} })).toEqual({
      accessKey: 'AK',
      secretKey: 's/k+=',
    });
  });

  test('come from the environment', async () => {
    const variables = { JUJU_S3_ACCESS_KEY: 'AK', JUJU_S3_SECRET_KEY: 'SK' };
    expect(await loadCredentials({ dataDirectory, file: undefined, variables })).toEqual({
      accessKey: 'AK',
      secretKey: 'SK',
    });
  });

  test.each([
    ['a missing file', { file: '/nowhere/keys', variables: {} }],
    ['one key without the other', { file: undefined, variables: { JUJU_S3_ACCESS_KEY: 'AK' } }],
    [
      'an access key that would break a signature',
      { file: undefined, variables: { JUJU_S3_ACCESS_KEY: 'A/K', JUJU_S3_SECRET_KEY: 'S' } },
    ],
  ])('are refused from %s', async (_, sources) => {
    await expect(loadCredentials({ dataDirectory, ...sources })).rejects.toMatchObject({
      code: 'credentials-invalid',
    });
  });
});
