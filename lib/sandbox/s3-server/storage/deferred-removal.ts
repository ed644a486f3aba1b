/**
 * Takes a file's name away now and lets its blocks be freed later, off the main thread: for a file
 * of some MiB that takes milliseconds, in which no other request would be served.
 */
import { close, openSync, renameSync, unlinkSync } from 'node:fs';
import { hasErrorCode } from '#system';

/** Renames `from` to `to`, in place of what may be there. */
export function replaceFile(from: string, to: string): void {
  keepingOpen(to, () => renameSync(from, to));
}

/** Removes a file; none of that name is fine. */
export function removeFile(path: string): void {
  keepingOpen(path, (exists) => {
    if (exists) {
      unlinkSync(path);
    }
  });
}

// The kernel frees a file without a name when it is closed, which happens on a thread of the pool.
function keepingOpen(path: string, act: (exists: boolean) => void): void {
  const file = openIfExists(path);
  try {
    act(file !== undefined);
  } finally {
    if (file !== undefined) {
      close(file);
    }
  }
}

function openIfExists(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) {
      return undefined;
    }
    throw error;
  }
}
