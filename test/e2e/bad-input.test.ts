/** What a person gets who asks for something that cannot be: a clear sentence, and nothing breaks. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { createCertificate } from '../helpers/certificate.ts';
import { DeployedPair, MANAGER } from '../helpers/deployed-pair.ts';
import { type S3DevServer, startS3DevServer } from '../helpers/s3-dev-server.ts';

jest.setTimeout(600_000);

let s3: S3DevServer;
let pair: DeployedPair;

beforeAll(async () => {
  s3 = await startS3DevServer('backups');
  pair = await DeployedPair.deploy();
});

afterAll(async () => {
  await pair.destroy();
  await s3.stop();
});

async function expectRefused(
  action: string,
  params: Readonly<Record<string, string>>,
  message: RegExp,
): Promise<void> {
  const task = await pair.sandbox.run(MANAGER, action, params);
  expect(task.status).toBe('failed');
  expect(task.message).toMatch(message);
  await expectNoUnitInError();
}

async function expectNoUnitInError(): Promise<void> {
  const { applications } = await pair.sandbox.status();
  for (const application of Object.values(applications)) {
    for (const unit of Object.values(application.units ?? {})) {
      expect(unit['workload-status'].current).not.toBe('error');
    }
  }
}

async function expectManagerStatus(pattern: RegExp): Promise<void> {
  await pair.sandbox.waitFor(`the manager's status to say ${pattern}`, async () => {
    const unit = await pair.sandbox.unit(MANAGER);
    return (
      unit?.['juju-status'].current === 'idle' &&
      pattern.test(unit['workload-status'].message ?? '')
    );
  });
}

// The order matters: from nothing configured, step by step, to everything right.
describe('before S3 is configured', () => {
  test('a backup of nothing says that no database is related', async () => {
    await expectRefused('create-backup', {}, /relate|integrate/);
    await pair.sandbox.juju('relate', 'db', 'backup-manager');
    await pair.sandbox.waitForApplication('db');
  });

  test('actions say what to configure, and so does the status', async () => {
    await expectRefused('create-backup', {}, /bucket|credentials|S3/i);
    await expectRefused('list-backups', {}, /bucket|credentials|S3/i);
    await expectManagerStatus(/bucket|credentials|S3/i);
  });
});

describe('with S3 configured wrongly', () => {
  test('an endpoint that nobody listens on is named', async () => {
    await pair.configureStorage({ ...s3, endpoint: 'http://127.0.0.1:1' }, 'unreachable');
    await expectManagerStatus(/127\.0\.0\.1:1/);
    await expectRefused('list-backups', {}, /127\.0\.0\.1:1/);
  });

  test('a wrong secret key is told apart, and never shown', async () => {
    const secretKey = 'planted-wrong-secret-key-0001';
    await pair.configureStorage({ ...s3, secretKey }, 'wrong');
    await expectManagerStatus(/secret|credential|signature/i);
    await expectRefused('list-backups', {}, /secret|credential|signature/i);
    const log = await pair.sandbox.juju('debug-log', '--replay', '--no-tail');
    expect(log).not.toContain(secretKey);
  });

  test('a certificate that nobody vouches for is told apart', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'certificate-'));
    const { certPem, keyPem } = await createCertificate(directory);
    const tls = await startS3DevServer('backups', { tls: { cert: certPem, key: keyPem } });
    try {
      await pair.configureStorage(tls, 'untrusted');
      await expectManagerStatus(/certificate/);
      await expectRefused('list-backups', {}, /certificate/);
    } finally {
      await tls.stop();
      await rm(directory, { recursive: true });
    }
  });

  test('a missing bucket is named', async () => {
    await pair.configureStorage({ ...s3, bucket: 'no-such-bucket' }, 'right');
    await expectManagerStatus(/no-such-bucket/);
    await expectRefused('list-backups', {}, /no-such-bucket/);
  });
});

describe('with S3 right', () => {
  test('the status clears by itself', async () => {
    await pair.sandbox.juju('config', 'backup-manager', 'bucket=backups');
    await expectManagerStatus(/0 of 1 database/);
  });

  test('an unknown database is named beside the known ones', async () => {
    await expectRefused('create-backup', { database: 'nonesuch' }, /nonesuch.*\bdb\b/s);
  });

  test('an unknown artefact is named, and one that climbs out of the bucket is too', async () => {
    await expectRefused('restore', { 'artefact-path': 'no/such/backup/' }, /no\/such\/backup/);
    await expectRefused('restore', { 'artefact-path': '../../etc/passwd' }, /etc\/passwd/);
    await expectRefused('show-job', { 'job-id': 'job-nonesuch' }, /job-nonesuch/);
  });

  test('a half-written backup and a foreign object are told apart', async () => {
    await putObject('sandbox/db/backups/20260101T000000Z-job-half/started.json', STARTED);
    await expectRefused(
      'restore',
      { 'artefact-path': 'sandbox/db/backups/20260101T000000Z-job-half/' },
      /job-half.*(incomplete|never completed|not complete|interrupted)/s,
    );
    await putObject('photos/manifest.json', '{"holiday": true}');
    await expectRefused('restore', { 'artefact-path': 'photos' }, /photos/);
    const { results } = await pair.sandbox.run(MANAGER, 'list-backups');
    expect(results).toMatchObject({ count: '0' });
  });

  test('a missing parameter is refused before anything runs', async () => {
    const { stdout, stderr } = await pair.sandbox.tryJuju(['run', MANAGER, 'restore']);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/failed to schedule.*artefact-path/s);
  });

  test('an action on a unit that is not the leader names the leader and does nothing', async () => {
    await pair.sandbox.juju('add-unit', 'backup-manager');
    await pair.sandbox.waitForApplication('backup-manager');
    const task = await pair.sandbox.run('backup-manager/1', 'create-backup');
    expect(task.status).toBe('failed');
    expect(task.message).toMatch(/backup-manager\/0/);
  });

  test('a malformed bag of jobs is answered item by item and breaks nothing', async () => {
    const good = {
      'job-id': 'job-good-but-restore-of-nothing',
      'job-type': 'restore',
      'job-config': { compression: true },
      'storage-interface': 's3',
      'storage-config': {
        bucket: 'backups',
        'access-key': 'x',
        'secret-key': 'y',
        endpoint: s3.endpoint,
      },
      'artefact-path': 'no/such/backup/',
    };
    const bags: readonly string[] = [
      'not JSON',
      '{"jobs": 1}',
      JSON.stringify([1, null, 'text', {}, { 'job-id': 5 }, { 'job-id': 'job-without-more' }]),
      JSON.stringify([
        { ...good, 'job-id': '../../etc/passwd; rm -rf $(pwd)', 'job-type': 'explode' },
        { ...good, 'job-id': 'job-twice' },
        { ...good, 'job-id': 'job-twice' },
        { ...good, 'job-config': { compression: 'yes' }, 'job-id': 'job-wrong-type' },
        good,
      ]),
    ];
    for (const bag of bags) {
      await setJobs(bag);
      await pair.sandbox.waitForApplication('db');
      await expectNoUnitInError();
    }
    const answered = await pair.sandbox.waitFor('the answers', async () => {
      const jobs = await publishedJobs();
      return [
        'job-wrong-type',
        'job-good-but-restore-of-nothing',
        '../../etc/passwd; rm -rf $(pwd)',
      ].every((id) => jobs.get(id)?.['status'] === 'error')
        ? jobs
        : undefined;
    });
    expect(answered.get('job-wrong-type')?.['message']).toMatch(/compression/);
    expect(answered.get('../../etc/passwd; rm -rf $(pwd)')?.['message']).toMatch(/job-type/);
  });
});

const STARTED = JSON.stringify({
  format: 'juju-database-backup/started',
  version: 1,
  'started-at': '2026-01-01T00:00:00.000Z',
  attributes: { application: 'db', model: 'sandbox' },
});

async function putObject(key: string, body: string): Promise<void> {
  const client = new S3Client({
    endpoint: s3.endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: s3.accessKey, secretAccessKey: s3.secretKey },
  });
  await client.send(new PutObjectCommand({ Bucket: s3.bucket, Key: key, Body: body }));
  client.destroy();
}

/** Writes the manager's databag by hand, as a foreign requirer might. */
async function setJobs(text: string): Promise<void> {
  const file = await pair.sandbox.privateFile('jobs.yaml', JSON.stringify({ jobs: text }));
  await pair.sandbox.juju(
    'exec',
    '--unit',
    MANAGER,
    '--',
    `relation-set -r $(relation-ids database-backup) --app --file ${file}`,
  );
}

async function publishedJobs(): Promise<ReadonlyMap<string, Readonly<Record<string, string>>>> {
  const text = await pair.sandbox.juju(
    'exec',
    '--unit',
    'db/0',
    '--',
    'relation-get -r $(relation-ids database-backup) jobs db/0',
  );
  const jobs = (text.trim() === '' ? [] : JSON.parse(text)) as readonly Readonly<
    Record<string, string>
  >[];
  return new Map(jobs.map((job) => [job['job-id'] ?? '', job]));
}
