/**
 * Planted S3 keys, and a search of everything people and other charms can see. With packed charms that both know
 * secrets they are nowhere. Where a database knows none they are in the requests, as version 0 has it, and nowhere else.
 */
import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { DeployedPair, MANAGER } from '../helpers/deployed-pair.ts';
import { Gate } from '../helpers/gate.ts';
import { type S3DevServer, startS3DevServer } from '../helpers/s3-dev-server.ts';
import { hits, tracesInFiles, tracesInProcesses } from '../helpers/traces.ts';

jest.setTimeout(600_000);

const STATE_ROOT = '/var/lib/database-charm';
// While it is shut a job that stores data stays in the middle, so that one can look around.
const gate = new Gate();

let s3: S3DevServer;
let pair: DeployedPair;
let planted: readonly string[] = [];
let bucketDirectory = '';
let earlier: ReadonlySet<string>;

beforeAll(async () => {
  earlier = new Set(await readdir(tmpdir()));
  // Nobody else has them: other tests run on this machine at the same time.
  s3 = await startS3DevServer('backups', {
    ...newKeys(),
    faults: ({ operation, key }) =>
      operation === 'PutObject' && key.includes('/chunks/') ? gate.pass() : undefined,
  });
  bucketDirectory = s3.directory;
  planted = [s3.accessKey, s3.secretKey];
  pair = await DeployedPair.deploy(s3);
  await (await pair.database()).load(3);
});

afterAll(async () => {
  await pair?.destroy();
  await s3?.stop();
});

function newKeys(): { readonly accessKey: string; readonly secretKey: string } {
  return {
    accessKey: `CANARY${randomBytes(7).toString('hex').toUpperCase()}`,
    secretKey: `canary-${randomBytes(16).toString('hex')}`,
  };
}

/** Everything `juju` shows, by the command that shows it. */
async function shown(): Promise<Record<string, string>> {
  const { sandbox } = pair;
  const texts: Record<string, string> = {};
  for (const args of [
    ['show-unit', 'db/0'],
    ['show-unit', MANAGER],
    ['show-application', 'backup-manager'],
    ['status', '--format', 'yaml', '--relations'],
    ['show-status-log', 'db/0'],
    ['show-status-log', MANAGER],
    ['config', 'backup-manager'],
    ['secrets', '--format', 'yaml'],
    ['operations', '--format', 'yaml'],
    ['debug-log', '--replay', '--no-tail', '--level', 'TRACE'],
  ]) {
    texts[args.join(' ')] = await sandbox.juju(...args);
  }
  return texts;
}

/** Where the keys are shown. */
function leaksIn(texts: Readonly<Record<string, string>>): readonly string[] {
  return Object.keys(texts).filter((name) => hits(texts[name] ?? '', planted).length > 0);
}

/** Agents keep what they were told, and whoever started this test knows the keys. */
async function processesLookedAt() {
  return await tracesInProcesses(planted, new Set([process.pid]));
}

async function startSlowBackup(): Promise<string> {
  gate.shut();
  await (await pair.database()).load(1);
  const jobId = await pair.createBackup();
  await pair.sandbox.waitFor('the worker to be at work', async () => {
    const { phase } = await pair.job(jobId);
    // A small database is read before its first object has been stored.
    const isAtWork = phase === 'running' || phase === 'verifying';
    return isAtWork && (await pair.workerPids()).length > 0;
  });
  return jobId;
}

async function expectSuccess(jobId: string): Promise<void> {
  const { status, message } = await pair.finishedJob(jobId);
  expect(`${status}: ${message}`).toMatch(/^success: /);
}

async function actionResults(jobId: string): Promise<Record<string, string>> {
  const actions: readonly [string, Readonly<Record<string, string>>][] = [
    ['show-job', { 'job-id': jobId }],
    ['list-jobs', { format: 'json' }],
    ['list-databases', {}],
    ['list-backups', { format: 'json' }],
    ['check-storage', {}],
  ];
  const texts: Record<string, string> = {};
  for (const [action, params] of actions) {
    texts[action] = JSON.stringify(await pair.sandbox.run(MANAGER, action, params));
  }
  return texts;
}

describe('both ends know secrets', () => {
  let jobId = '';

  test('while a job runs the keys are in no databag, status, log, result, argument or environment', async () => {
    jobId = await startSlowBackup();
    const texts = await shown();
    expect(leaksIn(texts)).toEqual([]);
    expect(texts['show-unit db/0']).toMatch(/secret:[0-9a-v]{20}/);
    const processes = await processesLookedAt();
    expect(processes.looked).toBeGreaterThan(5);
    expect(processes.found).toEqual([]);
    expect(leaksIn(await actionResults(jobId))).toEqual([]);
  });

  test('nor in a file of the unit or a temporary one', async () => {
    const state = await tracesInFiles(STATE_ROOT, planted);
    expect(state.looked).toBeGreaterThan(3);
    expect(state.found).toEqual([]);
    const names = (await readdir(tmpdir())).filter((name) => !earlier.has(name));
    const temporary = await Promise.all(
      names.map((name) => tracesInFiles(join(tmpdir(), name), planted, isCharms)),
    );
    expect(temporary.flatMap(({ found }) => found)).toEqual([]);
  });

  test('nor, after it ended, in keys, metadata and objects of the bucket, nor anywhere above', async () => {
    gate.open();
    await expectSuccess(jobId);
    const objects = await tracesInFiles(bucketDirectory, planted);
    expect(objects.looked).toBeGreaterThan(3);
    expect(objects.found).toEqual([]);
    expect(leaksIn(await shown())).toEqual([]);
    expect(leaksIn(await actionResults(jobId))).toEqual([]);
    expect((await tracesInFiles(STATE_ROOT, planted)).found).toEqual([]);
  });

  test('new keys reach the database as a new revision, and jobs run with them', async () => {
    const keys = newKeys();
    s3.replaceCredentials(keys);
    const { sandbox } = pair;
    const files = [
      `access-key#file=${await sandbox.privateFile('s3-credentials-access-2', keys.accessKey)}`,
      `secret-key#file=${await sandbox.privateFile('s3-credentials-secret-2', keys.secretKey)}`,
    ];
    await sandbox.juju('update-secret', 's3-credentials', ...files);
    planted = [...planted, keys.accessKey, keys.secretKey];
    const next = await sandbox.waitFor('the storage to be usable again', async () => {
      const { status, results } = await sandbox.run(MANAGER, 'create-backup');
      return status === 'completed' && results['job-id'];
    });
    await expectSuccess(next);
    expect(leaksIn(await shown())).toEqual([]);
  });
});

describe('the database announces nothing', () => {
  let jobId = '';

  test('while a job runs the keys are in its request and nowhere else, and the log says so', async () => {
    const relation = await relationOf('db/0');
    const exec = ['exec', '--unit', 'db/0', '--'];
    await pair.sandbox.juju(...exec, 'relation-set', '-r', relation, 'features=');
    jobId = await startSlowBackup();
    const texts = await shown();
    expect(leaksIn(texts)).toEqual(['show-unit db/0']);
    expect(await jobsShown('db/0')).not.toEqual([]);
    expect(hits(JSON.stringify(await jobsShown(MANAGER)), planted)).toEqual([]);
    expect(texts['debug-log --replay --no-tail --level TRACE']).toContain('in plaintext');
    expect((await processesLookedAt()).found).toEqual([]);
    expect(leaksIn(await actionResults(jobId))).toEqual([]);
    expect((await tracesInFiles(STATE_ROOT, planted)).found).toEqual([]);
  });

  test('after it ended they are nowhere', async () => {
    gate.open();
    await expectSuccess(jobId);
    expect((await tracesInFiles(bucketDirectory, planted)).found).toEqual([]);
    const clean = pair.sandbox.waitFor(
      'the request to be withdrawn',
      async () => leaksIn(await shown()).length === 0,
    );
    await expect(clean).resolves.toBe(true);
  });
});

interface ShownUnit {
  readonly 'relation-info'?: readonly {
    readonly endpoint: string;
    readonly 'relation-id': number;
    readonly 'application-data'?: Readonly<Record<string, string>>;
    readonly 'related-units'?: Readonly<Record<string, unknown>>;
  }[];
}

async function backupRelation(unit: string) {
  const shownUnits = (await pair.sandbox.showUnit(unit)) as Readonly<Record<string, ShownUnit>>;
  const relations = shownUnits[unit]?.['relation-info'] ?? [];
  return relations.find(({ endpoint }) => endpoint === 'database-backup');
}

async function relationOf(unit: string): Promise<string> {
  return `database-backup:${(await backupRelation(unit))?.['relation-id']}`;
}

/** What the other end has written, as this unit sees it. */
async function jobsShown(unit: string): Promise<readonly unknown[]> {
  const relation = await backupRelation(unit);
  return [relation?.['application-data'] ?? {}, relation?.['related-units'] ?? {}];
}

/** The secrets themselves lie in the controller's store, the administrator's in the files they were read from. */
function isCharms(path: string): boolean {
  return !isSetUp(path) && !path.startsWith(bucketDirectory);
}

function isSetUp(path: string): boolean {
  return /\/juju-e2e-[^/]+\/(?:juju\/(?!agents|tmp)|s3-credentials-)/.test(path);
}
