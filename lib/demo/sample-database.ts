/** The demo's data: loads pgbench tables, damages them, and compares every row. */

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { finished } from 'node:stream/promises';
import { HintError, minimalEnvironment, runProcess } from '#system';

export interface Connection {
  readonly host: string;
  readonly port: string;
  readonly username: string;
  readonly password: string;
  readonly database: string;
}

export interface TableState {
  readonly rows: number;
  /** SHA-256 over all rows in key order, as `COPY` writes them. */
  readonly digest: string;
}

export type DatabaseState = ReadonlyMap<string, TableState>;

const TABLES: readonly { readonly name: string; readonly order: string }[] = [
  { name: 'pgbench_accounts', order: 'aid' },
  { name: 'pgbench_branches', order: 'bid' },
  { name: 'pgbench_history', order: 'tid, bid, aid, delta, mtime' },
  { name: 'pgbench_tellers', order: 'tid' },
];

export class SampleDatabase {
  readonly #environment: Record<string, string>;

  constructor(connection: Connection) {
    this.#environment = {
      ...minimalEnvironment(),
      PGHOST: connection.host,
      PGPORT: connection.port,
      PGUSER: connection.username,
      PGPASSWORD: connection.password,
      PGDATABASE: connection.database,
    };
  }

  /** Creates the pgbench tables; one unit of scale is about 15 MB. Then runs a few transactions. */
  async load(scale: number): Promise<void> {
    await this.#run('pgbench', ['-i', '-q', '-s', String(scale)]);
    await this.#run('pgbench', ['-c', '4', '-j', '2', '-t', '500', '--no-vacuum']);
  }

  /** Drops one table and changes rows in another. */
  async damage(): Promise<void> {
    await this.query('DROP TABLE pgbench_branches');
    await this.query('UPDATE pgbench_accounts SET abalance = 999999 WHERE aid % 1000 = 0');
    await this.query('DELETE FROM pgbench_tellers');
  }

  async sizeBytes(): Promise<number> {
    return Number(await this.query('SELECT pg_database_size(current_database())'));
  }

  /** Reads every row of every table; a table that is gone is missing from the answer. */
  async state(): Promise<DatabaseState> {
    const present = new Set(
      (await this.query("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).split('\n'),
    );
    const states = new Map<string, TableState>();
    for (const table of TABLES.filter(({ name }) => present.has(name))) {
      states.set(table.name, await this.#tableState(table));
    }
    return states;
  }

  async query(sql: string): Promise<string> {
    return (
      await this.#run('psql', ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-c', sql])
    ).trim();
  }

  async #tableState({ name, order }: { name: string; order: string }): Promise<TableState> {
    const sql = `COPY (SELECT * FROM ${name} ORDER BY ${order}) TO STDOUT`;
    const child = spawn('psql', ['-X', '-q', '-v', 'ON_ERROR_STOP=1', '-c', sql], {
      env: this.#environment,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const hash = createHash('sha256');
    let rows = 0;
    child.stdout.on('data', (bytes: Buffer) => {
      hash.update(bytes);
      rows += countNewlines(bytes);
    });
    const exit = new Promise<number | null>((resolve) => child.once('close', resolve));
    await finished(child.stdout);
    if ((await exit) !== 0) {
      throw new HintError(`cannot read table ${name}`, { code: 'unreadable-table' });
    }
    return { rows, digest: hash.digest('hex') };
  }

  async #run(command: string, args: readonly string[]): Promise<string> {
    return (await runProcess(command, args, { env: this.#environment })).stdout;
  }
}

/** One line a table: the same, different, or missing. */
export function compareStates(
  before: DatabaseState,
  now: DatabaseState,
): { readonly equal: boolean; readonly lines: readonly string[] } {
  let equal = before.size === now.size;
  const lines = [...before].map(([name, expected]) => {
    const found = now.get(name);
    const same = found?.digest === expected.digest && found.rows === expected.rows;
    equal &&= same;
    return `  ${name.padEnd(18)} ${verdict(expected, found, same)}`;
  });
  return { equal, lines };
}

function verdict(expected: TableState, found: TableState | undefined, same: boolean): string {
  if (found === undefined) {
    return `MISSING (had ${expected.rows} rows)`;
  }
  const digest = `sha256 ${found.digest.slice(0, 16)}…`;
  return same
    ? `equal, ${found.rows} rows, ${digest}`
    : `DIFFERENT, ${found.rows} rows (had ${expected.rows}), ${digest}`;
}

function countNewlines(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, at + 1)) {
    count += 1;
  }
  return count;
}
