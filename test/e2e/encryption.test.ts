/**
 * Encrypted backups with both packed charms: made, restored, re-keyed, brought back without Juju; and the passphrase is
 * nowhere. Beside them single items, and a rate that changes while a backup runs.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { runProcess } from '#system';
import { projectRoot } from '#tooling';
import { compareStates, type DatabaseState } from '../../lib/demo/sample-database.ts';
import { DeployedPair, MANAGER } from '../helpers/deployed-pair.ts';
import { type S3DevServer, startS3DevServer } from '../helpers/s3-dev-server.ts';
import { hits, tracesInFiles, tracesInProcesses } from '../helpers/traces.ts';

jest.setTimeout(600_000);

const STATE_ROOT = '/var/lib/database-charm';
const first = `canary-${randomBytes(18).toString('hex')}`;
const second = `canary-${randomBytes(18).toString('hex')}`;

let s3: S3DevServer;
let pair: DeployedPair;
let scratch = '';
let before: DatabaseState;
let encrypted: Readonly<Record<string, string>> = {};
let kitFile = '';
/** Every request to the server: operation and key. */
let requests: { readonly operation: string; readonly key: string }[] = [];

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'encryption-e2e-'));
  s3 = await startS3DevServer('backups', {
    faults: ({ operation, key }) => {
      requests.push({ operation, key });
      return undefined;
    },
  });
  pair = await DeployedPair.deploy(s3);
  const database = await pair.database();
  await database.load(2);
  before = await database.state();
});

afterAll(async () => {
  await pair?.destroy();
  await s3?.stop();
  await rm(scratch, { recursive: true, force: true });
});

/** Runs an action that must be accepted. */
async function ask(action: string, params: Readonly<Record<string, string>> = {}) {
  const { results, status, message } = await pair.sandbox.run(MANAGER, action, params);
  expect(`${action}: ${status} ${message}`).toBe(`${action}: completed `);
  return results;
}

async function finished(action: string, params: Readonly<Record<string, string>> = {}) {
  return await pair.finishedJob((await ask(action, params))['job-id'] ?? '');
}

async function isAsBefore(): Promise<boolean> {
  return compareStates(before, await (await pair.database()).state()).equal;
}

async function managerStatus(): Promise<string> {
  return (await pair.sandbox.unit(MANAGER))?.['workload-status'].message ?? '';
}

async function recover(...args: readonly string[]): Promise<string> {
  const { stdout } = await runProcess(
    process.execPath,
    ['lib/tooling/run.mjs', 'lib/recover/main.ts', ...storage(), ...args],
    {
      cwd: projectRoot,
      env: {
        ...process.env,
        AWS_ACCESS_KEY_ID: s3.accessKey,
        AWS_SECRET_ACCESS_KEY: s3.secretKey,
      },
    },
  );
  return stdout;
}

function storage(): readonly string[] {
  return ['--endpoint', s3.endpoint, '--bucket', s3.bucket];
}

async function passphraseFile(name: string, passphrase: string): Promise<string> {
  return await pair.sandbox.privateFile(name, passphrase);
}

test('a passphrase that is too short blocks the manager, and no backup is made in plain instead', async () => {
  const { sandbox } = pair;
  const file = await passphraseFile('short', 'short');
  const uri = await sandbox.juju('add-secret', 'backup-passphrase', `passphrase#file=${file}`);
  await sandbox.juju('grant-secret', 'backup-passphrase', 'backup-manager');
  await sandbox.juju('config', 'backup-manager', `encryption=${uri.trim()}`);
  await sandbox.waitFor('the manager to be blocked', async () =>
    (await managerStatus()).includes('too short'),
  );
  const refused = await sandbox.run(MANAGER, 'create-backup');
  expect(refused.status).toBe('failed');
  expect(refused.message).toContain('too short');
  await sandbox.juju(
    'update-secret',
    'backup-passphrase',
    `passphrase#file=${await passphraseFile('first', first)}`,
  );
  await sandbox.waitForApplication('backup-manager');
});

test('a backup is encrypted, and everything says so', async () => {
  encrypted = await finished('create-backup');
  expect(encrypted).toMatchObject({
    status: 'success',
    'key-id': expect.stringMatching(/^[0-9a-f]{16}$/),
  });
  const backup = await ask('show-backup', { 'artefact-path': encrypted['artefact-path'] ?? '' });
  expect(backup).toMatchObject({ encrypted: 'true', 'key-id': encrypted['key-id'] });
  expect((await ask('list-backups'))['backups']).toContain(encrypted['key-id']);
  expect(await managerStatus()).toContain('1 of 1 database protected, encrypted');
  expect(
    await ask('verify-backup', { 'artefact-path': backup['artefact-path'] ?? '' }),
  ).toMatchObject({ verdict: 'sound' });
});

test('neither the passphrase nor the data can be read anywhere', async () => {
  const marker = 'pg_database_encoding_canary';
  const planted = [first, second];
  await (await pair.database()).query(`COMMENT ON DATABASE postgres IS '${marker}'`);
  const plainText = await tracesInFiles(s3.directory, [...planted, 'PG_VERSION', marker]);
  expect(plainText.looked).toBeGreaterThan(5);
  expect(plainText.found).toEqual([]);
  expect((await tracesInFiles(STATE_ROOT, planted)).found).toEqual([]);
  expect((await tracesInProcesses(planted, new Set([process.pid]))).found).toEqual([]);
  const shown = await Promise.all(
    [
      ['show-unit', 'db/0'],
      ['show-unit', MANAGER],
      ['status', '--format', 'yaml', '--relations'],
      ['operations', '--format', 'yaml'],
      ['debug-log', '--replay', '--no-tail', '--level', 'TRACE'],
    ].map(async (args) => await pair.sandbox.juju(...args)),
  );
  expect(shown.flatMap((text) => hits(text, planted))).toEqual([]);
});

test('it is restored, also after rotate-key, whose new key the next backup has', async () => {
  await ask('rotate-key');
  const next = await finished('create-backup');
  expect(next).toMatchObject({ status: 'success' });
  expect(next['key-id']).not.toBe(encrypted['key-id']);
  await (await pair.database()).damage();
  expect(await isAsBefore()).toBe(false);
  const artefact = { 'artefact-path': encrypted['artefact-path'] ?? '' };
  expect(await finished('restore', artefact)).toMatchObject({ status: 'success' });
  expect(await isAsBefore()).toBe(true);
});

test('another passphrase is refused until it is changed, and then opens all', async () => {
  const { sandbox } = pair;
  const files = {
    first: await passphraseFile('first', first),
    second: await passphraseFile('second', second),
  };
  await sandbox.juju('update-secret', 'backup-passphrase', `passphrase#file=${files.second}`);
  const refused = await finished('create-backup');
  expect(refused).toMatchObject({ status: 'error', 'error-code': 'wrong-key' });
  await sandbox.juju(
    'update-secret',
    'backup-passphrase',
    `passphrase#file=${files.second}`,
    `previous-passphrase#file=${files.first}`,
  );
  expect(await finished('create-backup')).toMatchObject({ status: 'success' });
  expect((await ask('change-passphrase'))['keys']).toContain('2 keys changed');
  await sandbox.juju('update-secret', 'backup-passphrase', `passphrase#file=${files.second}`);
  expect(await finished('create-backup')).toMatchObject({ status: 'success' });
});

test('with the recovery kit it comes back without Juju, whole or in part', async () => {
  const kit = await ask('recovery-kit');
  expect(hits(JSON.stringify(kit), [first, second])).toEqual([]);
  const shown = JSON.parse(
    await pair.sandbox.juju('show-secret', kit['secret'] ?? '', '--reveal', '--format', 'json'),
  ) as Readonly<Record<string, { readonly content: { readonly Data: { readonly kit: string } } }>>;
  const text = Object.values(shown)[0]?.content.Data.kit ?? '';
  expect(text).toContain(`key ${encrypted['key-id']}:`);
  kitFile = await pair.sandbox.privateFile('kit', text);
  const artefact = ['--artefact-path', encrypted['artefact-path'] ?? '', '--key-file', kitFile];
  await recover(...artefact, '--to', join(scratch, 'whole'));
  const { dataDirectory } = await pair.cluster();
  const version = await readFile(join(dataDirectory, 'PG_VERSION'), 'utf8');
  expect(await readFile(join(scratch, 'whole', 'PG_VERSION'), 'utf8')).toBe(version);
  await recover(...artefact, '--item', 'global', '--to', join(scratch, 'global'));
  expect(await readdir(join(scratch, 'global', 'global'))).toContain('pg_control');
  await ask('recovery-kit', { remove: 'true' });
  await expect(
    recover('--artefact-path', encrypted['artefact-path'] ?? '', '--verify'),
  ).rejects.toThrow('encrypted with key');
});

test('one file is looked for and restored beside the live data, with few requests', async () => {
  const artefact = { 'artefact-path': encrypted['artefact-path'] ?? '' };
  const { items } = await ask('list-items', artefact);
  expect(items).toMatch(/directory .* global\//);
  expect(
    (await ask('list-items', { ...artefact, path: 'global', limit: '200' }))['items'],
  ).toContain('global/pg_control');
  const missing = await pair.sandbox.run(MANAGER, 'restore-item', { ...artefact, path: 'nothing' });
  expect(missing).toMatchObject({ status: 'failed' });
  requests = [];
  const job = await finished('restore-item', { ...artefact, path: 'PG_VERSION' });
  expect(job).toMatchObject({ status: 'success', message: expect.stringContaining('1 file') });
  const packs = requests.filter(
    ({ operation, key }) => operation === 'GetObject' && key.includes('/chunks/'),
  );
  expect(packs).toHaveLength(1);
  const directory = /^into: (.+)$/m.exec(job['report'] ?? '')?.[1] ?? '';
  expect(directory).toContain(STATE_ROOT);
  expect(await readdir(directory)).toEqual(['PG_VERSION']);
  expect((await stat(join(directory, '..'))).mode & 0o777).toBe(0o700);
  expect(await isAsBefore()).toBe(true);
});

test('a backup that crawls goes on at full speed once the limit is gone', async () => {
  await (await pair.database()).query(
    'CREATE TABLE bulk AS SELECT gen_random_uuid() AS id FROM generate_series(1, 600000)',
  );
  const { sandbox } = pair;
  await sandbox.juju('config', 'db', 'network-limit=much');
  await sandbox.waitFor('the database to say what is wrong', async () =>
    (await sandbox.unit('db/0'))?.['workload-status'].message?.includes('network-limit="much"'),
  );
  await sandbox.juju('config', 'db', 'network-limit=64KiB', 'backup-priority=idle');
  await sandbox.waitForApplication('db');
  const { 'job-id': jobId = '' } = await ask('create-backup');
  await sandbox.waitFor('the worker to be at work', async () => {
    const { phase } = await pair.job(jobId);
    return phase === 'running' && (await pair.workerPids()).length > 0;
  });
  const [pid] = await pair.workerPids();
  // The 19th field of proc(5) stat, counted behind the name: what nice(1) has set.
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]?.split(' ') ?? [];
  expect(fields[16]).toBe('19');
  expect(await pair.job(jobId)).toMatchObject({ status: 'running' });
  await sandbox.juju('config', 'db', '--reset', 'network-limit,backup-priority');
  expect(await pair.finishedJob(jobId)).toMatchObject({ status: 'success' });
});
