/** S3 settings by relation to an s3-integrator, versions 0 and 1 of the interface. */
import { describe, expect, test } from '@jest/globals';
import { HintError } from '#system';
import { readS3Databag, s3Request } from '../../../charms/backup-manager/src/s3-relation.ts';
import { readStorageSettings } from '../../../charms/backup-manager/src/storage-settings.ts';
import { type Scene, Stage } from './stage.ts';

const keys = { 'access-key': 'AK-PLANTED', 'secret-key': 'SK-PLANTED' };
const v0 = { bucket: 'backups', endpoint: 'http://s3.example.org', ...keys };
const v1 = { bucket: 'backups', endpoint: 'http://s3.example.org', 'secret-extra': 'SECRET' };

function read(
  databag: Readonly<Record<string, string>>,
  options: Readonly<Record<string, string>> = {},
  readSecret: (uri: string) => Readonly<Record<string, string>> = () => keys,
) {
  return readStorageSettings({
    application: 'backup-manager',
    option: (name) => options[name],
    readSecret,
    integrator: { name: 's3-integrator', databag },
  });
}

describe('what the integrator wrote', () => {
  test('becomes a storage configuration: lists from JSON, the version as a number', () => {
    const databag = {
      ...v0,
      path: '/a/b/',
      region: 'eu',
      's3-uri-style': 'path',
      'storage-class': 'GLACIER',
      's3-api-version': '4',
      attributes: '["Cache-Control=max-age=90000"]',
      data: '{"internal": true}',
      'delete-older-than-days': '7',
    };
    expect(read(databag).config).toEqual({
      bucket: 'backups',
      endpoint: 'http://s3.example.org',
      ...keys,
      path: 'a/b',
      region: 'eu',
      's3-uri-style': 'path',
      'storage-class': 'GLACIER',
      's3-api-version': 4,
      attributes: ['Cache-Control=max-age=90000'],
    });
  });

  test('version 1 has the keys in a secret', () => {
    const asked: string[] = [];
    const { config } = read({ ...v1, 'secret-extra': 'secret:abc' }, {}, (uri) => {
      asked.push(uri);
      return keys;
    });
    expect(config).toMatchObject(keys);
    expect(asked).toEqual(['secret:abc']);
  });

  test('a certificate may come bare', () => {
    expect(readS3Databag({ 'tls-ca-chain': 'PEM' }).options).toEqual({ 'tls-ca-chain': ['PEM'] });
    expect(readS3Databag({ 'tls-ca-chain': '["A","B"]' }).options).toEqual({
      'tls-ca-chain': ['A', 'B'],
    });
  });
});

describe('what is missing is named, with the command that mends it', () => {
  test.each([
    [{}, 'not-configured', 'has not given S3 credentials yet', 'juju status s3-integrator'],
    [{ ...keys }, 'not-configured', 'gives no bucket', 'juju config s3-integrator bucket=…'],
    [
      { bucket: 'b', 'access-key': 'AK-PLANTED' },
      'not-configured',
      'gives no secret-key',
      'juju status s3-integrator',
    ],
    [
      { ...v0, endpoint: 'ftp://x' },
      'invalid-configuration',
      'endpoint',
      'juju config s3-integrator',
    ],
  ])('%j', (databag, code, message, hint) => {
    const { fault } = read(databag);
    expect(fault).toMatchObject({ code });
    expect(fault?.message).toContain(message);
    expect(fault?.hint).toContain(hint);
    expect(JSON.stringify(fault)).not.toContain('PLANTED');
  });

  test('a secret that is refused', () => {
    const { fault } = read(v1, {}, () => {
      throw new HintError('no', { code: 'secret-permission-denied' });
    });
    expect(fault?.code).toBe('secret-not-granted');
    expect(fault?.hint).toContain('juju remove-relation s3-integrator backup-manager');
  });

  test('given twice, nobody could tell where backups go', () => {
    const { fault } = read(v0, { bucket: 'other', path: 'x' });
    expect(fault).toEqual({
      code: 'configured-twice',
      message:
        'S3 is given twice, by the relation to s3-integrator and by the options bucket, path',
      hint: 'run: juju config backup-manager --reset bucket,path; or juju remove-relation s3-integrator backup-manager',
    });
  });
});

test('the request asks for the keys in a secret, and for a bucket of a valid name', () => {
  const { bucket = '', ...rest } = s3Request('A'.repeat(80), '7b1d4e0c-0f1c');
  expect(bucket).toMatch(/^a{54}-7b1d4e0c$/);
  expect(rest).toEqual({ 'requested-secrets': '["access-key","secret-key"]' });
});

describe('on Juju', () => {
  const scene: Scene = { databases: [{ id: 4, name: 'db' }] };

  test.each([
    ['0', v0],
    ['1', v1],
  ])('a backup uses what an integrator of version %s gives', async (_, integrator) => {
    const stage = new Stage();
    const { requests, action } = await stage.act('create-backup', {}, { ...scene, integrator });
    expect(action.failure).toBeUndefined();
    expect(requests(4)[0]?.storageConfig).toMatchObject({ bucket: 'backups', ...keys });
  });

  test('the leader asks, and waits for an answer in its status', async () => {
    const { toIntegrator, unitStatus } = await new Stage().hook('configChanged', {
      ...scene,
      integrator: {},
    });
    expect(toIntegrator['requested-secrets']).toContain('access-key');
    expect(unitStatus).toBe(
      'blocked: s3-integrator has not given S3 credentials yet; see what it waits for: juju status s3-integrator',
    );
  });

  test('a rotated secret is used from the next job on', async () => {
    const { requests } = await new Stage().act(
      'create-backup',
      {},
      { ...scene, integrator: v1, newSecret: { 'access-key': 'AK-NEW', 'secret-key': 'SK-NEW' } },
    );
    expect(requests(4)[0]?.storageConfig).toMatchObject({ 'access-key': 'AK-NEW' });
  });

  test('keys that are gone block, and nothing else happens', async () => {
    const { unitStatus } = await new Stage().hook('configChanged', {
      ...scene,
      integrator: { bucket: 'b' },
    });
    expect(unitStatus).toMatch(/^blocked: s3-integrator has not given S3 credentials/);
  });
});
