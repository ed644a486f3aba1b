/** What runs on this machine, read from /proc: a bare system has no ps. */
import { readdir, readFile, readlink } from 'node:fs/promises';
import { hasErrorCode } from '#system';

export interface RunningProcess {
  readonly pid: number;
  /** Its arguments joined by spaces, or the title it gave itself; empty for kernel threads. */
  readonly commandLine: string;
}

export async function runningProcesses(): Promise<RunningProcess[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  return await Promise.all(
    pids.map(async (pid) => ({ pid, commandLine: await commandLineOf(pid) })),
  );
}

/** Pids of the processes whose command line passes the test. */
export async function processesMatching(test: (commandLine: string) => boolean): Promise<number[]> {
  const processes = await runningProcesses();
  return processes.filter(({ commandLine }) => test(commandLine)).map(({ pid }) => pid);
}

/** Pid and command line of processes with a path in `directory` as working directory or argument. */
export async function processesUsing(directory: string): Promise<string[]> {
  const found: string[] = [];
  for (const { pid, commandLine } of await runningProcesses()) {
    const workingDirectory = await readlink(`/proc/${pid}/cwd`).catch(() => '');
    if (workingDirectory.startsWith(directory) || commandLine.includes(directory)) {
      found.push(`${pid}: ${commandLine}`);
    }
  }
  return found;
}

/** Ends a process at once; it may have ended by itself since it was seen. */
export function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!hasErrorCode(error, 'ESRCH')) {
      throw error;
    }
  }
}

// A process may end between the listing and the reading.
async function commandLineOf(pid: number): Promise<string> {
  const raw = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return raw.replaceAll('\0', ' ');
}
