/**
 * Keeps the server from recycling the WAL a running backup needs: a temporary replication slot,
 * which the server drops by itself when the session that made it ends, however it ends.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createInterface } from 'node:readline';
import { asOwner, clientEnvironment, clusterLabel, connectionArguments } from './commands.ts';
import type { PostgresqlInstance, PostgresqlRole } from './config.ts';
import { explainFailure } from './failures.ts';
import { conninfo, PSQL_BARE } from './sql.ts';

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
  signal.throwIfAborted();
  const session = startSession(instance, role);
  const kill = (): void => void session.kill('SIGKILL');
  signal.addEventListener('abort', kill, { once: true });
  try {
    return await reserve(session, instance);
  } catch (error) {
    kill();
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener('abort', kill);
  }
}

function startSession(
  instance: PostgresqlInstance,
  role: PostgresqlRole,
): ChildProcessWithoutNullStreams {
  const database = conninfo({ replication: 'true', user: role.name });
  const psql = asOwner(instance, 'psql', [
    ...PSQL_BARE,
    `--dbname=${database}`,
    ...connectionArguments(instance),
  ]);
  const session = spawn(psql.command, psql.args, { env: clientEnvironment(role), cwd: '/' });
  session.on('error', () => undefined);
  session.stdin.on('error', () => undefined);
  return session;
}

async function reserve(
  session: ChildProcessWithoutNullStreams,
  instance: PostgresqlInstance,
): Promise<WalHold> {
  let stderr = '';
  session.stderr.on('data', (piece: Buffer) => {
    stderr += piece.toString('utf8');
  });
  const slot = `backup_${randomBytes(8).toString('hex')}`;
  // The standard input stays open: psql, and with it the session, lives until we close it or die.
  session.stdin.write(`IDENTIFY_SYSTEM;\n`);
  session.stdin.write(`CREATE_REPLICATION_SLOT ${slot} TEMPORARY PHYSICAL RESERVE_WAL;\n`);
  const rows = createInterface({ input: session.stdout })[Symbol.asyncIterator]();
  const identity = await rows.next();
  const created = await rows.next();
  if (identity.done === true || created.done === true) {
    throw explainFailure(`cannot begin a backup of PostgreSQL ${clusterLabel(instance)}`, stderr);
  }
  const [systemIdentifier = '', timeline = ''] = identity.value.split('|');
  return {
    systemIdentifier,
    timeline: Number(timeline),
    [Symbol.asyncDispose]: async () => await endSession(session),
  };
}

async function endSession(session: ChildProcessWithoutNullStreams): Promise<void> {
  if (session.exitCode !== null || session.signalCode !== null) {
    return;
  }
  await new Promise<void>((resolve) => {
    session.once('close', () => resolve());
    session.stdin.end();
    // A server that hangs must not hold us: the slot goes with the connection.
    setTimeout(() => session.kill('SIGKILL'), 5_000).unref();
  });
}
