/**
 * `database_backup` v0 between our packed charms and a Python charm that was written from the schemas
 * alone: it stands once on the provider's and once on the requirer's end. The storage of our manager
 * comes from a published S3 library.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { projectRoot } from '#tooling';
import { compareStates } from '../../lib/demo/sample-database.ts';
import { DeployedPair, MANAGER } from '../helpers/deployed-pair.ts';
import type { JujuSandbox } from '../helpers/juju-sandbox.ts';
import { packPythonCharm } from '../helpers/python-charm.ts';
import { describeWithPython } from '../helpers/python-venv.ts';
import { type S3DevServer, startS3DevServer } from '../helpers/s3-dev-server.ts';

jest.setTimeout(300_000);

const CHARMS = join(projectRoot, 'test', 'interop', 'charms');
const BUCKET = 'interop';

type Job = Readonly<Record<string, unknown>>;

await describeWithPython('database_backup with charms of others', 'charm-libraries', (venv) => {
  let scratch = '';
  let s3: S3DevServer;
  let pair: DeployedPair;
  let sandbox: JujuSandbox;

  beforeAll(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'interop-backup-'));
    s3 = await startS3DevServer(BUCKET);
    pair = await DeployedPair.deploy();
    sandbox = pair.sandbox;
    const scribe = await packPythonCharm(join(CHARMS, 'scribe'), venv, scratch);
    const cellar = await packPythonCharm(join(CHARMS, 'cellar'), venv, scratch);
    await sandbox.juju('deploy', scribe, 'notes');
    await sandbox.juju('deploy', scribe, 'clerk');
    await sandbox.juju('deploy', cellar, 'cellar', '--config', `endpoint=${s3.endpoint}`);
    const uri = await sandbox.juju(
      'add-secret',
      'keys',
      `access-key#file=${await sandbox.privateFile('access', s3.accessKey)}`,
      `secret-key#file=${await sandbox.privateFile('secret', s3.secretKey)}`,
    );
    await sandbox.juju('grant-secret', 'keys', 'cellar');
    await sandbox.juju('config', 'cellar', `bucket=${BUCKET}`, `credentials=${uri.trim()}`);
  });
  afterAll(async () => {
    await pair?.destroy();
    await s3?.stop();
    await rm(scratch, { recursive: true, force: true });
  });

  /** Has the clerk ask our database for a job, and answers how the job ended. */
  const order = async (id: string, type: string, artefactPath = ''): Promise<Job> => {
    const storage = {
      bucket: BUCKET,
      endpoint: s3.endpoint,
      'access-key': s3.accessKey,
      'secret-key': s3.secretKey,
      path: 'clerks',
      's3-uri-style': 'path',
    };
    await sandbox.run('clerk/0', 'order', {
      'job-id': id,
      'job-type': type,
      'storage-config': JSON.stringify(JSON.stringify(storage)),
      ...(artefactPath === '' ? {} : { 'artefact-path': artefactPath }),
    });
    return await sandbox.waitFor(`${id} to end`, async () => {
      const { results } = await sandbox.run('clerk/0', 'followup');
      const jobs = JSON.parse(results['jobs'] ?? '[]') as readonly Job[];
      const job = jobs.find((one) => one['job-id'] === id);
      return job !== undefined && job['status'] !== 'running' ? job : undefined;
    });
  };

  describe('our manager', () => {
    let artefactPath = '';

    test('takes its storage from the s3 library of others', async () => {
      await sandbox.juju('integrate', 'cellar:s3', 'backup-manager:s3-credentials');
      await sandbox.juju('integrate', 'notes:kept', 'backup-manager:database-backup');
      await sandbox.waitForApplication('backup-manager');
      await sandbox.waitForApplication('notes');
      const { results } = await sandbox.run(MANAGER, 'check-storage');
      expect(JSON.stringify(results)).toContain(BUCKET);
    });

    test('has a Python charm backed up', async () => {
      await sandbox.run('notes/0', 'write', { text: 'first draft' });
      const job = await pair.finishedJob(await pair.createBackup());
      expect(job).toMatchObject({ status: 'success', database: 'notes' });
      artefactPath = job['artefact-path'] ?? '';
      expect(artefactPath).toContain('notes/');
    });

    test('and restored', async () => {
      await sandbox.run('notes/0', 'write', { text: 'spilt ink' });
      const { results } = await sandbox.run(MANAGER, 'restore', {
        'artefact-path': artefactPath,
        database: 'notes',
      });
      expect(await pair.finishedJob(results['job-id'] ?? '')).toMatchObject({ status: 'success' });
      expect((await sandbox.run('notes/0', 'read')).results['notes']).toBe('first draft');
    });
  });

  describe('our database', () => {
    test('is backed up and restored for a Python charm that asks in v0', async () => {
      const database = await pair.database();
      await database.load(2);
      const before = await database.state();
      await sandbox.juju('integrate', 'db:database-backup', 'clerk:orders');
      const backup = await order('a job/of "ours"', 'backup');
      expect(backup).toMatchObject({ status: 'success', 'job-type': 'backup' });

      await database.damage();
      expect(compareStates(before, await database.state()).equal).toBe(false);
      const path = String(backup['artefact-path']);
      expect(await order('job-2', 'restore', path)).toMatchObject({
        status: 'success',
        'job-type': 'restore',
      });
      const restored = await (await pair.database()).state();
      expect(compareStates(before, restored).lines).toEqual(compareStates(before, before).lines);
    });

    test('answers a restore of nothing with an error', async () => {
      expect(await order('job-3', 'restore', 'nowhere/')).toMatchObject({
        status: 'error',
        message: expect.stringMatching(/\S/),
      });
    });

    test('forgets what is no longer asked for', async () => {
      await sandbox.run('clerk/0', 'withdraw');
      await sandbox.waitFor('the jobs to be gone', async () => {
        return (await sandbox.run('clerk/0', 'followup')).results['jobs'] === '[]';
      });
    });
  });
});
