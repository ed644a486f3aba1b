/** Ends a sandbox for good: units, daemon, left-over processes, state. */
import { rmSync } from 'node:fs';
import { describeError, HintError, systemClock } from '#system';
import type { DestroyProgress } from '../api.ts';
import { removeIsolation } from '../machines/isolation.ts';
import { streamFromDaemon } from './client.ts';
import { isBootstrapped, startDaemon } from './daemon-control.ts';
import { daemonPid, isDaemonProcess } from './kill-daemon.ts';
import { endSandboxProcesses } from './sweep-processes.ts';

// The daemon answers `end` just before it exits.
const EXIT_TIMEOUT_MS = 5_000;
const POLL_MS = 20;

export interface KillControllerOptions {
  /** How long units may take for their stop and remove hooks; 60 s unless told. */
  readonly timeoutMs?: number;
  readonly onProgress?: (progress: DestroyProgress) => void;
  /** Told when the daemon could not do its part; everything is ended all the same. */
  readonly onWarning?: (message: string) => void;
}

/**
 * Lets every unit run its removal path within a bounded time, ends the daemon, then every process
 * that still belongs to the sandbox, and removes the state. Works on a dead daemon too.
 * @throws HintError `not-bootstrapped` when there is nothing to end.
 */
export async function killController(
  root: string,
  options: KillControllerOptions = {},
): Promise<void> {
  if (!isBootstrapped(root)) {
    throw new HintError(`no sandbox in ${root}`, { code: 'not-bootstrapped' });
  }
  try {
    await startDaemon(root);
    const params = options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs };
    for await (const progress of streamFromDaemon(root, 'destroy', params)) {
      options.onProgress?.(progress);
    }
  } catch (error) {
    options.onWarning?.(describeError(error));
  }
  await endDaemon(root);
  await endSandboxProcesses(root, systemClock);
  await removeIsolation(root, systemClock);
  rmSync(root, { recursive: true, force: true, maxRetries: 3 });
}

async function endDaemon(root: string): Promise<void> {
  const pid = daemonPid(root);
  if (pid === undefined) {
    return;
  }
  const deadline = performance.now() + EXIT_TIMEOUT_MS;
  while (isDaemonProcess(pid, root)) {
    if (performance.now() > deadline) {
      process.kill(pid, 'SIGKILL');
    }
    await systemClock.sleep(POLL_MS);
  }
}
