/** The packed manager on Juju, with an s3-integrator and databases that speak version 0, and a real S3 server. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { createS3ObjectStore, parseS3Options } from '#object-store';
import { artefactPathFor, chunkPrefixFor, writeSnapshot } from '#snapshots';
import { Gate } from '../../helpers/gate.ts';
import { JujuSandbox } from '../../helpers/juju-sandbox.ts';
import { packedCharm } from '../../helpers/packed-charms.ts';
import { type S3DevServer, startS3DevServer } from '../../helpers/s3-dev-server.ts';
import { writeIntegrator, writePlainDatabase } from './small-charms.ts';

jest.setTimeout(600_000);

const MANAGER = 'backup-manager/0';
let scratch: string;
let charm: string;
/** While it is shut no data are read. */
const gate = new Gate();
let s3: S3DevServer;
let sandbox: JujuSandbox;
/** Oldest first. */
let artefacts: readonly string[];

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'manager-in-sandbox-'));
  s3 = await startS3DevServer('backups', {
    faults: ({ operation, key }) =>
      operation === 'GetObject' && key.includes('/chunks/') ? gate.pass() : undefined,
  });
  artefacts = await threeBackups();
  ({ path: charm } = await packedCharm('backup-manager'));
  sandbox = await JujuSandbox.bootstrap();
  await sandbox.juju('deploy', charm, 'backup-manager');
  await sandbox.juju('deploy', await writeIntegrator(scratch), 's3-integrator');
  await sandbox.juju('deploy', await writePlainDatabase(scratch), 'db');
  await sandbox.waitForApplication('backup-manager', 'blocked');
});

afterAll(async () => {
  await sandbox.destroy();
  await s3.stop();
  await rm(scratch, { recursive: true, force: true });
});

async function threeBackups(): Promise<readonly string[]> {
  const { endpoint, bucket, accessKey, secretKey } = s3;
  const store = createS3ObjectStore(
    parseS3Options({ endpoint, bucket, 'access-key': accessKey, 'secret-key': secretKey }),
  );
  const location = { path: 'prod', model: 'shop', app: 'db' };
  const paths: string[] = [];
  for (const day of ['01', '02', '03']) {
    const time = new Date(`2026-11-${day}T02:00:00Z`);
    const artefactPath = artefactPathFor({ ...location, jobId: `job-${day}`, time });
    // oxlint-disable-next-line no-await-in-loop
    await writeSnapshot({
      store,
      artefactPath,
      chunkPrefix: chunkPrefixFor(location),
      entries: (async function* () {
        yield {
          kind: 'stream' as const,
          path: 'dump',
          open: async function* () {
            yield Buffer.from(`select '${day}';`);
          },
        };
      })(),
      compression: true,
      attributes: { application: 'db', model: 'shop', 'model-uuid': 'shop-uuid' },
      clock: { now: () => time, sleep: async () => undefined },
    });
    paths.push(artefactPath);
  }
  store.close();
  return paths;
}

async function act(name: string, params: Readonly<Record<string, string>> = {}) {
  const task = await sandbox.run(MANAGER, name, params);
  expect(`${name}: ${task.status} ${task.message}`).toBe(`${name}: completed `);
  return task.results;
}

async function ended(jobId: string): Promise<Readonly<Record<string, string>>> {
  return await sandbox.waitFor(`${jobId} to end`, async () => {
    const { results } = await sandbox.run(MANAGER, 'show-job', { 'job-id': jobId });
    return ['success', 'error'].includes(results['status'] ?? '') ? results : undefined;
  });
}

/** Waits for it, and answers with the whole message. */
async function statusOf(pattern: RegExp): Promise<string> {
  return await sandbox.waitFor(`the status ${pattern}`, async () => {
    const { message = '' } = (await sandbox.unit(MANAGER))?.['workload-status'] ?? {};
    return pattern.test(message) && message;
  });
}

async function integrator(...options: readonly string[]): Promise<void> {
  await sandbox.juju('config', 's3-integrator', ...options);
}

test('an integrator without settings is what the status names', async () => {
  await sandbox.juju('integrate', 's3-integrator', 'backup-manager');
  const message = await statusOf(/s3-integrator has not given S3 credentials yet/);
  expect(message).toContain('juju status s3-integrator');
});

test('one that speaks version 0 is enough to begin', async () => {
  const keys = await sandbox.juju(
    'add-secret',
    'keys',
    `access-key#file=${await sandbox.privateFile('access', s3.accessKey)}`,
    `secret-key#file=${await sandbox.privateFile('secret', s3.secretKey)}`,
  );
  await sandbox.juju('grant-secret', 'keys', 's3-integrator');
  await integrator(`endpoint=${s3.endpoint}`, 'bucket=backups', 'path=prod', `keys=${keys.trim()}`);
  await statusOf(/no database is related/);
  const checked = await act('check-storage');
  expect(checked).toMatchObject({ usable: 'true', bucket: 'backups' });
  expect(checked['findings']).toMatch(/^CHECK +OUTCOME/);
  expect(await act('list-backups')).toMatchObject({ count: '3' });
});

test('options besides the relation block, because nobody could tell where backups go', async () => {
  await sandbox.juju('config', 'backup-manager', 'bucket=other');
  const message = await statusOf(/^S3 is given twice/);
  expect(message).toContain('juju config backup-manager --reset bucket');
  await sandbox.juju('config', 'backup-manager', '--reset', 'bucket');
  await statusOf(/no database is related/);
});

test('a database of version 0 is asked, its answer recorded, and its job withdrawn', async () => {
  await sandbox.juju('integrate', 'db', 'backup-manager');
  const { 'job-id': jobId = '' } = await act('create-backup', { label: 'first' });
  await sandbox.juju('config', 'db', 'status=success', `artefact-path=${artefacts[2]}`);
  expect(await ended(jobId)).toMatchObject({ status: 'success', label: 'first' });
  await statusOf(/^1 of 1 database protected; db backed up under 1 h ago/);
  expect(JSON.stringify(await sandbox.showUnit('db/0'))).not.toContain(s3.secretKey);
});

test('what it does not understand is refused, or taken back', async () => {
  const [artefactPath = ''] = artefacts;
  await sandbox.juju('config', 'db', 'status=running');
  const tried = await sandbox.run(MANAGER, 'restore', {
    'artefact-path': artefactPath,
    database: 'db',
    'dry-run': 'true',
  });
  expect(tried.message).toContain('would restore in earnest, so nothing was asked');
  const { 'job-id': jobId = '' } = await act('create-backup');
  expect(await act('cancel-job', { 'job-id': jobId })).toMatchObject({ status: 'cancelled' });
  expect(await ended(jobId)).toMatchObject({ 'error-code': 'cancelled' });
});

test('a whole backup is verified in the background, and the database counts as verified', async () => {
  const [, , artefactPath = ''] = artefacts;
  const { 'job-id': id = '' } = await act('verify-backup', {
    'artefact-path': artefactPath,
    level: 'full',
  });
  expect(await ended(id)).toMatchObject({ type: 'verify', status: 'success' });
  await statusOf(/db backed up under 1 h ago, verified under 1 h ago/);
  expect((await act('list-backups'))['backups']).toMatch(/verified \d+ (?:s|min) ago/);
  expect((await act('list-databases'))['databases']).toMatch(/\ndb +\d+ +\d+ (?:s|min) ago/);
});

test('a kept backup stays, a deleted one comes back', async () => {
  const [first = '', second = ''] = artefacts;
  await act('keep-backup', { 'artefact-path': first });
  const refused = await sandbox.run(MANAGER, 'delete-backup', { 'artefact-path': first });
  expect(refused.message).toContain('marked to be kept');
  await act('delete-backup', { 'artefact-path': second });
  expect(await act('list-backups')).toMatchObject({ count: '2', deleted: '1' });
  await act('delete-backup', { 'artefact-path': second, undelete: 'true' });
  expect(await act('list-backups')).toMatchObject({ count: '3', deleted: '0' });
});

test('retention deletes what the plan said, after the next backup', async () => {
  const [first, second] = artefacts;
  await sandbox.juju('config', 'backup-manager', 'retention=keep-all');
  await statusOf(/^cannot use retention rule "keep-all"/);
  const planned = await act('plan-retention', { retention: 'last=1' });
  expect(planned).toMatchObject({ keep: '2', delete: '1' });
  expect(planned['plan']).toMatch(new RegExp(`\\nkeep .*${first} +marked to be kept`));
  expect(planned['plan']).toMatch(new RegExp(`\\ndelete .*${second} +no rule keeps it`));
  await sandbox.juju('config', 'backup-manager', 'retention=last=1');
  await sandbox.juju('config', 'db', 'status=success');
  await act('create-backup');
  await sandbox.waitFor('one backup to be deleted', async () => {
    const { results } = await sandbox.run(MANAGER, 'list-backups', { deleted: 'true' });
    return results['backups']?.includes(second ?? '');
  });
  const { upkeep = '' } = await act('list-jobs');
  expect(upkeep).toMatch(/retention/);
});

test('an integrator that goes blocks, and one of version 1 brings it back; rotated keys are taken', async () => {
  await sandbox.juju('remove-relation', 's3-integrator', 'backup-manager');
  await statusOf(/^S3 is not configured: bucket and credentials missing/);
  await integrator('version=1');
  await sandbox.waitFor('the end of the old relation', async () => {
    const { exitCode } = await sandbox.tryJuju(['integrate', 's3-integrator', 'backup-manager']);
    return exitCode === 0;
  });
  await statusOf(/^1 of 1 database protected/);
  expect(JSON.stringify(await sandbox.showUnit(MANAGER))).not.toContain(s3.secretKey);
  const rotated = { accessKey: s3.accessKey, secretKey: 'another-planted-secret-key-0003' };
  s3.replaceCredentials(rotated);
  expect((await sandbox.run(MANAGER, 'list-backups')).message).toMatch(/credential|signature/i);
  await sandbox.juju(
    'update-secret',
    'keys',
    `access-key#file=${await sandbox.privateFile('access', rotated.accessKey)}`,
    `secret-key#file=${await sandbox.privateFile('rotated', rotated.secretKey)}`,
  );
  await sandbox.waitFor('the rotated keys to be used', async () => {
    const { status } = await sandbox.run(MANAGER, 'list-backups');
    return status === 'completed';
  });
});

test('a second unit names the leader, and answers what changes nothing', async () => {
  await sandbox.juju('add-unit', 'backup-manager');
  await sandbox.waitFor('two units', async () => {
    const unit = await sandbox.unit('backup-manager/1');
    return unit?.['juju-status'].current === 'idle';
  });
  for (const name of ['create-backup', 'undo-restore', 'clear-history', 'check-storage', 'sweep']) {
    // oxlint-disable-next-line no-await-in-loop
    const task = await sandbox.run('backup-manager/1', name);
    expect(task.message).toContain('run: juju run backup-manager/0');
  }
  const { status, results } = await sandbox.run('backup-manager/1', 'list-jobs');
  expect(status).toBe('completed');
  expect(results['upkeep']).toMatch(/verify/);
});

test('an upgrade leaves history and running verification alone', async () => {
  const [, , artefactPath = ''] = artefacts;
  const { count } = await act('list-jobs');
  gate.shut();
  const params = { 'artefact-path': artefactPath, level: 'full' };
  const { 'job-id': id = '' } = await act('verify-backup', params);
  await sandbox.juju('refresh', 'backup-manager', '--path', charm);
  await sandbox.waitForApplication('backup-manager');
  gate.open();
  expect(await ended(id)).toMatchObject({ type: 'verify', status: 'success' });
  expect(await act('list-jobs')).toMatchObject({ count });
});

test('a second manager of the same database has a history of its own', async () => {
  const { count } = await act('list-jobs');
  await sandbox.juju('deploy', charm, 'second-manager');
  await sandbox.juju('integrate', 's3-integrator', 'second-manager');
  await sandbox.juju('integrate', 'db', 'second-manager');
  await sandbox.waitForApplication('second-manager');
  const { results } = await sandbox.run('second-manager/0', 'create-backup');
  expect(results['job-id']).toBeDefined();
  await sandbox.waitFor('the backup of the second manager', async () => {
    const listed = await sandbox.run('second-manager/0', 'list-jobs');
    return listed.results['unfinished'] === '0' && listed.results['count'] === '1';
  });
  expect(await act('list-jobs')).toMatchObject({ count });
});

test('history is cleared, and backups stay', async () => {
  await act('clear-history', { 'older-than': '1h' });
  const before = Number((await act('list-jobs'))['count']);
  expect(before).toBeGreaterThan(0);
  await act('clear-history');
  expect(await act('list-jobs')).toMatchObject({ count: '0' });
  expect(await act('list-backups')).toMatchObject({ count: '2' });
});
