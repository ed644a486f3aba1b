/** Streams a physical backup, WAL included, from the running server; nothing is spooled. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { HintError } from '#system';
import type { EngineEntry } from '../engine.ts';
import { asOwner, clientEnvironment, clusterLabel, connectionArguments } from './commands.ts';
import type { PostgresqlInstance, PostgresqlRole } from './config.ts';
import { explainFailure } from './failures.ts';
import { readTarEntries } from './tar-entries.ts';

// Enough for any error text; a program gone mad must not fill our memory.
const STDERR_LIMIT = 65_536;

type BackupChild = ChildProcessByStdio<null, Readable, Readable>;

/** A running pg_basebackup. */
export interface BaseBackup extends AsyncDisposable {
  /** Ends normally only when pg_basebackup has ended with success after a manifest. */
  readonly entries: AsyncGenerator<EngineEntry, void, undefined>;
}

/** Starts pg_basebackup; failures of the login or the server come with the first entry. */
export function startBaseBackup(
  instance: PostgresqlInstance,
  role: PostgresqlRole,
  signal: AbortSignal,
): BaseBackup {
  signal.throwIfAborted();
  const tool = asOwner(instance, 'pg_basebackup', [
    '--pgdata=-',
    '--format=tar',
    '--wal-method=fetch',
    '--checkpoint=fast',
    '--no-password',
    `--username=${role.name}`,
    ...connectionArguments(instance),
  ]);
  const child = spawn(tool.command, tool.args, {
    env: clientEnvironment(role),
    cwd: '/',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const kill = (): void => void child.kill('SIGKILL');
  signal.addEventListener('abort', kill, { once: true });
  const ended = watch(child);
  return {
    entries: readEntries({ child, ended, signal, instance }),
    [Symbol.asyncDispose]: async () => {
      signal.removeEventListener('abort', kill);
      kill();
      await ended;
    },
  };
}

interface Ended {
  readonly exitCode: number | null;
  readonly stderr: string;
}

async function watch(child: BackupChild): Promise<Ended> {
  let stderr = '';
  child.stderr.on('data', (piece: Buffer) => {
    stderr = (stderr + piece.toString('utf8')).slice(-STDERR_LIMIT);
  });
  const silent = new Promise<void>((resolve) => void child.stderr.once('close', resolve));
  // Not `close`: it waits for the reader of stdout, who may wait for us.
  const exitCode = await new Promise<number | null>((resolve) => {
    child.once('exit', resolve);
    child.once('error', (error) => {
      if (child.pid === undefined) {
        stderr = error.message;
        resolve(null);
      }
    });
  });
  await silent;
  return { exitCode, stderr };
}

interface Reading {
  readonly child: BackupChild;
  readonly ended: Promise<Ended>;
  readonly signal: AbortSignal;
  readonly instance: PostgresqlInstance;
}

async function* readEntries(reading: Reading): AsyncGenerator<EngineEntry, void, undefined> {
  const { child, instance } = reading;
  let hasManifest = false;
  try {
    for await (const entry of readTarEntries(child.stdout, ownerOf(instance))) {
      hasManifest ||= entry.path === 'backup_manifest';
      yield explainingFailures(entry, reading);
    }
  } catch (error) {
    throw await explain(reading, error);
  }
  const { exitCode } = await reading.ended;
  if (exitCode !== 0 || !hasManifest) {
    throw await explain(reading, undefined);
  }
}

function ownerOf(instance: PostgresqlInstance): { owner: string; group: string } {
  return { owner: instance.osUser, group: instance.osUser };
}

/** The bytes of a file break off for the same reasons as the list of files does. */
function explainingFailures(entry: EngineEntry, reading: Reading): EngineEntry {
  if (entry.open === undefined) {
    return entry;
  }
  const open = (): AsyncIterable<Uint8Array> => entry.open?.() ?? noBytes();
  return {
    ...entry,
    open: async function* () {
      try {
        yield* open();
      } catch (error) {
        throw await explain(reading, error);
      }
    },
  };
}

async function* noBytes(): AsyncGenerator<Uint8Array, void, undefined> {}

async function explain(reading: Reading, error: unknown): Promise<unknown> {
  const { signal, child, instance } = reading;
  if (error instanceof HintError && error.code !== 'incomplete-archive') {
    return error;
  }
  // The stream is of no use any more; the reason comes with the end of the program.
  child.stdout.destroy();
  const { exitCode, stderr } = await reading.ended;
  if (signal.aborted) {
    return signal.reason;
  }
  const operation = `cannot back up PostgreSQL ${clusterLabel(instance)}`;
  const fallback =
    exitCode === null ? 'pg_basebackup was killed' : 'pg_basebackup gave an incomplete backup';
  return explainFailure(operation, stderr.trim() === '' ? fallback : stderr, error);
}
