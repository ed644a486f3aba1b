/** Kills in the middle of a job: an honest error, a serving database, no half artefact listed. */
import { basename } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { compareStates, type DatabaseState } from '../../lib/demo/sample-database.ts';
import { DeployedPair, MANAGER } from '../helpers/deployed-pair.ts';
import { Gate } from '../helpers/gate.ts';
import { packedCharm } from '../helpers/packed-charms.ts';
import { processesMatching } from '../helpers/processes.ts';
import { type S3DevServer, startS3DevServer } from '../helpers/s3-dev-server.ts';

jest.setTimeout(900_000);

const SCALE = 5;
// While it is shut only the first pack of data passes, so that a kill lands in the middle of a job.
const gate = new Gate();
let held: 'PutObject' | 'GetObject' = 'PutObject';

let s3: S3DevServer;
let pair: DeployedPair;
let before: DatabaseState;
let goodArtefact = '';
let dataDirectory = '';

beforeAll(async () => {
  s3 = await startS3DevServer('backups', {
    faults: ({ operation, key }) =>
      operation === held && key.includes('/chunks/') ? gate.pass() : undefined,
  });
  pair = await DeployedPair.deploy(s3);
  const database = await pair.database();
  await database.load(SCALE);
  before = await database.state();
  const job = await pair.finishedJob(await pair.createBackup());
  if (job['status'] !== 'success') {
    throw new Error(`the first backup failed: ${JSON.stringify(job)}`);
  }
  goodArtefact = job['artefact-path'] ?? '';
  ({ dataDirectory } = await pair.cluster());
});

afterAll(async () => {
  await pair.destroy();
  await s3.stop();
});

beforeEach(async () => {
  gate.open();
  await pair.sandbox.waitForApplication('db');
});

describe('a backup', () => {
  test('whose worker is killed ends as an error, and leaves nothing that is listed', async () => {
    const jobId = await startAndReachTheMiddle('backup');
    await killWorkers();
    gate.open();
    await nudge();
    expect(await pair.finishedJob(jobId)).toMatchObject({ status: 'error', 'error-code': 'lost' });
    await expectServingAndListed([goodArtefact]);
  });

  test('during which PostgreSQL is killed ends as an error, and the server is started again', async () => {
    const jobId = await startAndReachTheMiddle('backup');
    await killPostgres();
    gate.open();
    await nudge();
    const job = await pair.finishedJob(jobId);
    expect(job['status']).toBe('error');
    expect(job['message']).not.toBe('');
    await expectServingAndListed([goodArtefact]);
  });

  test('goes on while the daemon is killed and started again', async () => {
    const jobId = await startAndReachTheMiddle('backup');
    process.kill(await pair.sandbox.daemonPid(), 'SIGKILL');
    await pair.sandbox.juju('bootstrap');
    gate.open();
    const job = await pair.finishedJob(jobId);
    expect(['success', 'error']).toContain(job['status']);
    await expectServingAndListed(
      job['status'] === 'success' ? [goodArtefact, job['artefact-path'] ?? ''] : [goodArtefact],
    );
  });
});

describe('a refresh of both charms', () => {
  test('leaves a backup that runs to its worker, which ends it', async () => {
    const jobId = await startAndReachTheMiddle('backup');
    const workers = await pair.workerPids();
    await refresh('db', 'database');
    await refresh('backup-manager', 'backup-manager');
    expect(await pair.workerPids()).toEqual(workers);
    expect(await pair.job(jobId)).toMatchObject({ status: 'running' });
    gate.open();
    const job = await pair.finishedJob(jobId);
    expect(job).toMatchObject({ status: 'success' });
  });
});

describe('a restore', () => {
  test('whose worker is killed ends as an error with the old data serving', async () => {
    const jobId = await startAndReachTheMiddle('restore');
    await killWorkers();
    gate.open();
    await nudge();
    expect(await pair.finishedJob(jobId)).toMatchObject({ status: 'error', 'error-code': 'lost' });
    await expectSameRows();
  });

  test('during which PostgreSQL is killed ends with the same rows served', async () => {
    const jobId = await startAndReachTheMiddle('restore');
    await killPostgres();
    gate.open();
    await nudge();
    await pair.finishedJob(jobId);
    await expectSameRows();
  });

  test('during which the daemon is killed ends with the same rows served', async () => {
    const jobId = await startAndReachTheMiddle('restore');
    process.kill(await pair.sandbox.daemonPid(), 'SIGKILL');
    await pair.sandbox.juju('bootstrap');
    gate.open();
    await pair.finishedJob(jobId);
    await expectSameRows();
  });
});

/** A job that moves data and will for a while: nothing of it is known yet, and S3 waits. */
async function startAndReachTheMiddle(kind: 'backup' | 'restore'): Promise<string> {
  if (kind === 'backup') {
    // New rows, so that the backup has something to store.
    await (await pair.database()).query(
      'DROP TABLE IF EXISTS extra; CREATE TABLE extra AS SELECT gen_random_uuid() AS id FROM generate_series(1, 3000000)',
    );
  }
  held = kind === 'backup' ? 'PutObject' : 'GetObject';
  gate.shut(1);
  const jobId =
    kind === 'backup'
      ? await pair.createBackup()
      : ((await pair.sandbox.run(MANAGER, 'restore', { 'artefact-path': goodArtefact })).results[
          'job-id'
        ] ?? '');
  await pair.sandbox.waitFor(`${kind} ${jobId} to move data`, async () => {
    const job = await pair.job(jobId);
    if (job['status'] === 'success' || job['status'] === 'error') {
      throw new Error(`${kind} ended too early to be disturbed: ${JSON.stringify(job)}`);
    }
    return job['status'] === 'running' && Number(job['progress-bytes'] ?? 0) > 0;
  });
  return jobId;
}

/** Until the unit has run its upgrade-charm hook. */
async function refresh(application: string, charm: string): Promise<void> {
  const ran = async () =>
    (await pair.sandbox.juju('debug-log', '--replay', '--no-tail', '--include', `${application}/0`))
      .split('\n')
      .filter((line) => line.includes('ran "upgrade-charm" hook')).length;
  const earlier = await ran();
  await pair.sandbox.juju('refresh', application, '--path', (await packedCharm(charm)).path);
  await pair.sandbox.waitFor(`${application} to be refreshed`, async () => (await ran()) > earlier);
}

async function killWorkers(): Promise<void> {
  const pids = await pair.workerPids();
  expect(pids).not.toEqual([]);
  for (const pid of pids) {
    process.kill(pid, 'SIGKILL');
  }
}

/** All its processes: a server process that sends a backup does not notice the death of its parent. */
async function killPostgres(): Promise<void> {
  const cluster = basename(dataDirectory);
  const pids = await processesMatching(
    (title) =>
      title.includes(`-D ${dataDirectory} `) || title.startsWith(`postgres: 15/${cluster}: `),
  );
  expect(pids.length).toBeGreaterThan(3);
  for (const pid of pids) {
    process.kill(pid, 'SIGKILL');
  }
}

/** What Juju's update-status timer would do within five minutes. */
async function nudge(): Promise<void> {
  await pair.sandbox.tryJuju([
    'exec',
    '--unit',
    'db/0',
    '--',
    'JUJU_DISPATCH_PATH=hooks/update-status ./dispatch',
  ]);
}

async function expectServingAndListed(artefacts: readonly string[]): Promise<void> {
  await expectSameRows();
  const { results } = await pair.sandbox.run(MANAGER, 'list-backups', { format: 'json' });
  const listed = [...JSON.stringify(results).matchAll(/"artefact-path\\?":\\?"([^"\\]+)/g)].map(
    (match) => match[1],
  );
  expect(new Set(listed)).toEqual(new Set(artefacts));
}

async function expectSameRows(): Promise<void> {
  const database = await pair.sandbox.waitFor('the database to serve', async () => {
    const candidate = await pair.database();
    return await candidate.query('SELECT 1').then(
      () => candidate,
      () => undefined,
    );
  });
  const now = await database.state();
  expect(compareStates(before, now).lines).toEqual(compareStates(before, before).lines);
}
