/** A lock between processes that the kernel frees when its holder dies, however it dies. */
import { spawn } from 'node:child_process';
import { type FileHandle, open } from 'node:fs/promises';
import { HintError } from './errors.ts';
import { minimalEnvironment } from './run-process.ts';

/** Of util-linux, which every Debian and Ubuntu has. */
const FLOCK = '/usr/bin/flock';

/**
 * Locks `path` (created where missing, never removed) against every other process and caller.
 * Dispose of the result to unlock.
 * @returns undefined when somebody else holds the lock for longer than `timeoutMs`
 */
export async function acquireFileLock(
  path: string,
  timeoutMs: number,
): Promise<AsyncDisposable | undefined> {
  const handle = await open(path, 'a', 0o600);
  let acquired = false;
  try {
    acquired = await lock(handle, path, timeoutMs);
  } finally {
    if (!acquired) {
      await handle.close();
    }
  }
  return acquired ? { [Symbol.asyncDispose]: async () => await handle.close() } : undefined;
}

// Node has no flock(2). flock(1) locks the open file it shares with us, and the lock outlives the
// command: it belongs to the open file, which is ours (flock(2), "open file description").
async function lock(handle: FileHandle, path: string, timeoutMs: number): Promise<boolean> {
  const seconds = (Math.max(0, timeoutMs) / 1000).toFixed(3);
  const child = spawn(FLOCK, ['--exclusive', '--wait', seconds, '3'], {
    env: minimalEnvironment(),
    stdio: ['ignore', 'ignore', 'ignore', handle.fd],
  });
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (exitCode === 0 || exitCode === 1) {
    return exitCode === 0;
  }
  throw new HintError(`cannot lock ${path}: flock ended with exit code ${exitCode ?? 'none'}`, {
    code: 'lock-failed',
    hint: 'see whether the file system of this directory supports locks',
  });
}
