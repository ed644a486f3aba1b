/** Whether and how a backup can be restored into a cluster, judged without touching anything. */
import { stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { formatBytes, HintError, type RunProcess } from '#system';
import type { BackupAttributes, KeptCopy, RestorePlan, RestoreRequest } from '../engine.ts';
import { asOwner, binDirectory, clusterLabel } from './commands.ts';
import type { PostgresqlEngineConfig } from './config.ts';
import { diskUsage, exists } from './directories.ts';
import { keptCopies } from './kept-copies.ts';

/** The engine's name in attributes, configuration and statuses. */
export const POSTGRESQL = 'postgresql';

// Room for the WAL that recovery writes and for what clients do meanwhile.
const SPACE_MARGIN_BYTES = 128 * 1024 * 1024;
const SPACE_MARGIN_RATIO = 0.05;

/**
 * @throws HintError `engine-mismatch`, `version-mismatch`, `not-same-file-system`,
 *   `insufficient-space`; unless forced `minor-version-mismatch`
 */
export async function planRestore(
  config: PostgresqlEngineConfig,
  run: RunProcess,
  request: RestoreRequest,
  freeSpace: FreeSpace = freeSpaceIn,
): Promise<RestorePlan> {
  refuseForeign(config, request.attributes);
  const serverVersion = await readServerVersion(config, run);
  const warnings = minorMismatches(request.attributes, serverVersion);
  if (warnings.length > 0 && request.isForced !== true) {
    throw new HintError(`cannot restore: ${warnings.join('; ')}`, {
      code: 'minor-version-mismatch',
      hint: 'update the PostgreSQL packages of the unit, or restore with force',
    });
  }
  await requireRenameable(config.dataDirectory);
  const space = await planSpace(config.dataDirectory, request, freeSpace);
  return { serverVersion, warnings, ...space };
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

/** What the installed programs are, whether or not the server runs. */
async function readServerVersion(config: PostgresqlEngineConfig, run: RunProcess): Promise<string> {
  const { command, args } = asOwner(config, 'postgres', ['--version']);
  try {
    const { stdout } = await run(command, args, { cwd: '/', label: 'postgres --version' });
    return /\(PostgreSQL\) (\S+)/.exec(stdout)?.[1] ?? config.version;
  } catch (error) {
    throw new HintError(
      `cannot restore into PostgreSQL ${clusterLabel(config)}: its programs cannot be run from ${binDirectory(config.version)}`,
      { code: 'database-programs-missing', hint: 'install its packages again', cause: error },
    );
  }
}

/** A later minor version may have written what an earlier one does not know of. Pure. */
export function minorMismatches(attributes: BackupAttributes, serverVersion: string): string[] {
  const attribute = attributes['engine-version'];
  const backupVersion = typeof attribute === 'string' ? attribute : '';
  const ofBackup = minorOf(backupVersion);
  const ofServer = minorOf(serverVersion);
  return ofBackup !== undefined && ofServer !== undefined && ofBackup > ofServer
    ? [`the backup is of PostgreSQL ${backupVersion}, the server is ${serverVersion}`]
    : [];
}

function minorOf(version: string): number | undefined {
  const minor = /^\d+\.(\d+)$/.exec(version)?.[1];
  return minor === undefined ? undefined : Number(minor);
}

/** Directories are exchanged by renaming, which a mount point cannot be. */
async function requireRenameable(dataDirectory: string): Promise<void> {
  if (!(await exists(dataDirectory))) {
    return;
  }
  const [own, parent] = await Promise.all([stat(dataDirectory), stat(dirname(dataDirectory))]);
  if (own.dev !== parent.dev) {
    throw new HintError(
      `cannot restore into ${dataDirectory}: it is a mount point of its own, and data are exchanged by renaming`,
      { code: 'not-same-file-system', hint: 'mount the parent directory instead' },
    );
  }
}

/** Bytes that can be written below a directory. */
export type FreeSpace = (directory: string) => Promise<number>;

async function freeSpaceIn(directory: string): Promise<number> {
  const { bavail, bsize } = await statfs(directory);
  return bavail * bsize;
}

type SpacePlan = Pick<RestorePlan, 'neededBytes' | 'freeBytes' | 'droppedCopies' | 'dropsLiveData'>;

/** Beside the live data if there is room; then at the cost of kept copies; only then, if forced, of the live data. */
async function planSpace(
  dataDirectory: string,
  request: RestoreRequest,
  freeSpace: FreeSpace,
): Promise<SpacePlan> {
  const neededBytes = Math.ceil(request.totalBytes * (1 + SPACE_MARGIN_RATIO)) + SPACE_MARGIN_BYTES;
  const freeBytes = await freeSpace(dirname(dataDirectory));
  const copies = await keptCopies(dataDirectory);
  const droppedCopies = oldestFor(copies, neededBytes - freeBytes);
  const reclaimed = totalOf(droppedCopies);
  if (freeBytes + reclaimed >= neededBytes) {
    return { neededBytes, freeBytes, droppedCopies, dropsLiveData: false };
  }
  const liveBytes = (await exists(dataDirectory)) ? await diskUsage(dataDirectory) : 0;
  const isEnoughWithout = freeBytes + reclaimed + liveBytes >= neededBytes;
  if (request.isForced === true && isEnoughWithout) {
    return { neededBytes, freeBytes, droppedCopies, dropsLiveData: true };
  }
  const kept = reclaimed === 0 ? '' : ` (and ${formatBytes(reclaimed)} in kept copies)`;
  throw new HintError(
    `cannot restore: ${dirname(dataDirectory)} has ${formatBytes(freeBytes)} free${kept}, the restore needs ${formatBytes(neededBytes)} beside the live data`,
    {
      code: 'insufficient-space',
      hint: isEnoughWithout
        ? 'free or add space on that file system; or restore with force, which drops the live data first and leaves no way back'
        : 'free or add space on that file system',
    },
  );
}

/** As few of the oldest as free so many bytes; all, when these are not enough. Pure. */
export function oldestFor(copies: readonly KeptCopy[], missingBytes: number): readonly KeptCopy[] {
  const chosen: KeptCopy[] = [];
  for (const copy of copies) {
    if (totalOf(chosen) >= missingBytes) {
      break;
    }
    chosen.push(copy);
  }
  return chosen;
}

function totalOf(copies: readonly KeptCopy[]): number {
  return copies.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** Whether what lies in a kept directory can be put back: the same major version, whole at first sight. */
export async function requireClusterFiles(directory: string): Promise<void> {
  for (const name of ['PG_VERSION', 'global/pg_control', 'base', 'pg_wal']) {
    if (!(await exists(join(directory, name)))) {
      throw new HintError(`cannot undo: ${join(directory, name)} is missing`, {
        code: 'verification-failed',
        hint: 'somebody has altered the kept data; restore a backup instead',
      });
    }
  }
}
