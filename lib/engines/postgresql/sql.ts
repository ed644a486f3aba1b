/** Statements as the superuser over the local socket (peer), and trial logins of roles. */
import { ProcessError, type RunProcess } from '#system';
import { asOwner, clientEnvironment, clusterLabel, connectionArguments } from './commands.ts';
import type { PostgresqlInstance, PostgresqlRole } from './config.ts';
import { explainFailure } from './failures.ts';

export interface SqlOptions {
  /** `postgres` unless told. */
  readonly database?: string;
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
}

/** No psqlrc of anybody; bare values, one row a line; never ask for a password; stop at an error. */
export const PSQL_BARE = ['-X', '-q', '-A', '-t', '-w', '-v', 'ON_ERROR_STOP=1'];

/**
 * Runs statements as the superuser and returns the bare rows, one a line.
 * @throws HintError naming the cluster and PostgreSQL's reason
 */
export async function runSql(
  instance: PostgresqlInstance,
  run: RunProcess,
  statements: string,
  options: SqlOptions = {},
): Promise<string> {
  const database = conninfo({ dbname: options.database ?? 'postgres', user: instance.osUser });
  return await runPsql({ instance, run, database, statements, options });
}

/**
 * Logs in as `role` for replication and asks who the server is.
 * @throws HintError when the server refuses
 */
export async function tryReplicationLogin(
  instance: PostgresqlInstance,
  run: RunProcess,
  role: PostgresqlRole,
): Promise<void> {
  const database = conninfo({ replication: 'true', user: role.name });
  await runPsql({ instance, run, database, statements: 'IDENTIFY_SYSTEM;', role });
}

/** Logs in as `role` with its password, over the socket: where else the server listens is up to the data. */
export async function tryLogin(
  instance: PostgresqlInstance,
  run: RunProcess,
  role: PostgresqlRole,
): Promise<void> {
  const database = conninfo({ dbname: 'postgres', user: role.name });
  await runPsql({ instance, run, database, statements: 'SELECT 1;', role });
}

/** Quotes a value as an SQL string literal (standard_conforming_strings is on since 9.1). */
export function sqlLiteral(value: string): string {
  return value.includes('\\')
    ? `E'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
    : `'${value.replaceAll("'", "''")}'`;
}

/** Quotes a name as an SQL identifier. */
export function sqlName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A libpq connection string; values may hold anything. */
export function conninfo(settings: Readonly<Record<string, string>>): string {
  return Object.entries(settings)
    .map(([key, value]) => `${key}='${value.replaceAll(/['\\]/g, String.raw`\$&`)}'`)
    .join(' ');
}

interface PsqlCall {
  readonly instance: PostgresqlInstance;
  readonly run: RunProcess;
  readonly database: string;
  readonly statements: string;
  readonly role?: PostgresqlRole;
  readonly options?: SqlOptions;
}

async function runPsql(call: PsqlCall): Promise<string> {
  const { instance, run, options = {} } = call;
  const args = [...PSQL_BARE, ...connectionArguments(instance), '-d', call.database];
  const psql = asOwner(instance, 'psql', args);
  try {
    const { stdout } = await run(psql.command, psql.args, {
      env: clientEnvironment(call.role),
      cwd: '/',
      stdin: call.statements,
      label: 'psql',
      timeoutMs: options.timeoutMs ?? 120_000,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    return stdout.trimEnd();
  } catch (error) {
    options.signal?.throwIfAborted();
    const output = error instanceof ProcessError ? error.stderr : '';
    const operation = `cannot ask PostgreSQL ${clusterLabel(instance)}`;
    throw explainFailure(operation, output === '' ? String(error) : output, error);
  }
}
