/** What is found out about staged data before the live ones are touched. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createPostgresqlEngine } from '#engines';
import { runProcess } from '#system';
import { findClusterProcesses } from '../../../lib/engines/postgresql/processes.ts';
import type { RestoreStep } from '../../../lib/engines/postgresql/restore.ts';
import { tryLogin, tryReplicationLogin } from '../../../lib/engines/postgresql/sql.ts';
import {
  besideOf,
  errorOf,
  type KeptBackup,
  keepBackup,
  never,
} from '../../contract/engine-contract.ts';
import { createPostgresqlHarness, type PostgresqlHarness } from './postgresql-harness.ts';

/** An index whose order is turned around behind its back: nothing but a look into it shows that. */
const DAMAGE = `
  CREATE FUNCTION compare(int4, int4) RETURNS int4 LANGUAGE sql IMMUTABLE AS 'SELECT btint4cmp($1, $2)';
  CREATE OPERATOR CLASS turned FOR TYPE int4 USING btree AS
    OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 compare(int4, int4);
  CREATE TABLE damaged AS SELECT generate_series(1, 2000) AS i;
  CREATE INDEX damaged_index ON damaged (i turned);
  CREATE OR REPLACE FUNCTION compare(int4, int4) RETURNS int4 LANGUAGE sql IMMUTABLE AS 'SELECT btint4cmp($2, $1)';`;

describe('staged data', () => {
  let harness: PostgresqlHarness;
  let scratch: string;
  let sound: KeptBackup;
  let damaged: KeptBackup;

  beforeAll(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'engine-rehearsal-'));
    harness = await createPostgresqlHarness(5_000);
    // Its own copy of the extension is nobody else's to drop.
    await harness.cluster.sql('CREATE DATABASE "odd \'name";');
    await harness.cluster.sql('CREATE EXTENSION amcheck;', { database: "odd 'name" });
    sound = await keepBackup(harness.engine, join(scratch, 'sound'));
    await harness.cluster.sql(DAMAGE);
    damaged = await keepBackup(harness.engine, join(scratch, 'damaged'));
  }, 60_000);

  afterAll(async () => {
    await harness[Symbol.asyncDispose]();
    await rm(scratch, { recursive: true, force: true });
  }, 60_000);

  async function stage(
    kept: KeptBackup,
    options: {
      isForced?: boolean;
      pause?: (step: RestoreStep) => Promise<void>;
      roles?: Pick<PostgresqlHarness['config'], 'backupRole' | 'adminRole'>;
    } = {},
  ) {
    const { isForced = false, pause = async () => undefined, roles } = options;
    const engine = createPostgresqlEngine({ ...harness.config, ...roles, runProcess, pause });
    const { attributes, totalBytes } = kept;
    const staged = await engine.createRestore({ attributes, totalBytes, isForced });
    await runProcess('cp', ['-a', `${kept.directory}/.`, staged.stagingDirectory]);
    return staged;
  }

  test('run on a server nobody can reach, beside the live one, until they are proved', async () => {
    const live = await harness.fingerprint();
    let commandLine = '';
    let duringRehearsal = '';
    const staged = await stage(sound, {
      pause: async (step) => {
        if (step === 'rehearsing') {
          const instance = { ...harness.config, dataDirectory: staged.stagingDirectory };
          const { servers } = await findClusterProcesses(instance);
          commandLine = await readFile(`/proc/${servers[0]}/cmdline`, 'utf8');
          duringRehearsal = await harness.fingerprint();
        }
      },
    });

    const { findings, expectedUnavailableMs } = await staged.verify(never());

    expect(expectedUnavailableMs).toBeGreaterThan(0);
    expect(findings).toEqual([
      expect.stringMatching(/^the data start and recover \(in .*\)$/),
      expect.stringMatching(/^tables and indexes are sound \(checked in .*\)$/),
    ]);
    expect(commandLine.split('\0')).toEqual(
      expect.arrayContaining([
        'listen_addresses=',
        'archive_mode=off',
        'shared_preload_libraries=',
      ]),
    );
    expect(duringRehearsal).toBe(live);
    const instance = { ...harness.config, dataDirectory: staged.stagingDirectory };
    expect(await findClusterProcesses(instance)).toEqual({ servers: [], controllers: [] });
    await staged.swap(never());
    await staged.commit();
    const extensions = 'SELECT count(*) FROM pg_extension WHERE extname = $$amcheck$$;';
    expect(await harness.cluster.sql(extensions)).toBe('0');
    expect(await harness.cluster.sql(extensions, { database: "odd 'name" })).toBe('1');
  }, 60_000);

  test('of another application serve, and its own logins work', async () => {
    // What the backup holds are names and passwords of the application that made it.
    const { backupRole, adminRole = backupRole } = harness.config;
    const roles = {
      backupRole: { ...backupRole, password: 'of-this-application' },
      adminRole: { ...adminRole, password: 'of-this-application-too' },
    };
    const staged = await stage(sound, { roles });

    await staged.verify(never());
    await staged.swap(never());
    await staged.commit();

    await tryLogin(harness.config, runProcess, roles.adminRole);
    await tryReplicationLogin(harness.config, runProcess, roles.backupRole);
    const stranger = await errorOf(
      async () => await tryLogin(harness.config, runProcess, adminRole),
    );
    expect(stranger.code).toBe('login-refused');
    await harness.cluster.setRoles({ backup: backupRole, admin: adminRole });
  }, 60_000);

  test('that are damaged inside are refused, and the live ones not touched', async () => {
    const live = await harness.fingerprint();
    const staged = await stage(damaged);

    const error = await errorOf(async () => await staged.verify(never()));
    await staged.abort();

    expect(error).toMatchObject({
      code: 'corruption-found',
      message: expect.stringContaining('damaged_index'),
    });
    expect(await harness.fingerprint()).toBe(live);
    expect(await besideOf(staged.stagingDirectory)).toEqual([]);
  }, 60_000);

  test('that are damaged inside are taken when forced, and the damage is told', async () => {
    const staged = await stage(damaged, { isForced: true });

    const { findings } = await staged.verify(never());
    await staged.swap(never());
    await staged.commit();

    expect(findings.join()).toContain('damaged_index');
    expect(await harness.cluster.sql('SELECT count(*) FROM damaged;')).toBe('2000');
  }, 60_000);

  test('whose rehearsal is cancelled leave no server behind', async () => {
    const abort = new AbortController();
    const staged = await stage(sound, { pause: async () => abort.abort(new Error('cancelled')) });

    const error = await errorOf(async () => await staged.verify(abort.signal));
    const instance = { ...harness.config, dataDirectory: staged.stagingDirectory };

    expect(error.message).toBe('cancelled');
    expect(await findClusterProcesses(instance)).toEqual({ servers: [], controllers: [] });
    await staged.abort();
  }, 60_000);

  test('of a later minor version are refused unless forced', async () => {
    const attributes = { ...sound.attributes, 'engine-version': `${harness.config.version}.999` };
    const request = { attributes, totalBytes: sound.totalBytes };

    const error = await errorOf(async () => await harness.engine.prepareRestore(request));
    const plan = await harness.engine.prepareRestore({ ...request, isForced: true });

    expect(error.code).toBe('minor-version-mismatch');
    expect(plan.warnings).toHaveLength(1);
  });
});
