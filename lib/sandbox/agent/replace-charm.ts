/**
 * Replaces a charm file by file: what only the old charm shipped is deleted, what nobody shipped (the
 * charm's own files) stays. May be repeated after a crash in the middle.
 */
import type { Stats } from 'node:fs';
import { lstat, mkdir, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { hasErrorCode } from '#system';
import { copyCharm } from './copy-charm.ts';

/** @param charms directories of the charms before, and of the one that is to be */
export async function replaceCharm(
  directory: string,
  charms: { readonly before: readonly string[]; readonly after: string },
): Promise<void> {
  const wanted = await listTree(charms.after);
  for (const old of charms.before) {
    // Deepest first, so that directories are empty when their turn comes.
    for (const path of [...(await listTree(old)).keys()].toReversed()) {
      if (!wanted.has(path)) {
        await removeShipped(join(directory, path));
      }
    }
  }
  const staged = `${directory}.next`;
  await rm(staged, { recursive: true, force: true });
  await copyCharm(charms.after, staged);
  for (const [path, stats] of wanted) {
    await put(join(staged, path), join(directory, path), stats);
  }
  await rm(staged, { recursive: true, force: true });
}

/** Everything below a directory, parents before children. */
async function listTree(root: string, below = ''): Promise<Map<string, Stats>> {
  const found = new Map<string, Stats>();
  for (const name of await namesIn(join(root, below))) {
    const path = join(below, name);
    const stats = await lstat(join(root, path));
    found.set(path, stats);
    if (stats.isDirectory()) {
      for (const [inner, innerStats] of await listTree(root, path)) {
        found.set(inner, innerStats);
      }
    }
  }
  return found;
}

async function namesIn(directory: string): Promise<readonly string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) {
      return [];
    }
    throw error;
  }
}

/** A directory goes only when nobody else has put anything into it. */
async function removeShipped(path: string): Promise<void> {
  try {
    if ((await lstat(path)).isDirectory()) {
      await rmdir(path);
    } else {
      await rm(path);
    }
  } catch (error) {
    if (!['ENOENT', 'ENOTEMPTY', 'ENOTDIR'].some((code) => hasErrorCode(error, code))) {
      throw error;
    }
  }
}

/** In the stead of the old file: a program that runs keeps the file it was started from. */
async function put(staged: string, target: string, stats: Stats): Promise<void> {
  await clearWay(target, stats.isDirectory());
  if (stats.isDirectory()) {
    await mkdir(target, { recursive: true });
    return;
  }
  await rename(staged, target);
}

/** A directory in the place of a file, or the other way round, has to go first. */
async function clearWay(target: string, becomesDirectory: boolean): Promise<void> {
  try {
    if ((await lstat(target)).isDirectory() !== becomesDirectory) {
      await rm(target, { recursive: true, force: true });
    }
  } catch (error) {
    if (!hasErrorCode(error, 'ENOENT')) {
      throw error;
    }
  }
}
