/** PostgreSQL behind the Engine interface. */
import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { formatBytes, HintError, type RunProcess } from '#system';
import type {
  BackupAttributes,
  BackupOptions,
  BackupSource,
  Engine,
  EngineEntry,
  RestoreRequest,
} from '../engine.ts';
import { type BaseBackup, startBaseBackup } from './base-backup.ts';
import { clusterLabel } from './commands.ts';
import type { PostgresqlEngineConfig } from './config.ts';
import {
  createPostgresqlRestore,
  isRenameable,
  type RestoreStep,
  recoverPostgresqlRestore,
} from './restore.ts';
import { PostgresqlServer } from './server.ts';
import { runSql } from './sql.ts';
import { holdWal, type WalHold } from './wal-hold.ts';

/** The engine's name in attributes, configuration and statuses. */
export const POSTGRESQL = 'postgresql';

// Room for the WAL that recovery writes and for what clients do meanwhile.
const SPACE_MARGIN_BYTES = 128 * 1024 * 1024;
const SPACE_MARGIN_RATIO = 0.05;

export interface PostgresqlEngineOptions extends PostgresqlEngineConfig {
  readonly runProcess: RunProcess;
  /** Called between the steps of a swap; for tests that kill at a certain step. */
  readonly pause?: (step: RestoreStep) => Promise<void>;
}

/** An engine for one cluster on this machine; needs root, or the cluster's owner. */
export function createPostgresqlEngine(options: PostgresqlEngineOptions): Engine {
  const { runProcess, pause, ...config } = options;
  const server = new PostgresqlServer({ instance: config, runProcess });
  const context = { config, server, ...(pause === undefined ? {} : { pause }) };
  return {
    name: POSTGRESQL,
    capabilities: { concurrentBackups: true },
    backup: async (backupOptions) => await backUp(config, runProcess, backupOptions),
    prepareRestore: async (request) => await prepareRestore(config, request),
    createRestore: async (request) => {
      await prepareRestore(config, request);
      const systemIdentifier = request.attributes['system-identifier'];
      return await createPostgresqlRestore({
        ...context,
        ...(typeof systemIdentifier === 'string' ? { systemIdentifier } : {}),
      });
    },
    recoverInterruptedRestore: async () => await recoverPostgresqlRestore(context),
  };
}

async function backUp(
  config: PostgresqlEngineConfig,
  run: RunProcess,
  options: BackupOptions,
): Promise<BackupSource> {
  const { signal } = options;
  const server = await describeServer(config, run, signal);
  refuseTablespaces(config, server.tablespaces);
  await using cleanup = new AsyncDisposableStack();
  const hold = cleanup.use(await holdWal(config, config.backupRole, signal));
  const backup = cleanup.use(startBaseBackup(config, config.backupRole, signal));
  // The server sends the label first, when it has begun: what can fail at once has failed by then.
  const label = await readLabel(backup);
  const attributes = describeBackup(config, server, hold, label.text);
  const disposal = cleanup.move();
  return {
    attributes,
    estimatedBytes: server.bytes,
    entries: label.entries,
    [Symbol.asyncDispose]: async () => await disposal.disposeAsync(),
  };
}

interface ServerDescription {
  readonly version: string;
  readonly bytes: number;
  readonly tablespaces: readonly string[];
}

async function describeServer(
  config: PostgresqlEngineConfig,
  run: RunProcess,
  signal: AbortSignal,
): Promise<ServerDescription> {
  const query = `SELECT json_build_object(
    'version', current_setting('server_version'),
    'bytes', (SELECT sum(pg_database_size(oid)) FROM pg_database),
    'tablespaces', (SELECT coalesce(json_agg(spcname ORDER BY spcname), '[]') FROM pg_tablespace
                    WHERE spcname NOT IN ('pg_default', 'pg_global')));`;
  return JSON.parse(await runSql(config, run, query, { signal })) as ServerDescription;
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

interface Label {
  readonly text: string;
  /** All entries, the label included. */
  readonly entries: AsyncIterable<EngineEntry>;
}

async function readLabel(backup: BaseBackup): Promise<Label> {
  const first = await backup.entries.next();
  if (first.done === true || first.value.path !== 'backup_label') {
    throw new HintError('cannot back up: the server did not begin with a backup label', {
      code: 'unexpected-backup-stream',
    });
  }
  const entry = first.value;
  const pieces: Uint8Array[] = [];
  for await (const piece of entry.open?.() ?? []) {
    pieces.push(piece);
  }
  const content = Buffer.concat(pieces);
  return { text: content.toString('utf8'), entries: replay(entry, content, backup) };
}

async function* replay(
  label: EngineEntry,
  content: Uint8Array,
  backup: BaseBackup,
): AsyncGenerator<EngineEntry, void, undefined> {
  yield {
    ...label,
    open: async function* () {
      yield content;
    },
  };
  yield* backup.entries;
}

function describeBackup(
  config: PostgresqlEngineConfig,
  server: ServerDescription,
  hold: WalHold,
  label: string,
): BackupAttributes {
  return {
    engine: POSTGRESQL,
    'engine-version': server.version.split(' ')[0] ?? server.version,
    major: config.version,
    'system-identifier': hold.systemIdentifier,
    timeline: hold.timeline,
    // START WAL LOCATION: 0/3000028 (file 000000010000000000000003)
    'start-lsn': /^START WAL LOCATION: (\S+)/m.exec(label)?.[1] ?? '',
    method: 'pg_basebackup',
  };
}

async function prepareRestore(
  config: PostgresqlEngineConfig,
  request: RestoreRequest,
): Promise<void> {
  refuseForeign(config, request.attributes);
  if (!(await isRenameable(config.dataDirectory))) {
    throw new HintError(
      `cannot restore into ${config.dataDirectory}: it is a mount point of its own, and data are exchanged by renaming`,
      { code: 'not-same-file-system', hint: 'mount the parent directory instead' },
    );
  }
  await requireSpace(dirname(config.dataDirectory), request.totalBytes);
}

function refuseForeign(config: PostgresqlEngineConfig, attributes: BackupAttributes): void {
  const { engine, major } = attributes;
  if (engine !== POSTGRESQL) {
    throw new HintError(
      `cannot restore: the backup is of ${JSON.stringify(engine ?? 'an unknown engine')}, this database is postgresql`,
      { code: 'engine-mismatch', hint: 'restore it into a database of its own kind' },
    );
  }
  if (major !== config.version) {
    throw new HintError(
      `cannot restore: the backup is of PostgreSQL ${JSON.stringify(major ?? 'unknown')}, this cluster is PostgreSQL ${config.version}`,
      {
        code: 'version-mismatch',
        hint: 'restore it into a database of the same major version, then upgrade there',
      },
    );
  }
}

async function requireSpace(directory: string, totalBytes: number): Promise<void> {
  const needed = Math.ceil(totalBytes * (1 + SPACE_MARGIN_RATIO)) + SPACE_MARGIN_BYTES;
  const { bavail, bsize } = await statfs(directory);
  const free = bavail * bsize;
  if (free < needed) {
    throw new HintError(
      `cannot restore: ${directory} has ${formatBytes(free)} free, the restore needs ${formatBytes(needed)} beside the live data`,
      { code: 'insufficient-space', hint: 'free or add space on that file system' },
    );
  }
}
