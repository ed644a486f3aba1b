/** The daemon as a process: finding it, and kill -9. */
import { readFileSync } from 'node:fs';
import { hasErrorCode, systemClock } from '#system';
import { sandboxPaths } from './paths.ts';

const POLL_MS = 5;

/** kill -9 of the daemon of `root`; answers when it is gone, false when none ran. */
export async function killDaemon(root: string): Promise<boolean> {
  const pid = daemonPid(root);
  if (pid === undefined || !isDaemonProcess(pid, root)) {
    return false;
  }
  process.kill(pid, 'SIGKILL');
  // A process that ended has no command line any more, even before its parent has noticed.
  while (isDaemonProcess(pid, root)) {
    await systemClock.sleep(POLL_MS);
  }
  return true;
}

/** What the pid file says. */
export function daemonPid(root: string): number | undefined {
  try {
    const pid = Number(readFileSync(sandboxPaths(root).pidFile, 'utf8').trim());
    return Number.isInteger(pid) && pid > 0 ? pid : undefined;
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) {
      return undefined;
    }
    throw error;
  }
}

/** A pid file may outlive its daemon; its number may by now be somebody else's. */
export function isDaemonProcess(pid: number, root: string): boolean {
  try {
    const args = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    return args.includes(root) && args.some((arg) => arg.endsWith('/daemon/main.ts'));
  } catch {
    return false;
  }
}
