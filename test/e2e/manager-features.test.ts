/** What an administrator does beyond backup and restore, with both packed charms and real PostgreSQL. */
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { compareStates, type DatabaseState } from '../../lib/demo/sample-database.ts';
import { DeployedPair, MANAGER } from '../helpers/deployed-pair.ts';
import { Gate } from '../helpers/gate.ts';
import { type S3DevServer, startS3DevServer } from '../helpers/s3-dev-server.ts';

jest.setTimeout(900_000);

// While it is shut no data are stored, so that a cancel lands in the middle of a job.
const gate = new Gate();
let s3: S3DevServer;
let pair: DeployedPair;
let before: DatabaseState;
let artefactPath = '';

beforeAll(async () => {
  s3 = await startS3DevServer('backups', {
    faults: ({ operation, key }) =>
      operation === 'PutObject' && key.includes('/chunks/') ? gate.pass() : undefined,
  });
  pair = await DeployedPair.deploy(s3);
  const database = await pair.database();
  await database.load(2);
  before = await database.state();
  const job = await pair.finishedJob(await pair.createBackup());
  artefactPath = job['artefact-path'] ?? '';
});

afterAll(async () => {
  await pair.destroy();
  await s3.stop();
});

async function ask(action: string, params: Readonly<Record<string, string>> = {}) {
  const { results, status, message } = await pair.sandbox.run(MANAGER, action, params);
  expect(`${action}: ${status} ${message}`).toBe(`${action}: completed `);
  return await pair.finishedJob(results['job-id'] ?? '');
}

async function isAsBefore(): Promise<boolean> {
  return compareStates(before, await (await pair.database()).state()).equal;
}

test('both ends agree on what they know beyond version 0', async () => {
  const { results } = await pair.sandbox.run(MANAGER, 'list-databases', { format: 'json' });
  const [database] = JSON.parse(results['databases'] ?? '[]') as { features: string }[];
  expect(database?.features.split(',')).toEqual(
    expect.arrayContaining(['cancel', 'deadlines', 'dry-run', 'force', 'undo-restore']),
  );
});

test('a dry run reports and leaves the data alone', async () => {
  await (await pair.database()).damage();
  const job = await ask('restore', { 'artefact-path': artefactPath, 'dry-run': 'true' });
  expect(job).toMatchObject({ status: 'success', 'dry-run': 'true' });
  expect(job['report']).not.toBe('');
  expect(job['report']).toBeDefined();
  expect(await isAsBefore()).toBe(false);
});

test('a restore can be undone, and the undo undone', async () => {
  const restored = await ask('restore', { 'artefact-path': artefactPath });
  expect(restored).toMatchObject({ status: 'success', 'undoable-until': expect.any(String) });
  expect(await isAsBefore()).toBe(true);
  expect(await ask('undo-restore')).toMatchObject({
    status: 'success',
    'undo-of': restored['job-id'],
  });
  expect(await isAsBefore()).toBe(false);
  expect(await ask('undo-restore')).toMatchObject({ status: 'success' });
  expect(await isAsBefore()).toBe(true);
});

test('a backup that runs is cancelled, and leaves nothing that is listed', async () => {
  await (await pair.database()).query(
    'CREATE TABLE extra AS SELECT gen_random_uuid() AS id FROM generate_series(1, 2000000)',
  );
  gate.shut();
  const jobId = await pair.createBackup();
  await pair.sandbox.waitFor('the backup to run', async () => {
    return (await pair.job(jobId))['status'] === 'running';
  });
  const { results } = await pair.sandbox.run(MANAGER, 'cancel-job', { 'job-id': jobId });
  expect(results['status']).toBe('cancelling');
  expect(await pair.finishedJob(jobId)).toMatchObject({ 'error-code': 'cancelled' });
  gate.open();
  const listed = await pair.sandbox.run(MANAGER, 'list-backups');
  expect(listed.results['count']).toBe('1');
});
