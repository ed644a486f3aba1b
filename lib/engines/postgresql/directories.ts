/** Durable exchange and removal of data directories. */
import { lstat, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { hasErrorCode, syncDirectory } from '#system';

/** Whether there is a directory (or anything else) at `path`. */
export async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) {
      return false;
    }
    throw error;
  }
}

/** Renames within one parent directory and makes the renaming durable. */
export async function renameDurably(from: string, to: string): Promise<void> {
  await rename(from, to);
  await syncDirectory(dirname(to));
}

/** Removes a whole tree; none there is fine. */
export async function removeTree(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true, maxRetries: 3 });
}

/** Bytes the files of a tree take on disk; files that go meanwhile count as nothing. */
export async function diskUsage(path: string): Promise<number> {
  let bytes = 0;
  for (const name of await readdir(path, { recursive: true })) {
    try {
      bytes += (await lstat(join(path, name))).blocks * BLOCK_BYTES;
    } catch (error) {
      if (!hasErrorCode(error, 'ENOENT')) {
        throw error;
      }
    }
  }
  return bytes;
}

// stat(2): st_blocks counts units of 512 bytes, whatever the file system.
const BLOCK_BYTES = 512;
