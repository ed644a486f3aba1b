/** Looks through tables and B-tree indexes for damage that neither checksums nor a start would show. */
import { join } from 'node:path';
import {
  formatDuration,
  HintError,
  minimalEnvironment,
  ProcessError,
  type RunProcess,
} from '#system';
import { asOwner, binDirectory, connectionArguments } from './commands.ts';
import type { PostgresqlInstance } from './config.ts';
import { exists } from './directories.ts';
import { runSql } from './sql.ts';

/** `insist`: damage is an error. `tell`: it is only told. `skip`: nobody looks. */
export type IntegrityRule = 'insist' | 'tell' | 'skip';

/** Nobody waits for ever for the last terabyte; what was looked at until then was sound. */
const TIME_LIMIT_MS = 300_000;
// pg_amcheck: "2 if some form of corruption was found", from PostgreSQL 14 on.
const CORRUPTION_FOUND = 2;
const JOBS = 2;

/**
 * Runs pg_amcheck on every database, where it is installed; databases that lack its extension have it
 * for that time only.
 * @returns what it found, in words for people
 * @throws HintError `corruption-found` when the rule insists
 */
export async function checkIntegrity(
  instance: PostgresqlInstance,
  run: RunProcess,
  rule: IntegrityRule,
  signal: AbortSignal,
): Promise<readonly string[]> {
  if (rule === 'skip') {
    return [];
  }
  if (!(await exists(join(binDirectory(instance.version), 'pg_amcheck')))) {
    return ['tables and indexes not checked: pg_amcheck is not installed'];
  }
  const lacking = await databasesWithoutExtension(instance, run);
  try {
    return [await runAmcheck(instance, run, rule, signal)];
  } finally {
    for (const database of lacking) {
      await runSql(instance, run, 'DROP EXTENSION IF EXISTS amcheck;', { database });
    }
  }
}

async function runAmcheck(
  instance: PostgresqlInstance,
  run: RunProcess,
  rule: IntegrityRule,
  signal: AbortSignal,
): Promise<string> {
  const options = ['--all', '--install-missing', '--jobs', String(JOBS), '--username'];
  const args = [...connectionArguments(instance), '-w', ...options, instance.osUser];
  const amcheck = asOwner(instance, 'pg_amcheck', args);
  const begun = performance.now();
  try {
    const { exitCode, stdout } = await run(amcheck.command, amcheck.args, {
      env: minimalEnvironment(),
      cwd: '/',
      label: 'pg_amcheck',
      acceptExitCodes: [0, CORRUPTION_FOUND],
      timeoutMs: TIME_LIMIT_MS,
      signal,
    });
    const took = formatDuration(performance.now() - begun);
    return exitCode === 0
      ? `tables and indexes are sound (checked in ${took})`
      : damageFound(stdout, rule);
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof ProcessError)) {
      throw error;
    }
    return performance.now() - begun >= TIME_LIMIT_MS
      ? `tables and indexes only partly checked: not done in ${formatDuration(TIME_LIMIT_MS)}, sound so far`
      : `tables and indexes not checked: ${error.message}`;
  }
}

function damageFound(output: string, rule: IntegrityRule): string {
  const lines = output.split('\n').filter((line) => line.trim() !== '');
  const first = lines.slice(0, 2).map((line) => line.trim());
  const found = `pg_amcheck found damage in the restored data: ${first.join(' ')}`;
  if (rule === 'insist') {
    throw new HintError(`cannot use the backup: ${found}`, {
      code: 'corruption-found',
      hint: 'restore an older backup, or this one with force and repair it; the live data were not touched',
    });
  }
  return found;
}

async function databasesWithoutExtension(
  instance: PostgresqlInstance,
  run: RunProcess,
): Promise<readonly string[]> {
  const lacking: string[] = [];
  for (const database of await listDatabases(instance, run)) {
    const query = "SELECT count(*) FROM pg_extension WHERE extname = 'amcheck';";
    if ((await runSql(instance, run, query, { database })) === '0') {
      lacking.push(database);
    }
  }
  return lacking;
}

/** Databases one can connect to. */
export async function listDatabases(
  instance: PostgresqlInstance,
  run: RunProcess,
): Promise<string[]> {
  // JSON, because a database's name may hold a line break.
  const query = 'SELECT json_agg(datname) FROM pg_database WHERE datallowconn;';
  return JSON.parse(await runSql(instance, run, query)) as string[];
}
