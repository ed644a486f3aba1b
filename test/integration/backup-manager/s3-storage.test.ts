/** The manager's storage on a real S3 server: what each fault of the settings is called. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createS3Server, type S3Server } from '#sandbox';
import { createS3Storage } from '../../../charms/backup-manager/src/s3-storage.ts';

const storage = createS3Storage();
let directory: string;
let server: S3Server;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'backup-manager-'));
  server = await createS3Server({
    directory,
    accessKey: 'the-access-key',
    secretKey: 'the-secret-key',
    buckets: ['backups'],
  });
});

afterAll(async () => {
  await server.close();
  await rm(directory, { recursive: true });
});

function settings(changes: Readonly<Record<string, string>> = {}) {
  return {
    bucket: 'backups',
    'access-key': 'the-access-key',
    'secret-key': 'the-secret-key',
    endpoint: server.endpoint,
    path: 'prod',
    ...changes,
  };
}

const signal = AbortSignal.timeout(60_000);

describe('checking the storage', () => {
  test('passes where a backup could be written and read', async () => {
    await expect(storage.check(settings(), { signal })).resolves.toBeUndefined();
  });

  test.each([
    ['a wrong secret key', { 'secret-key': 'SK-PLANTED' }, 'wrong-credentials'],
    ['an unknown access key', { 'access-key': 'AK-PLANTED' }, 'wrong-credentials'],
    ['a missing bucket', { bucket: 'nowhere' }, 'no-such-bucket'],
    ['a port nobody listens on', { endpoint: 'http://127.0.0.1:1' }, 'unreachable'],
  ])('names %s, and no key', async (_, changes, code) => {
    const error: unknown = await storage.check(settings(changes), { signal }).catch((e) => e);
    expect(error).toMatchObject({ code, hint: expect.any(String) });
    expect(String(error)).not.toMatch(/PLANTED|the-secret-key/);
  });
});

test('an empty bucket has no backups, and nothing can be opened', async () => {
  expect(await storage.list(settings(), { signal })).toEqual({
    backups: [],
    unfinished: [],
    deleted: [],
  });
  await expect(storage.open(settings(), 'a/b', { signal })).rejects.toMatchObject({
    code: 'not-found',
  });
});
