/** What only PostgreSQL can get wrong. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createPostgresqlCluster, createPostgresqlEngine, findPostgresqlCluster } from '#engines';
import { runProcess } from '#system';
import { errorOf, never } from '../../contract/engine-contract.ts';
import { runningProcesses } from '../../helpers/processes.ts';
import { createPostgresqlHarness, type PostgresqlHarness } from './postgresql-harness.ts';

describe('PostgreSQL', () => {
  let harness: PostgresqlHarness;

  beforeAll(async () => {
    harness = await createPostgresqlHarness(1_000);
  }, 60_000);

  let onTestEnd: (undo: () => void) => void;
  let undoes: (() => void)[];

  beforeEach(() => {
    undoes = [];
    onTestEnd = (undo) => undoes.push(undo);
  });

  afterEach(() => undoes.forEach((undo) => undo()));

  afterAll(async () => await harness[Symbol.asyncDispose](), 60_000);

  async function beginBackup(): Promise<void> {
    await harness.engine.backup({ signal: never(), scratchDirectory: tmpdir() });
  }

  test('a backup holds the WAL it needs by a slot that is gone afterwards', async () => {
    const source = await harness.engine.backup({ signal: never(), scratchDirectory: tmpdir() });
    const during = await harness.cluster.sql(
      'SELECT count(*) FROM pg_replication_slots WHERE temporary AND restart_lsn IS NOT NULL;',
    );
    await source[Symbol.asyncDispose]();

    expect(during).toBe('1');
    expect(source.attributes).toMatchObject({ engine: 'postgresql', major: '15', timeline: 1 });
    expect(source.attributes['start-lsn']).toMatch(/^[0-9A-F]+\/[0-9A-F]+$/);
    expect(source.attributes['system-identifier']).toMatch(/^\d{15,}$/);
    await expectSoon(async () => {
      return await harness.cluster.sql('SELECT count(*) FROM pg_replication_slots;');
    }, '0');
  }, 60_000);

  test('a wrong password of the backup role is named as such, and is not in the message', async () => {
    const backupRole = { name: 'test_backup', password: 'not-the-password' };
    const engine = createPostgresqlEngine({ ...harness.config, backupRole, runProcess });

    const error = await errorOf(
      async () => await engine.backup({ signal: never(), scratchDirectory: tmpdir() }),
    );

    expect(error.code).toBe('login-refused');
    expect(error.message).not.toContain('not-the-password');
  }, 60_000);

  test('the backup role can copy the cluster and nothing else', async () => {
    const { backupRole, port } = harness.config;
    const psql = ['-X', '-w', '-p', String(port), '-U', backupRole.name, '-c', 'SELECT 1'];
    const env = { PATH: '/usr/bin:/bin', PGPASSWORD: backupRole.password };

    const socket = await errorOf(
      async () => await runProcess('psql', [...psql, 'postgres'], { env }),
    );
    const tcp = await errorOf(
      async () => await runProcess('psql', [...psql, '-h', '127.0.0.1', 'postgres'], { env }),
    );

    expect(socket.message + tcp.message).toMatch(/rejects connection/);
  }, 60_000);

  test('no password is in the command line of a running backup, nor in the log of the server', async () => {
    await using source = await harness.engine.backup({
      signal: never(),
      scratchDirectory: tmpdir(),
    });
    const { version, cluster } = harness.config;
    const processes = (await runningProcesses()).map(({ commandLine }) => commandLine).join('\n');
    await harness.cluster.sql(`ALTER SYSTEM SET log_statement = 'all'; SELECT pg_reload_conf();`);
    const { backupRole, adminRole } = harness.config;
    await harness.cluster.setRoles({ backup: backupRole, admin: adminRole ?? backupRole });
    const { stdout: log } = await runProcess('cat', [
      `/var/log/postgresql/postgresql-${version}-${cluster}.log`,
    ]);

    expect(source.estimatedBytes).toBeGreaterThan(1_000_000);
    expect(processes).toContain('/bin/psql -X');
    expect(processes).not.toContain(backupRole.password);
    expect(log).toContain('ALTER ROLE');
    expect(log).not.toContain(backupRole.password);
  }, 60_000);

  test('tablespaces of the user are refused by name', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'engine-tablespace-'));
    await runProcess('chown', ['postgres:', directory]);
    await harness.cluster.sql(`CREATE TABLESPACE "Fast disk" LOCATION '${directory}';`);

    const error = await errorOf(beginBackup);
    await harness.cluster.sql('DROP TABLESPACE "Fast disk"; CHECKPOINT;');
    await rm(directory, { recursive: true });

    expect(error.code).toBe('tablespaces-unsupported');
    expect(error.message).toContain('Fast disk');
  }, 60_000);

  test('a backup of another major version is refused', async () => {
    const attributes = { engine: 'postgresql', major: '13' };

    const error = await errorOf(
      async () => await harness.engine.prepareRestore({ attributes, totalBytes: 1 }),
    );

    expect(error.code).toBe('version-mismatch');
    expect(error.message).toMatch(/"13".*15/);
  });

  test('a killed server is started again, and what else works in its directory is left alone', async () => {
    const { dataDirectory } = harness.config;
    const bystander = spawn('sleep', ['600'], { cwd: dataDirectory, argv0: 'postgres' });
    onTestEnd(() => bystander.kill('SIGKILL'));
    await harness.kill();

    await harness.start();

    expect(bystander.exitCode ?? bystander.signalCode).toBeNull();
    expect(await harness.cluster.isReady()).toBe(true);
  }, 60_000);

  test('a cluster is made once, keeps its port, and is found again', async () => {
    const { version, cluster } = harness.config;
    const identity = { version, cluster, runProcess };

    const again = await createPostgresqlCluster({
      ...identity,
      settings: { backupRole: 'test_backup' },
    });
    const found = await findPostgresqlCluster(identity);
    const none = await findPostgresqlCluster({ ...identity, cluster: 'engtest_none' });

    expect(again.instance).toEqual(harness.cluster.instance);
    expect(found?.instance).toEqual(harness.cluster.instance);
    expect(none).toBeUndefined();
    expect(await again.sql('SHOW data_checksums;')).toBe('on');
  }, 60_000);
});

async function expectSoon(read: () => Promise<string>, expected: string): Promise<void> {
  const deadline = Date.now() + 30_000;
  let seen = await read();
  while (seen !== expected && Date.now() < deadline) {
    seen = await read();
  }
  expect(seen).toBe(expected);
}
