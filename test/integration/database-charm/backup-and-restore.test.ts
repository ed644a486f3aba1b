/** The whole provider end on real programs: back up, damage, restore; and what happens when things die. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { StorageConfig } from '#database-backup';
import { Gate } from '../../helpers/gate.ts';
import { type S3DevServer, startS3DevServer } from '../../helpers/s3-dev-server.ts';
import { RealUnit } from './real-unit.ts';

describe('a unit of the database charm', () => {
  // While it is shut a backup stays where the database has begun its part and has not ended it.
  const gate = new Gate();
  let s3: S3DevServer;
  let unit: RealUnit;
  let storage: StorageConfig;
  let artefactPath: string;

  const fingerprint = async (): Promise<string> =>
    await unit.sql(`SELECT count(*), md5(string_agg(id || text, ',' ORDER BY id)) FROM shop;`);

  beforeAll(async () => {
    s3 = await startS3DevServer('backups', {
      faults: ({ operation, key }) =>
        operation === 'PutObject' && key.endsWith('/started.json') ? gate.pass() : undefined,
    });
    storage = {
      bucket: s3.bucket,
      endpoint: s3.endpoint,
      'access-key': s3.accessKey,
      'secret-key': s3.secretKey,
      'tls-ca-chain': [],
      path: 'p',
    };
    unit = await RealUnit.install(storage);
    await unit.sql(`CREATE TABLE shop AS
      SELECT i AS id, md5(i::text) || repeat(md5((i * 7)::text), 20) AS text FROM generate_series(1, 60000) AS i;`);
  }, 120_000);

  afterAll(async () => {
    await unit.remove();
    await s3.stop();
  }, 60_000);

  test('backs up, and restores after damage, to the row', async () => {
    const before = await fingerprint();
    await unit.ask({ jobType: 'backup' });
    const backup = await unit.ended();
    expect(backup).toMatchObject({ status: 'success' });
    artefactPath = backup.artefactPath ?? '';
    expect(artefactPath).toMatch(/^p\/testing\/engtest\/backups\//);
    await unit.sql('DELETE FROM shop WHERE id % 2 = 0; ALTER TABLE shop ADD COLUMN extra int;');

    await unit.ask({ jobType: 'restore', artefactPath });
    const restore = await unit.ended();

    expect(restore).toMatchObject({ status: 'success' });
    expect(await fingerprint()).toBe(before);
    expect(unit.status).toMatch(/^active: PostgreSQL \d+ on port \d+$/);
    expect(unit.databags).not.toContain(s3.secretKey);
  }, 120_000);

  test('proves a restore in a dry run, restores, and undoes it in one job', async () => {
    await unit.sql('CREATE TABLE since_the_backup AS SELECT 1 AS id;');
    const tables = async (): Promise<string> =>
      await unit.sql("SELECT count(*) FROM pg_tables WHERE tablename = 'since_the_backup';");

    await unit.ask({ jobType: 'restore', artefactPath, isDryRun: true });
    const dryRun = await unit.ended();
    expect(dryRun).toMatchObject({
      status: 'success',
      message: expect.stringMatching(/^dry run: .* could be restored/),
    });
    expect(dryRun.report).toMatch(/the data start and recover .*tables and indexes are sound/);
    expect(dryRun.report).toMatch(/unavailable: for about [\d.]+ s at most/);
    expect(await tables()).toBe('1');

    const restoreId = await unit.ask({ jobType: 'restore', artefactPath });
    const restore = await unit.ended();
    expect(restore.message).toMatch(/restored, served again after [\d.]+ s; what it replaced/);
    expect(Date.parse(restore.undoableUntil ?? '')).toBeGreaterThan(Date.now() + 23 * 3_600_000);
    expect(await tables()).toBe('0');
    // What the check needed is gone again.
    expect(await unit.sql('SELECT count(*) FROM pg_extension WHERE extname = $$amcheck$$;')).toBe(
      '0',
    );

    await unit.ask({ jobType: 'restore', artefactPath, undoOf: restoreId });
    const undone = await unit.ended();

    expect(undone).toMatchObject({ status: 'success' });
    expect(await tables()).toBe('1');
  }, 180_000);

  test('whose server is killed in a backup reports an error and serves again', async () => {
    const before = await fingerprint();
    const serverPid = await unit.serverPid();
    gate.shut();
    await unit.ask({ jobType: 'backup', compression: true });
    await unit.until(({ phase }) => phase === 'running');
    await gate.reached;
    process.kill(serverPid, 'SIGKILL');
    gate.open();

    const backup = await unit.ended();
    await unit.run((on) => on.updateStatus());

    expect(backup).toMatchObject({ status: 'error', hint: expect.stringMatching(/\w/) });
    expect(await fingerprint()).toBe(before);
  }, 120_000);

  test('with a wrong key reports which one, and leaves the database alone', async () => {
    const before = await fingerprint();
    await unit.ask({ storageConfig: { ...storage, 'secret-key': 'planted-wrong-key' } });

    const backup = await unit.ended();

    expect(backup).toMatchObject({ status: 'error', errorCode: 'wrong-credentials' });
    expect(JSON.stringify(backup)).not.toContain('planted-wrong-key');
    expect(await fingerprint()).toBe(before);
  }, 120_000);

  test('asked for an artefact that is none says so, and leaves the database alone', async () => {
    const before = await fingerprint();
    await unit.ask({ jobType: 'restore', artefactPath: 'p/no/such/backup/' });

    const restore = await unit.ended();

    expect(restore.status).toBe('error');
    expect(restore.message).toContain('p/no/such/backup/');
    expect(await fingerprint()).toBe(before);
  }, 120_000);
});
