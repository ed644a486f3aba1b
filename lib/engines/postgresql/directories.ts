/** Durable exchange and removal of data directories. */
import { rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
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
