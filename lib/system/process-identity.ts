/** Names one process for ever: a bare pid is reused, pid plus start time plus boot id is not. */
import { readFileSync } from 'node:fs';
import { hasErrorCode } from './errors.ts';

export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks between boot and start, field 22 of /proc/PID/stat (proc(5)). */
  readonly startTicks: string;
  readonly bootId: string;
}

/** The identity of a process running now, or undefined when there is none (a zombie is none). */
export function identifyProcess(pid: number): ProcessIdentity | undefined {
  const stat = readIfExists(`/proc/${pid}/stat`);
  if (stat === undefined) {
    return undefined;
  }
  // The command name, in parentheses, may hold spaces and parentheses of its own.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const state = fields[0];
  const startTicks = fields[19];
  if (startTicks === undefined || state === 'Z' || state === 'X') {
    return undefined;
  }
  return { pid, startTicks, bootId: bootId() };
}

/** Whether exactly this process still runs. */
export function isProcessAlive(identity: ProcessIdentity): boolean {
  const now = identifyProcess(identity.pid);
  return now?.startTicks === identity.startTicks && now.bootId === identity.bootId;
}

/** Changes with each boot of the machine (random(4)). */
export function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

function readIfExists(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT') || hasErrorCode(error, 'ESRCH')) {
      return undefined;
    }
    throw error;
  }
}
