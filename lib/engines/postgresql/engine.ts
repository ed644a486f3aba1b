/** PostgreSQL behind the Engine interface. */
import { bothOrNeither, type Clock, HintError, type RunProcess, systemClock } from '#system';
import type { BackupAttributes, BackupOptions, BackupSource, Engine } from '../engine.ts';
import { openSession } from './base-backup/backup-session.ts';
import { startBaseBackup } from './base-backup/base-backup.ts';
import { clusterLabel } from './commands.ts';
import type { PostgresqlEngineConfig } from './config.ts';
import { asKeptCopy, findCopy, keptCopies } from './kept-copies.ts';
import { type FreeSpace, POSTGRESQL, planRestore } from './preflight.ts';
import type { PsqlSession } from './psql-session.ts';
import { recoverPostgresqlRestore } from './recover-restore.ts';
import { createPostgresqlRestore, createPostgresqlUndo, type RestoreStep } from './restore.ts';
import { PostgresqlServer } from './server.ts';
import { holdWal, type WalHold } from './wal-hold.ts';

export interface PostgresqlEngineOptions extends PostgresqlEngineConfig {
  readonly runProcess: RunProcess;
  readonly clock?: Clock;
  /** Asks the file system unless told; for tests of what happens when it is full. */
  readonly freeSpace?: FreeSpace;
  /** Called between the steps of a swap; for tests that kill at a certain step. */
  readonly pause?: (step: RestoreStep) => Promise<void>;
}

/** An engine for one cluster on this machine; needs root, or the cluster's owner. */
export function createPostgresqlEngine(options: PostgresqlEngineOptions): Engine {
  const { runProcess, pause, clock = systemClock, freeSpace, ...config } = options;
  const server = new PostgresqlServer({ instance: config, runProcess });
  const context = { config, server, clock, ...(pause === undefined ? {} : { pause }) };
  return {
    name: POSTGRESQL,
    capabilities: { concurrentBackups: true },
    backup: async (backupOptions) => await backUp(config, backupOptions),
    prepareRestore: async (request) => await planRestore(config, runProcess, request, freeSpace),
    createRestore: async (request) =>
      await createPostgresqlRestore(
        context,
        request,
        await planRestore(config, runProcess, request, freeSpace),
      ),
    prepareUndo: async ({ undoOf, isForced }) =>
      asKeptCopy(await findCopy(config.dataDirectory, undoOf, isForced === true)),
    createUndo: async (request) => await createPostgresqlUndo(context, request),
    keptCopies: async () => await keptCopies(config.dataDirectory),
    recoverInterruptedRestore: async () => await recoverPostgresqlRestore(context),
  };
}

async function backUp(
  config: PostgresqlEngineConfig,
  options: BackupOptions,
): Promise<BackupSource> {
  const { signal } = options;
  await using cleanup = new AsyncDisposableStack();
  const session = cleanup.use(openSession(config, signal));
  // Side by side, as most of it is starting a psql.
  const [server, hold] = await bothOrNeither(
    describeServer(session),
    holdWal(config, config.backupRole, signal),
  );
  cleanup.use(hold);
  refuseTablespaces(config, server.tablespaces);
  const backup = cleanup.use(
    await startBaseBackup({ ...options, instance: config, history: hold, session }),
  );
  const attributes = describeBackup(config, server, hold, backup.startLsn);
  const disposal = cleanup.move();
  return {
    attributes,
    estimatedBytes: server.bytes,
    entries: backup.entries,
    [Symbol.asyncDispose]: async () => await disposal.disposeAsync(),
  };
}

interface ServerDescription {
  readonly version: string;
  readonly bytes: number;
  readonly tablespaces: readonly string[];
}

async function describeServer(session: PsqlSession): Promise<ServerDescription> {
  const row = await session.ask(`SELECT json_build_object(
    'version', current_setting('server_version'),
    'bytes', (SELECT sum(pg_database_size(oid)) FROM pg_database),
    'tablespaces', (SELECT coalesce(json_agg(spcname ORDER BY spcname), '[]') FROM pg_tablespace
                    WHERE spcname NOT IN ('pg_default', 'pg_global')));`);
  return JSON.parse(row) as ServerDescription;
}

function refuseTablespaces(config: PostgresqlEngineConfig, tablespaces: readonly string[]): void {
  if (tablespaces.length > 0) {
    throw new HintError(
      `cannot back up PostgreSQL ${clusterLabel(config)}: it has tablespaces of its own (${tablespaces.join(', ')})`,
      {
        code: 'tablespaces-unsupported',
        hint: 'move the tables back to pg_default and drop these tablespaces',
      },
    );
  }
}

function describeBackup(
  config: PostgresqlEngineConfig,
  server: ServerDescription,
  hold: WalHold,
  startLsn: string,
): BackupAttributes {
  return {
    engine: POSTGRESQL,
    'engine-version': server.version.split(' ')[0] ?? server.version,
    major: config.version,
    'system-identifier': hold.systemIdentifier,
    timeline: hold.timeline,
    'start-lsn': startLsn,
    method: 'low-level',
  };
}
