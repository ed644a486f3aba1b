/** Real databases to cut: made, changed step by step, and looked at as files at rest. */
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { createPostgresqlCluster, installPostgresql } from '#engines';
import { runProcess } from '#system';
import { ensureDebianPackages } from '#tooling';

export interface Step {
  readonly name: string;
  readonly sql: string;
}

export interface TestDatabase extends AsyncDisposable {
  readonly name: string;
  /** The first makes the data, the others change them. */
  readonly steps: readonly Step[];
  /** Performs one, and brings everything to the disk. */
  perform(step: Step): Promise<void>;
  /** The files a physical backup holds, logs of the server left out. */
  files(): AsyncIterable<{ readonly path: string; readonly content: Buffer }>;
}

/** What the same statements do to any table; `last` is its last row. */
function commonSteps(table: string, column: string, last: number): readonly Step[] {
  const change = `UPDATE ${table} SET ${column} = ${column} + 1`;
  return [
    { name: 'unchanged', sql: 'SELECT 1' },
    { name: '1 % contiguous', sql: `${change} WHERE id <= ${Math.floor(last / 100)}` },
    { name: '0.05 % uniform', sql: `${change} WHERE id % 2000 = 7` },
    { name: '1 % uniform', sql: `${change} WHERE id % 100 = 13` },
  ];
}

/** `pgbench` is its accounts: compressible as nothing real is. `real` shrinks to about half, as production data do. */
export async function aPostgresql(
  kind: 'pgbench' | 'real',
  megabytes: number,
): Promise<TestDatabase> {
  const version = await installPostgresql({ runProcess });
  const cluster = await createPostgresqlCluster({
    version,
    cluster: `cutting_${process.pid}_${kind}`,
    runProcess,
    settings: { backupRole: 'cutting' },
  });
  await cluster.start();
  const rows = Math.floor(megabytes * (kind === 'pgbench' ? 6500 : 4400));
  const insert = (from: number, to: number): string =>
    `INSERT INTO rows SELECT ${kind === 'pgbench' ? PGBENCH : REAL} FROM generate_series(${from}, ${to}) AS i`;
  const table =
    kind === 'pgbench'
      ? 'id int NOT NULL, bid int, status int, filler char(84)'
      : 'id int NOT NULL, status int, token text, digest bytea, note text';
  return {
    name: `PostgreSQL, ${kind}`,
    steps: [
      {
        name: 'first',
        sql: `ALTER SYSTEM SET autovacuum = off; SELECT pg_reload_conf(); CREATE TABLE rows (${table});
          ${insert(1, rows)}; ALTER TABLE rows ADD PRIMARY KEY (id); VACUUM FREEZE rows`,
      },
      ...commonSteps('rows', 'status', rows),
      { name: 'vacuum', sql: 'VACUUM rows' },
      { name: 'inserts, 1 %', sql: insert(rows + 1, Math.floor(rows * 1.01)) },
      { name: 'vacuum full', sql: 'VACUUM FULL rows' },
    ],
    perform: async ({ sql }) => {
      await cluster.sql(`${sql}; CHECKPOINT;`);
    },
    files: () => filesBelow(cluster.instance.dataDirectory, /^(pg_wal|pg_stat|postmaster)/),
    [Symbol.asyncDispose]: async () => await cluster.drop(),
  };
}

const PGBENCH = "i, (i - 1) / 100000 + 1, 0, ''";
/** Hex digits of hashes shrink to half, names and counters to little. */
const REAL =
  "i, i % 97, md5(i::text) || md5((i + 1)::text), sha256(i::text::bytea), 'customer ' || i % 5000 || ', order of ' || i % 365";

/** InnoDB with the data of `real`; the server is down while its files are read. */
export async function aMariadb(megabytes: number): Promise<TestDatabase> {
  await ensureDebianPackages(['mariadb-server-core', 'mariadb-client-core']);
  const directory = await mkdtemp(join(tmpdir(), 'cutting-mariadb-'));
  const data = join(directory, 'data');
  await runProcess('chmod', ['755', directory]);
  await runProcess('chown', ['nobody', directory]);
  const server = ['--no-defaults', '--user=nobody', `--datadir=${data}`];
  await runProcess('mariadb-install-db', [...server, '--skip-test-db'], { timeoutMs: 120_000 });
  const rows = Math.floor(megabytes * 4400);
  const table = `id INT PRIMARY KEY, status INT, token CHAR(64) CHARACTER SET latin1,
    digest VARBINARY(32), note VARCHAR(60)`;
  return {
    name: 'MariaDB, real',
    steps: [
      {
        name: 'first',
        sql: `CREATE DATABASE bench; CREATE TABLE bench.records (${table}) ENGINE=InnoDB; ${insertRecords(1, rows, '')}`,
      },
      ...commonSteps('bench.records', 'status', rows * 2).map(({ name, sql }) => ({
        name,
        // Only even ids exist.
        sql: sql.replace('id %', '(id DIV 2) %'),
      })),
      { name: 'inserts, 1 %', sql: insertRecords(rows + 1, Math.floor(rows * 1.01), '') },
      {
        name: 'inserts anywhere, 0.1 %',
        sql: insertRecords(1, rows, '+ 1').concat(' WHERE seq % 1000 = 3'),
      },
      { name: 'optimize table', sql: 'OPTIMIZE TABLE bench.records' },
    ],
    perform: async ({ sql }) => await withMariadb(directory, server, sql),
    files: () => filesBelow(data, /^(ib_logfile|ibtmp|ib_buffer_pool|aria_log)/),
    [Symbol.asyncDispose]: async () => await rm(directory, { recursive: true, force: true }),
  };
}

function insertRecords(from: number, to: number, odd: string): string {
  return `INSERT INTO bench.records
    SELECT seq * 2 ${odd}, seq % 97, CONCAT(MD5(seq), MD5(seq + 1)), UNHEX(SHA2(seq, 256)),
    CONCAT('customer ', seq % 5000, ', order of ', seq % 365) FROM seq_${from}_to_${to}`;
}

async function withMariadb(
  directory: string,
  options: readonly string[],
  sql: string,
): Promise<void> {
  const socket = join(directory, 'socket');
  const server = spawn(
    'mariadbd',
    [...options, `--socket=${socket}`, '--skip-networking', '--skip-log-bin'],
    { stdio: 'ignore' },
  );
  const ended = new Promise((resolve) => server.once('exit', resolve));
  const client = ['--no-defaults', `--socket=${socket}`, '--user=root'];
  try {
    await untilReady(client);
    // Sequences are tables of whatever database is chosen.
    await runProcess('mariadb', [...client, '-e', `USE mysql; ${sql}`], { timeoutMs: 900_000 });
  } finally {
    server.kill('SIGTERM');
    await ended;
  }
}

async function untilReady(client: readonly string[]): Promise<void> {
  for (let attempt = 0; attempt < 120; attempt += 1) {
    const { exitCode } = await runProcess('mariadb', [...client, '-e', 'SELECT 1'], {
      acceptExitCodes: [0, 1],
    });
    if (exitCode === 0) {
      return;
    }
    await setTimeout(500);
  }
  throw new Error('the server of MariaDB did not come up within a minute');
}

async function* filesBelow(
  directory: string,
  without: RegExp,
): AsyncIterable<{ path: string; content: Buffer }> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)))
    .filter((path) => !without.test(path))
    .toSorted();
  for (const path of paths) {
    yield { path, content: await readFile(join(directory, path)) };
  }
}
