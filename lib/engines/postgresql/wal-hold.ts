/**
 * Keeps the server from recycling the WAL a running backup needs: a temporary replication slot,
 * which the server drops by itself when the session that made it ends, however it ends.
 */
import { randomBytes } from 'node:crypto';
import { clusterLabel } from './commands.ts';
import type { PostgresqlInstance, PostgresqlRole } from './config.ts';
import { PsqlSession } from './psql-session.ts';

/** A session that holds WAL from now on until it is disposed of. */
export interface WalHold extends AsyncDisposable {
  /** The identity of the cluster, kept by all its copies. */
  readonly systemIdentifier: string;
  readonly timeline: number;
}

/**
 * Logs in for replication and reserves the WAL since the last checkpoint.
 * @throws HintError `login-refused`, `database-unavailable`, `too-many-backups`
 */
export async function holdWal(
  instance: PostgresqlInstance,
  role: PostgresqlRole,
  signal: AbortSignal,
): Promise<WalHold> {
  await using cleanup = new AsyncDisposableStack();
  const session = cleanup.use(
    new PsqlSession({
      instance,
      role,
      login: { replication: 'true', user: role.name },
      operation: `cannot begin a backup of PostgreSQL ${clusterLabel(instance)}`,
      signal,
    }),
  );
  const [systemIdentifier = '', timeline = ''] = (await session.ask('IDENTIFY_SYSTEM;')).split('|');
  const slot = `backup_${randomBytes(8).toString('hex')}`;
  await session.ask(`CREATE_REPLICATION_SLOT ${slot} TEMPORARY PHYSICAL RESERVE_WAL;`);
  const disposal = cleanup.move();
  return {
    systemIdentifier,
    timeline: Number(timeline),
    [Symbol.asyncDispose]: async () => await disposal.disposeAsync(),
  };
}
