/** The main job, end to end: packed charms, real PostgreSQL, a real S3 server (Ceph RGW over TLS). */
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { compareStates, type DatabaseState } from '../../lib/demo/sample-database.ts';
import { type SharedCephRgw, sharedCephRgw } from '../helpers/ceph-rgw.ts';
import { DeployedPair, MANAGER } from '../helpers/deployed-pair.ts';

jest.setTimeout(600_000);

let rgw: SharedCephRgw;
let pair: DeployedPair;
let before: DatabaseState;
let artefactPath = '';

beforeAll(async () => {
  rgw = await sharedCephRgw();
  await createBucket(rgw, 'backups');
  pair = await DeployedPair.deploy({
    endpoint: rgw.tlsEndpoint,
    bucket: 'backups',
    accessKey: rgw.accessKey,
    secretKey: rgw.secretKey,
    tlsCaChain: rgw.caPem,
  });
  const database = await pair.database();
  await database.load(3);
  before = await database.state();
});

afterAll(async () => {
  await pair.destroy();
});

describe('a database and a backup manager, related', () => {
  test('a backup ends in success and is listed from S3', async () => {
    const job = await pair.finishedJob(await pair.createBackup());
    expect(job).toMatchObject({ status: 'success', database: 'db' });
    artefactPath = job['artefact-path'] ?? '';
    const { results } = await pair.sandbox.run(MANAGER, 'list-backups');
    expect(JSON.stringify(results)).toContain(artefactPath);
  });

  test('a restore brings every row back', async () => {
    const database = await pair.database();
    await database.damage();
    expect(compareStates(before, await database.state()).equal).toBe(false);
    const { results, status } = await pair.sandbox.run(MANAGER, 'restore', {
      'artefact-path': artefactPath,
    });
    expect(status).toBe('completed');
    expect(await pair.finishedJob(results['job-id'] ?? '')).toMatchObject({ status: 'success' });
    const restored = await (await pair.database()).state();
    expect(compareStates(before, restored).lines).toEqual(compareStates(before, before).lines);
  });

  test('history lists both jobs until it is cleared; the backup stays', async () => {
    const listed = await pair.sandbox.run(MANAGER, 'list-jobs', { format: 'json' });
    expect(JSON.stringify(listed.results)).toMatch(/backup.*restore|restore.*backup/s);
    expect((await pair.sandbox.run(MANAGER, 'clear-history')).status).toBe('completed');
    const backups = await pair.sandbox.run(MANAGER, 'list-backups');
    expect(JSON.stringify(backups.results)).toContain(artefactPath);
  });

  test('no credentials stay in the databags once the jobs are done', async () => {
    const clean = pair.sandbox.waitFor('the databags to be without credentials', async () => {
      const units = await Promise.all(['db/0', MANAGER].map((unit) => pair.sandbox.showUnit(unit)));
      return !JSON.stringify(units).includes(rgw.secretKey);
    });
    await expect(clean).resolves.toBe(true);
  });

  test('no secret reached a log or a status', async () => {
    const texts = [
      await pair.sandbox.juju('debug-log', '--replay', '--no-tail', '--level', 'TRACE'),
      await pair.sandbox.juju('status', '--format', 'yaml'),
    ];
    for (const text of texts) {
      expect(text).not.toContain(rgw.secretKey);
    }
  });
});

async function createBucket(server: SharedCephRgw, bucket: string): Promise<void> {
  const client = new S3Client({
    endpoint: server.endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: server.accessKey, secretAccessKey: server.secretKey },
  });
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  client.destroy();
}
