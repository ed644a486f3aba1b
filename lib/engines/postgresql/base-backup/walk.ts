/**
 * Walks a data directory while the server works in it: sorted, directory by directory, and without
 * following a link somebody may have planted there.
 */
import { type BigIntStats, lstatSync } from 'node:fs';
import { constants, type FileHandle, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { HintError, hasErrorCode } from '#system';
import { includedNames, isEmptied } from './exclusions.ts';

const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants;
const STATS_AT_ONCE = 32;

/** Something that is part of the backup. */
export interface Found {
  readonly kind: 'directory' | 'file';
  /** Relative, with forward slashes. */
  readonly path: string;
  /** As it was before it was handed out. */
  readonly stat: BigIntStats;
  /** Milliseconds since 1970 when `stat` was asked for. */
  readonly statedAtMs: number;
}

/**
 * Everything below `root` that belongs into a backup, ascending when paths are compared component by
 * component as bytes; a directory comes before what is in it. What goes meanwhile is left out, as are
 * links, sockets and the like (pg_basebackup leaves them out too).
 * @throws HintError `unsupported-file-name` for a name that is not UTF-8, `tablespaces-unsupported`
 */
export async function* walkDataDirectory(
  root: string,
  now: () => number,
): AsyncGenerator<Found, void, undefined> {
  const top = await open(root, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  yield* walkDirectory({ handle: top, path: '', now });
}

interface Directory {
  readonly handle: FileHandle;
  readonly path: string;
  readonly now: () => number;
}

async function* walkDirectory(directory: Directory): AsyncGenerator<Found, void, undefined> {
  const { handle, path } = directory;
  try {
    const names = sortedNames(path, await readdir(inside(handle)));
    for (let at = 0; at < names.length; at += STATS_AT_ONCE) {
      for (const found of statAll(directory, names.slice(at, at + STATS_AT_ONCE))) {
        yield found;
        if (found.kind === 'directory' && !isEmptied(found.path)) {
          yield* walkBelow(directory, found.path);
        }
      }
    }
  } finally {
    await handle.close();
  }
}

async function* walkBelow(
  { handle, now }: Directory,
  path: string,
): AsyncGenerator<Found, void, undefined> {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const below = await openDirectory(join(inside(handle), name));
  if (below !== undefined) {
    yield* walkDirectory({ handle: below, path, now });
  }
}

async function openDirectory(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].some((code) => hasErrorCode(error, code))) {
      return undefined;
    }
    throw error;
  }
}

// The directory that is open, whatever its path has come to lead to.
function inside(handle: FileHandle): string {
  return `/proc/self/fd/${handle.fd}`;
}

function sortedNames(directory: string, names: readonly string[]): string[] {
  const strange = names.find((name) => name.includes('\uFFFD'));
  if (strange !== undefined) {
    throw new HintError(`cannot back up ${join(directory, strange)}: its name is not UTF-8`, {
      code: 'unsupported-file-name',
      hint: 'rename it, or move it out of the data directory',
    });
  }
  return includedNames(directory, names).toSorted(byBytes);
}

/** The order of the bytes of UTF-8, which is not that of JavaScript's strings beyond U+FFFF. */
function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function statAll(directory: Directory, names: readonly string[]): readonly Found[] {
  return names.map((name) => statOne(directory, name)).filter((one) => one !== undefined);
}

/** Synchronous: a promise for each of thousands of files costs ten times as much as asking. */
function statOne({ handle, path: parent, now }: Directory, name: string): Found | undefined {
  const path = parent === '' ? name : `${parent}/${name}`;
  const statedAtMs = now();
  const stat = lstatSync(join(inside(handle), name), { bigint: true, throwIfNoEntry: false });
  if (stat === undefined) {
    return undefined;
  }
  // `initdb --waldir`, and what administrators put on a faster disk: restored as plain directories.
  const isDirectory = stat.isDirectory() || (isEmptied(path) && stat.isSymbolicLink());
  if (parent === 'pg_tblspc' && !stat.isFile()) {
    throw new HintError(`cannot back up ${path}: tablespaces are not supported`, {
      code: 'tablespaces-unsupported',
      hint: 'move the tables back to pg_default and drop the other tablespaces',
    });
  }
  if (isDirectory) {
    return { kind: 'directory', path, stat, statedAtMs };
  }
  return stat.isFile() ? { kind: 'file', path, stat, statedAtMs } : undefined;
}
