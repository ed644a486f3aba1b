/** The machine of the primary is lost in the middle of a backup: the job ends, the survivor takes over, nothing is forgotten. */
import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { runProcess } from '#system';
import { STATE_ROOT } from '../../charms/database/src/unit-home.ts';
import { DeployedPair, MANAGER } from '../helpers/deployed-pair.ts';
import { Gate } from '../helpers/gate.ts';
import { killIfThere, processesMatching } from '../helpers/processes.ts';
import { type S3DevServer, startS3DevServer } from '../helpers/s3-dev-server.ts';

jest.setTimeout(600_000);

interface ListedJob {
  readonly 'job-id': string;
  readonly status: string;
  readonly unit?: string;
  readonly 'error-code'?: string;
  readonly 'artefact-path'?: string;
}

// While it is shut no data are stored, so that the machine is lost in the middle of a job.
const gate = new Gate();
let s3: S3DevServer;
let pair: DeployedPair;
let cluster = '';

beforeAll(async () => {
  s3 = await startS3DevServer('backups', {
    faults: ({ operation, key }) =>
      operation === 'PutObject' && key.includes('/chunks/') ? gate.pass() : undefined,
  });
  pair = await DeployedPair.deploy(s3);
  await pair.sandbox.juju('add-unit', 'db');
  await pair.sandbox.waitFor('db/1', async () => pair.sandbox.unit('db/1'));
  await pair.sandbox.waitForApplication('db');
  cluster = basename((await pair.cluster()).dataDirectory);
});

afterAll(async () => {
  gate.open();
  await pair.destroy();
  await s3.stop();
  // The machine would have gone with all of this.
  await runProcess('pg_dropcluster', ['--stop', '15', cluster], { acceptExitCodes: [0, 1] });
  await rm(join(STATE_ROOT, cluster), { recursive: true, force: true });
});

test('a unit lost with its machine loses its job, and the other unit does what is asked next', async () => {
  const { sandbox } = pair;
  const first = await pair.finishedJob(await pair.createBackup());
  expect(first).toMatchObject({ status: 'success', unit: 'db/0' });
  await (await pair.database()).query(
    'CREATE TABLE extra AS SELECT gen_random_uuid() AS id FROM generate_series(1, 300000)',
  );
  gate.shut();
  const interrupted = await pair.createBackup();
  await gate.reached;

  await loseMachine();
  await sandbox.juju('remove-unit', 'db/0', '--force', '--no-prompt');
  gate.open();
  expect(await pair.finishedJob(interrupted)).toMatchObject({
    status: 'error',
    'error-code': 'lost',
    unit: 'db/0',
  });

  // Asked before anybody leads the database: the lease of the lost leader has a minute.
  const next = await pair.createBackup();
  await sandbox.juju('sandbox', 'advance', '1m');
  const second = await pair.finishedJob(next);
  expect(second).toMatchObject({ status: 'success', unit: 'db/1' });
  await sandbox.juju('sandbox', 'advance', '1m');
  await sandbox.waitFor('the end of db/0', async () => (await sandbox.unit('db/0')) === undefined);

  const { results } = await sandbox.run(MANAGER, 'list-backups', { format: 'json' });
  const listed = JSON.parse(results['backups'] ?? '[]') as readonly ListedJob[];
  expect(new Set(listed.map((backup) => backup['artefact-path']))).toEqual(
    new Set([first['artefact-path'], second['artefact-path']]),
  );
  const known = [
    [first['job-id'], 'success', 'db/0', undefined],
    [interrupted, 'error', 'db/0', 'lost'],
    [next, 'success', 'db/1', undefined],
  ];
  expect(await history()).toEqual(new Set(known));
  expect(await pair.workerPids()).toEqual([]);

  await sandbox.juju('remove-relation', 'db', 'backup-manager');
  await sandbox.waitFor('the end of the relation', async () => {
    const status = await sandbox.juju('status', '--relations');
    return !/db:database-backup/.test(status);
  });
  expect(await history()).toEqual(new Set(known));
  // No unit would run any of them again, whoever asks.
  const unit = JSON.stringify(await sandbox.showUnit('db/1'));
  for (const [jobId] of known) {
    expect(unit).toContain(`["${jobId}",{`.replaceAll('"', '\\"'));
  }
});

/** Nothing of it answers any more: the agent, the workers, the server. */
async function loseMachine(): Promise<void> {
  await pair.sandbox.juju('sandbox', 'stop-agent', 'db/0');
  const server = await processesMatching(
    (title) => title.includes(`/${cluster} `) || title.startsWith(`postgres: 15/${cluster}: `),
  );
  expect(server.length).toBeGreaterThan(3);
  for (const pid of [...server, ...(await pair.workerPids())]) {
    killIfThere(pid);
  }
}

async function history() {
  const { results } = await pair.sandbox.run(MANAGER, 'list-jobs', { format: 'json' });
  const jobs = JSON.parse(results['jobs'] ?? '[]') as readonly ListedJob[];
  return new Set(jobs.map((job) => [job['job-id'], job.status, job.unit, job['error-code']]));
}
