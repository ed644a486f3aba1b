/** Stops workers: asks, and makes sure that one which hangs does not outlive the request by long. */
import { join } from 'node:path';
import { isProcessAlive, spawnDetached } from '#system';
import type { Gate, JobFiles, Registration } from './job-files.ts';
import { KILL_AFTER_MS } from './plan-jobs.ts';

type WorkerGate = Extract<Gate, { by: 'worker' }>;

/** Asks the worker behind the gate to end its job cleanly; a stranger that has its pid by now is left alone. */
export function stopWorker({ identity }: WorkerGate): void {
  if (isProcessAlive(identity)) {
    process.kill(identity.pid, 'SIGTERM');
  }
}

/** Ends it at once; what it leaves is seen to like after any other death. */
export function killWorker({ identity }: Pick<Registration, 'identity'>): void {
  if (identity !== undefined && isProcessAlive(identity)) {
    process.kill(identity.pid, 'SIGKILL');
  }
}

// Field 22 of /proc/PID/stat tells a process from a later one with its pid; the name before may hold anything.
const REAPER = `sleep "$1"
[ "$(sed 's/.*) //' "/proc/$2/stat" 2>/dev/null | cut -d ' ' -f 20)" = "$3" ] || exit 0
grep -Eq '"phase":"(swapping|cleaning-up)"' "$4" 2>/dev/null && exit 0
kill -KILL "$2"`;

/**
 * A shell of its own that kills the worker if it still runs some seconds later and is not exchanging live data:
 * the next hook may be late. The worker's own watcher then has the charm see to the rest.
 */
export async function killUnlessStopped(
  { identity }: WorkerGate,
  files: JobFiles,
  environment: Readonly<Record<string, string>>,
): Promise<void> {
  const { pid, startTicks } = identity;
  const progress = join(files.directory, 'progress.json');
  await spawnDetached({
    command: '/bin/sh',
    args: ['-c', REAPER, 'sh', String(KILL_AFTER_MS / 1000), String(pid), startTicks, progress],
    env: environment,
    cwd: '/',
    outputPath: files.outputPath,
    stdin: '',
    stdinTimeoutMs: 5_000,
  });
}
