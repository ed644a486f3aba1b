/** The checks a restored database must pass before the old data may go. */
import { HintError, type RunProcess } from '#system';
import { clusterLabel } from './commands.ts';
import type { PostgresqlEngineConfig } from './config.ts';
import { listDatabases } from './integrity.ts';
import { roleStatements } from './roles.ts';
import { runSql, tryLogin, tryReplicationLogin } from './sql.ts';

/**
 * Sets the charm's roles up again (restored data bring roles and passwords of their own), then
 * asks every database a question, and logs in as each role.
 * @throws HintError naming what failed
 */
export async function checkRestoredHealth(
  config: PostgresqlEngineConfig,
  run: RunProcess,
  expectedSystemIdentifier: string | undefined,
): Promise<void> {
  await applyRoles(config, run);
  const seen = await runSql(config, run, 'SELECT system_identifier FROM pg_control_system();');
  if (expectedSystemIdentifier !== undefined && seen !== expectedSystemIdentifier) {
    throw new HintError(
      `PostgreSQL ${clusterLabel(config)} serves cluster ${seen} instead of ${expectedSystemIdentifier}`,
      { code: 'wrong-data' },
    );
  }
  for (const database of await listDatabases(config, run)) {
    await runSql(config, run, 'SELECT count(*) FROM pg_class;', { database });
  }
  await tryReplicationLogin(config, run, config.backupRole);
  if (config.adminRole !== undefined) {
    await tryLogin(config, run, config.adminRole);
  }
}

/** Creates or resets the roles of the charm; the same call again changes nothing but the salt. */
async function applyRoles(config: PostgresqlEngineConfig, run: RunProcess): Promise<void> {
  const { backupRole, adminRole } = config;
  const admin = adminRole === undefined ? '' : roleStatements('admin', adminRole);
  await runSql(config, run, `${roleStatements('backup', backupRole)}${admin}`);
}
