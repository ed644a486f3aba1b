/** Backups of files read in place, by a reader that reads late, while the server changes and drops them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  constants,
  cp,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  readlink,
  rm,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { BackupAttributes, Engine, EngineEntry, EntryFile } from '#engines';
import { hasErrorCode } from '#system';
import { asOwner, connectionArguments } from '../../../lib/engines/postgresql/commands.ts';
import { errorOf, never } from '../../contract/engine-contract.ts';
import { createPostgresqlHarness, type PostgresqlHarness } from './postgresql-harness.ts';

describe('a low-level backup', () => {
  let harness: PostgresqlHarness;
  let scratch: string;

  beforeAll(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'engine-low-level-'));
    harness = await createPostgresqlHarness(1_000);
  }, 60_000);

  afterAll(async () => {
    await harness[Symbol.asyncDispose]();
    await rm(scratch, { recursive: true, force: true });
  }, 60_000);

  const sql = async (statements: string): Promise<string> => await harness.cluster.sql(statements);

  async function pathOf(table: string): Promise<string> {
    return await sql(`SELECT pg_relation_filepath('${table}');`);
  }

  test('under writes, with small WAL and checkpoints all the time, restores to one state', async () => {
    await sql(`ALTER SYSTEM SET max_wal_size = '32MB';`);
    await sql(`ALTER SYSTEM SET min_wal_size = '32MB'; SELECT pg_reload_conf();
      CREATE TABLE dropped AS SELECT i FROM generate_series(1, 5000) AS i;
      CREATE TABLE shrunk AS SELECT i FROM generate_series(1, 50000) AS i;
      CREATE TABLE grown AS SELECT i FROM generate_series(1, 5000) AS i;
      CREATE UNLOGGED TABLE unlogged AS SELECT i FROM generate_series(1, 5000) AS i;`);
    const [dropped, unlogged] = [await pathOf('dropped'), await pathOf('unlogged')];
    await pgbench(harness, ['-i', '-s', '2']).ended;
    const load = pgbench(harness, ['-c', '2', '-T', '600']);
    const kept = join(scratch, 'kept');

    // Everything is listed by now and nothing has been read.
    const backup = await takeLate(harness.engine, kept, async () => {
      await sql(`DROP TABLE dropped;`);
      await sql(
        `DELETE FROM shrunk WHERE i > 100; INSERT INTO grown SELECT generate_series(1, 200000);`,
      );
      await sql('VACUUM shrunk;');
      // Forgets the files of dropped tables, and recycles WAL nobody holds.
      for (let round = 0; round < 5; round += 1) {
        await sql('SELECT pg_switch_wal(); CHECKPOINT;');
      }
    });
    load.child.kill('SIGKILL');
    await load.ended;
    const staged = await harness.engine.createRestore(backup);
    await cp(kept, staged.stagingDirectory, { recursive: true });
    const { findings } = await staged.verify(never());
    await staged.swap(never());
    await staged.commit();

    const paths = backup.entries.map(({ path }) => path);
    expect(paths).toEqual(expect.arrayContaining([dropped, `${unlogged}_init`]));
    expect(paths).not.toContain(unlogged);
    expect(backup.gone).toContain(dropped);
    expect(findings.join('\n')).toMatch(/pg_amcheck|tables|index/i);
    expect(
      await sql(`SELECT count(*) FROM shrunk; SELECT count(*) FROM grown;
      SELECT count(*) FROM unlogged; SELECT to_regclass('dropped') IS NULL;`),
    ).toBe('100\n205000\n0\nt');
    expect(
      await sql(`SELECT count(*) FROM pgbench_accounts; SELECT count(DISTINCT sum) FROM (
      SELECT sum(abalance) FROM pgbench_accounts UNION ALL SELECT sum(bbalance) FROM pgbench_branches
      UNION ALL SELECT sum(tbalance) FROM pgbench_tellers
      UNION ALL SELECT sum(delta) FROM pgbench_history) AS sums;`),
    ).toBe('200000\n1');
    expect(Number(await sql('SELECT count(*) FROM pgbench_history;'))).toBeGreaterThan(0);
  }, 240_000);

  test('comes sorted, with what is needed to become consistent at the end', async () => {
    const { entries, attributes } = await takeLate(harness.engine, join(scratch, 'sorted'));
    const paths = entries.map(({ path }) => path);
    const data = paths.slice(0, paths.indexOf('global/pg_control'));

    expect(data).toEqual(data.toSorted(byComponents));
    expect(paths.at(-1)).toBe('backup_manifest');
    expect(paths.at(-2)).toBe('backup_label');
    expect(paths.filter((path) => /^pg_wal\/[0-9A-F]{24}$/.test(path)).length).toBeGreaterThan(0);
    expect(paths).not.toContain('postmaster.pid');
    expect(paths.filter((path) => /^(?:pg_replslot|pg_notify|pg_subtrans)\//.test(path))).toEqual(
      [],
    );
    expect(attributes['method']).toBe('low-level');
    const label = await readFile(join(scratch, 'sorted', 'backup_label'), 'utf8');
    expect(label.split(' ')[3]).toBe(attributes['start-lsn']);
  }, 60_000);

  test('a fingerprint stays while a file stays the same, and never outlives a change', async () => {
    await sql(`CREATE TABLE still AS SELECT i FROM generate_series(1, 1000) AS i;
      CREATE TABLE moving AS SELECT i FROM generate_series(1, 1000) AS i;`);
    await sql('VACUUM FREEZE still; VACUUM FREEZE moving;');
    const [still, moving] = [await pathOf('still'), await pathOf('moving')];
    let before = await listFingerprints(harness.engine);
    expect([...before.keys()].filter((path) => !/^(?:base|global|pg_[a-z]+)\//.test(path))).toEqual(
      [],
    );
    while (!before.has(still) || !before.has(moving)) {
      // Too young to be sure of; each backup takes its time.
      before = await listFingerprints(harness.engine);
    }
    await sql('UPDATE moving SET i = i + 1 WHERE i = 7;');

    let after = await listFingerprints(harness.engine);
    expect(after.get(still)).toBe(before.get(still));
    expect(after.get(moving)).not.toBe(before.get(moving));
    while (!after.has(moving)) {
      after = await listFingerprints(harness.engine);
    }

    expect(after.get(still)).toBe(before.get(still));
    expect(after.get(moving)).not.toBe(before.get(moving));
  }, 120_000);

  test('a failure to read, told by the reader, ends the backup before the server does', async () => {
    const reason = new Error('a worker has failed');
    await using source = await harness.engine.backup({
      signal: never(),
      scratchDirectory: scratch,
      settleReads: async () => await Promise.reject(reason),
    });
    const paths: string[] = [];

    const error = await errorOf(async () => {
      for await (const { path } of source.entries) {
        paths.push(path);
      }
    });

    expect(error).toBe(reason);
    expect(paths).not.toContain('global/pg_control');
  }, 60_000);

  test('a reader that stops half-way leaves no file open, and no backup in progress', async () => {
    await using source = await harness.engine.backup({
      signal: never(),
      scratchDirectory: scratch,
    });
    const entries = source.entries[Symbol.asyncIterator]();
    let entry: EngineEntry = (await entries.next()).value;
    while (!entry.path.startsWith('base/1/')) {
      await readToEnd(entry);
      entry = (await entries.next()).value;
    }
    const during = await openIn(harness.config.dataDirectory);
    await source[Symbol.asyncDispose]();

    expect(during).not.toEqual([]);
    let after = during;
    while (after.length > 0) {
      after = await openIn(harness.config.dataDirectory);
    }
    const sessions = `SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_backup_start%'
      AND pid <> pg_backend_pid();`;
    expect(await sql(sessions)).toBe('0');
  }, 60_000);

  test('a server that died and serves again has no part in a backup begun before', async () => {
    await using source = await harness.engine.backup({
      signal: never(),
      scratchDirectory: scratch,
      settleReads: async () => {
        await harness.kill();
        await harness.start();
      },
    });
    const paths: string[] = [];

    const error = await errorOf(async () => {
      for await (const { path } of source.entries) {
        paths.push(path);
      }
    });

    expect(error.code).toBe('database-lost');
    expect(paths).not.toContain('backup_label');
  }, 120_000);
});

interface LateBackup {
  readonly attributes: BackupAttributes;
  readonly totalBytes: number;
  readonly entries: readonly EngineEntry[];
  /** Paths of what was listed and no longer there. */
  readonly gone: readonly string[];
}

/** Reads files only when the engine insists; `beforeReading` is called once, when the first is due. */
async function takeLate(
  engine: Engine,
  directory: string,
  beforeReading = async (): Promise<void> => undefined,
): Promise<LateBackup> {
  const gone: string[] = [];
  const entries: EngineEntry[] = [];
  let pending: EngineEntry[] = [];
  let isFirst = true;
  const settleReads = async (): Promise<void> => {
    if (isFirst) {
      isFirst = false;
      await beforeReading();
    }
    for (const entry of pending) {
      if (!(await copyEntry(entry, join(directory, entry.path)))) {
        gone.push(entry.path);
      }
    }
    pending = [];
  };
  await using source = await engine.backup({
    signal: never(),
    scratchDirectory: tmpdir(),
    settleReads,
  });
  let totalBytes = 0;
  for await (const entry of source.entries) {
    entries.push(entry);
    pending.push(entry);
    totalBytes += entry.size ?? 0;
  }
  await settleReads();
  return { attributes: source.attributes, totalBytes, entries, gone };
}

/** @returns false when it is gone, which was told */
async function copyEntry(entry: EngineEntry, target: string): Promise<boolean> {
  await mkdir(dirname(target), { recursive: true });
  if (entry.kind === 'directory') {
    await mkdir(target, { recursive: true });
    return true;
  }
  const { file, size = 0 } = entry;
  if (file === undefined) {
    await writeFile(target, entry.open?.() ?? '');
    return true;
  }
  const content = await readInPlace(file, size);
  if (content !== undefined) {
    await writeFile(target, content);
  }
  return content !== undefined;
}

/** As any reader of `file` has to. */
async function readInPlace(file: EntryFile, size: number): Promise<Buffer | undefined> {
  const content = Buffer.alloc(size);
  try {
    await using handle = await open(file.path, constants.O_RDONLY | constants.O_NOFOLLOW);
    let at = 0;
    let bytesRead = -1;
    while (at < size && bytesRead !== 0) {
      ({ bytesRead } = await handle.read(content, at, size - at, at));
      at += bytesRead;
    }
    if (at < size && file.whenShort === 'fail') {
      throw new Error(`${file.path} is short`);
    }
    return content;
  } catch (error) {
    if (file.whenGone === 'skip' && hasErrorCode(error, 'ENOENT')) {
      file.onGone?.();
      return undefined;
    }
    throw error;
  }
}

/** What a backup says of each file, without reading any. */
async function listFingerprints(engine: Engine): Promise<ReadonlyMap<string, string>> {
  await using source = await engine.backup({
    signal: never(),
    scratchDirectory: tmpdir(),
    settleReads: async () => undefined,
  });
  const seen = new Map<string, string>();
  for await (const { path, fingerprint } of source.entries) {
    if (fingerprint !== undefined) {
      seen.set(path, fingerprint);
    }
  }
  return seen;
}

async function readToEnd(entry: EngineEntry): Promise<void> {
  for await (const piece of entry.open?.() ?? []) {
    expect(piece.length).toBeGreaterThan(0);
  }
}

/** What this process has open below `directory`. */
async function openIn(directory: string): Promise<string[]> {
  const names = await readdir('/proc/self/fd');
  const targets = await Promise.all(
    names.map(async (name) => await readlink(`/proc/self/fd/${name}`).catch(() => '')),
  );
  return targets.filter((target) => target.startsWith(`${directory}/`));
}

function byComponents(a: string, b: string): number {
  // No character of a path comes before this one.
  return Buffer.compare(Buffer.from(a.replaceAll('/', '\0')), Buffer.from(b.replaceAll('/', '\0')));
}

interface Load {
  readonly child: ChildProcess;
  readonly ended: Promise<unknown>;
}

/** Starts pgbench on the cluster, as its owner. */
function pgbench({ config }: PostgresqlHarness, args: readonly string[]): Load {
  const program = asOwner(config, 'pgbench', [...args, '-n', ...connectionArguments(config)]);
  const child = spawn(program.command, [...program.args, 'postgres'], {
    cwd: '/',
    stdio: 'ignore',
  });
  return { child, ended: once(child, 'exit') };
}
