/** Starting the daemon of a sandbox, finding out whether it runs, and ending everything. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { HintError, hasErrorCode, makePrivateDirectory, systemClock } from '#system';
import { callDaemon } from './client.ts';
import { sandboxPaths } from './paths.ts';

const MAIN = fileURLToPath(new URL('../daemon/main.ts', import.meta.url));
const COMPILE_CACHE = fileURLToPath(new URL('../../../node_modules/.cache/juju', import.meta.url));

// A daemon opens its store and binds two sockets; ten seconds are plenty on a busy machine.
const START_TIMEOUT_MS = 10_000;
const POLL_MS = 25;

export interface BootstrapOptions {
  readonly controllerName?: string;
  readonly modelName?: string;
  /** How machines of a new model are kept apart; `none` unless told. */
  readonly isolation?: 'none' | 'namespaces';
}

/** Whether `bootstrap` has been run here (and `kill-controller` has not). */
export function isBootstrapped(root: string): boolean {
  return existsSync(sandboxPaths(root).database);
}

/** Whether a daemon answers. */
export async function isDaemonRunning(root: string): Promise<boolean> {
  try {
    await callDaemon(root, 'ping', {});
    return true;
  } catch (error) {
    if (hasErrorCode(error, 'daemon-down')) {
      return false;
    }
    throw error;
  }
}

/**
 * Starts the daemon detached and waits until it answers; nothing happens where one runs already.
 * With existing state it goes on where it was killed; otherwise it begins an empty model.
 */
export async function startDaemon(root: string, options: BootstrapOptions = {}): Promise<void> {
  if (await isDaemonRunning(root)) {
    return;
  }
  await makePrivateDirectory(root);
  const log = await open(sandboxPaths(root).daemonLog, 'a', 0o600);
  try {
    const child = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', MAIN, root, JSON.stringify(options)],
      {
        detached: true,
        stdio: ['ignore', log.fd, log.fd],
        cwd: '/',
        // Compiled code is kept, so that the daemon starts sooner and needs no compiler in memory.
        env: { NODE_COMPILE_CACHE: COMPILE_CACHE, ...process.env },
      },
    );
    const ended = new Promise<number | null>((resolve, reject) => {
      child.once('exit', resolve);
      child.once('error', reject);
    });
    await waitUntilRunning(root, ended);
    child.unref();
  } finally {
    await log.close();
  }
}

async function waitUntilRunning(root: string, ended: Promise<number | null>): Promise<void> {
  const deadline = performance.now() + START_TIMEOUT_MS;
  let died = false;
  const noteDeath = () => (died = true);
  ended.then(noteDeath, noteDeath);
  while (performance.now() < deadline) {
    if (await isDaemonRunning(root)) {
      return;
    }
    if (died) {
      break;
    }
    await systemClock.sleep(POLL_MS);
  }
  throw new HintError(`cannot start the sandbox daemon in ${root}`, {
    code: 'daemon-not-started',
    hint: `read ${sandboxPaths(root).daemonLog}`,
  });
}
