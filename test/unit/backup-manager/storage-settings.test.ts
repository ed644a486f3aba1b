import { describe, expect, test } from '@jest/globals';
import { HintError } from '#system';
import { readStorageSettings } from '../../../charms/backup-manager/src/storage-settings.ts';

const secret = { 'access-key': ' AK-PLANTED ', 'secret-key': 'SK-PLANTED\n' };
const complete = { bucket: 'b', credentials: 'secret:abc' };

function read(
  options: Readonly<Record<string, string>>,
  readSecret: (uri: string) => Readonly<Record<string, string>> = () => secret,
) {
  return readStorageSettings({
    application: 'backup-manager',
    option: (name) => options[name],
    readSecret,
  });
}

describe('complete settings', () => {
  test('become a storage configuration of the interface', () => {
    const { config } = read({
      ...complete,
      endpoint: 'http://127.0.0.1:9000',
      region: 'eu',
      path: '/a//b/',
      's3-uri-style': 'path',
    });
    expect(config).toEqual({
      bucket: 'b',
      'access-key': 'AK-PLANTED',
      'secret-key': 'SK-PLANTED',
      endpoint: 'http://127.0.0.1:9000',
      region: 'eu',
      path: 'a/b',
      's3-uri-style': 'path',
    });
  });

  test('leave out what is empty', () => {
    const { config } = read({ ...complete, endpoint: '', path: '/', region: ' ' });
    expect(Object.keys(config ?? {})).toEqual(['bucket', 'access-key', 'secret-key']);
  });
});

describe('what is missing or wrong is named, with the command that mends it', () => {
  test('nothing set', () => {
    expect(read({}).fault).toEqual({
      code: 'not-configured',
      message: 'S3 is not configured: bucket and credentials missing',
      hint: 'run: juju config backup-manager bucket=… credentials=secret:…',
    });
  });

  test('no credentials', () => {
    expect(read({ bucket: 'b' }).fault?.hint).toBe(
      'run: juju config backup-manager credentials=secret:…',
    );
  });

  test.each([
    [{ 'access-key': 'AK-PLANTED' }, 'the credentials secret has no secret-key'],
    [{ 'access-key': '', username: 'PLANTED' }, 'has no access-key and no secret-key'],
  ])('a secret with %j', (content, message) => {
    const { fault } = read(complete, () => content);
    expect(fault?.message).toContain(message);
    expect(fault?.hint).toBe('run: juju update-secret secret:abc access-key=… secret-key=…');
    expect(JSON.stringify(fault)).not.toContain('PLANTED');
  });

  test.each([
    [
      'secret-permission-denied',
      'secret-not-granted',
      'run: juju grant-secret secret:abc backup-manager',
    ],
    ['secret-not-found', 'bad-secret', 'juju config backup-manager credentials=secret:…'],
    ['anything-else', 'bad-secret', 'check it with: juju show-secret secret:abc'],
  ])('a secret that cannot be read: %s', (code, expected, hint) => {
    const { fault } = read(complete, () => {
      throw new HintError('permission denied', { code });
    });
    expect(fault?.code).toBe(expected);
    expect(fault?.hint).toContain(hint);
  });

  test.each([
    ['endpoint', 'ftp://x'],
    ['endpoint', 'https://user:PLANTED@s3.example.org'],
    ['s3-uri-style', 'dns'],
    ['bucket', 'a/b'],
    ['tls-ca-chain', 'not a certificate'],
  ])('%s=%s', (name, value) => {
    const { fault } = read({ ...complete, [name]: value });
    expect(fault?.code).toBe('invalid-configuration');
    expect(fault?.message).toContain(name);
    expect(fault?.hint).toContain('juju config backup-manager');
    expect(JSON.stringify(fault)).not.toContain('PLANTED');
  });
});
