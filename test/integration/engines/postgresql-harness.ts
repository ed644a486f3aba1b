/** A private PostgreSQL cluster for one test file: made, filled with known rows, dropped. */
import { randomBytes } from 'node:crypto';
import { readdir, rm, truncate } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import {
  createPostgresqlCluster,
  createPostgresqlEngine,
  installPostgresql,
  type PostgresqlCluster,
  type PostgresqlEngineConfig,
} from '#engines';
import { runProcess } from '#system';
import type { EngineHarness } from '../../contract/engine-contract.ts';

export interface PostgresqlHarness extends EngineHarness {
  readonly cluster: PostgresqlCluster;
  readonly config: PostgresqlEngineConfig;
}

/** A running cluster with a table `rows_of_test` of `rows` rows. */
export async function createPostgresqlHarness(rows = 150_000): Promise<PostgresqlHarness> {
  const version = await installPostgresql({ runProcess });
  const name = `engtest_${process.pid}_${randomBytes(3).toString('hex')}`;
  const cluster = await createPostgresqlCluster({
    version,
    cluster: name,
    runProcess,
    settings: { backupRole: 'test_backup' },
  });
  await cluster.start();
  const backupRole = { name: 'test_backup', password: `b-${randomBytes(6).toString('hex')}` };
  const adminRole = { name: 'test_admin', password: `a-${randomBytes(6).toString('hex')}` };
  await cluster.setRoles({ backup: backupRole, admin: adminRole });
  await cluster.sql(`CREATE TABLE rows_of_test AS
    SELECT i AS id, md5(i::text) AS text FROM generate_series(1, ${rows}) AS i;`);
  const config = { engine: 'postgresql' as const, ...cluster.instance, backupRole, adminRole };
  return harness(cluster, config);
}

function harness(cluster: PostgresqlCluster, config: PostgresqlEngineConfig): PostgresqlHarness {
  const { dataDirectory } = cluster.instance;
  return {
    cluster,
    config,
    engine: createPostgresqlEngine({ ...config, runProcess }),
    damage: async () => {
      await cluster.sql(`DELETE FROM rows_of_test WHERE id % 3 = 0;
        UPDATE rows_of_test SET text = 'damaged' WHERE id % 7 = 0; CREATE TABLE added (id int);
        ALTER ROLE test_backup PASSWORD 'changed'; DROP ROLE test_admin;`);
    },
    ruin: async () => {
      await cluster.stop();
      await rm(join(dataDirectory, 'global', 'pg_control'));
    },
    breakStaged: async (staged) => await truncate(join(staged, 'global', 'pg_control'), 0),
    breakStagedUndo: async () => {
      const names = await readdir(dirname(dataDirectory));
      const staged = names.find((name) => name.startsWith(`${basename(dataDirectory)}.staged-`));
      await truncate(join(dirname(dataDirectory), staged ?? '', 'global', 'pg_control'), 0);
    },
    fingerprint: async () => await fingerprint(cluster),
    kill: async () => {
      process.kill(Number(await postmasterPid(cluster)), 'SIGKILL');
      while (await cluster.isReady()) {
        // The socket answers until the kernel has taken the process down.
      }
    },
    start: async () => await cluster.start(),
    [Symbol.asyncDispose]: async () => await cluster.drop(),
  };
}

async function fingerprint(cluster: PostgresqlCluster): Promise<string> {
  return await cluster.sql(`SELECT count(*), md5(string_agg(id || text, ',' ORDER BY id)) FROM rows_of_test;
    SELECT string_agg(relname, ',' ORDER BY relname) FROM pg_class WHERE relnamespace = 'public'::regnamespace;`);
}

async function postmasterPid(cluster: PostgresqlCluster): Promise<string> {
  return await cluster.sql(`SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1);`);
}
