/**
 * Finds and ends the processes that belong to a sandbox: whatever a hook started and left behind.
 * A process belongs to it when its environment names an agent socket or a charm directory below the
 * sandbox, or when it works or was started there without a terminal: a person's shell may stand
 * anywhere.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock, identifyProcess, isProcessAlive, type ProcessIdentity } from '#system';

// A process that got SIGTERM may tidy up for so long before it gets SIGKILL.
const GRACE_MS = 2_000;
const POLL_MS = 20;

/** The processes of the sandbox in `root`, without this one and those that started it. */
function findSandboxProcesses(root: string): readonly ProcessIdentity[] {
  const own = ancestry();
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && !own.has(name))
    .filter((pid) => belongsTo(pid, root))
    .flatMap((pid) => identifyProcess(Number(pid)) ?? []);
}

/** Ends all processes of the sandbox, politely first; those that appear meanwhile too. */
export async function endSandboxProcesses(root: string, clock: Clock): Promise<void> {
  await endProcesses(() => findSandboxProcesses(root), clock);
}

/** Ends the processes that `find` finds until it finds none: politely, then after two seconds not. */
export async function endProcesses(
  find: () => readonly ProcessIdentity[],
  clock: Clock,
): Promise<void> {
  const deadline = clock.now().getTime() + GRACE_MS;
  const told = new Set<string>();
  for (;;) {
    const left = find();
    if (left.length === 0) {
      return;
    }
    const force = clock.now().getTime() >= deadline;
    for (const identity of left) {
      const name = `${identity.pid} ${identity.startTicks}`;
      if (force || !told.has(name)) {
        told.add(name);
        kill(identity, force ? 'SIGKILL' : 'SIGTERM');
      }
    }
    await clock.sleep(POLL_MS);
  }
}

/** Sends a signal to exactly this process; nothing when it is gone. */
function kill(identity: ProcessIdentity, signal: NodeJS.Signals): void {
  if (isProcessAlive(identity)) {
    tryKill(identity.pid, signal);
  }
}

/** Kills exactly this process; nothing when it is gone. */
export function killProcess(identity: ProcessIdentity): void {
  kill(identity, 'SIGKILL');
}

/** Sends a signal to the process group that this process leads; answers whether the process was there. */
export function signalGroup(leader: ProcessIdentity, signal: NodeJS.Signals): boolean {
  return isProcessAlive(leader) && tryKill(-leader.pid, signal);
}

function tryKill(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    // It ended between the look and the signal.
    return false;
  }
}

function belongsTo(pid: string, root: string): boolean {
  const below = `${root}/`;
  return (
    (!hasTerminal(pid) &&
      (readLink(pid, 'cwd').startsWith(below) || readLink(pid, 'exe').startsWith(below))) ||
    variables(pid).some(
      (variable) =>
        variable.startsWith(`JUJU_AGENT_SOCKET_ADDRESS=${below}`) ||
        variable.startsWith(`JUJU_CHARM_DIR=${below}`),
    )
  );
}

/** This process and its ancestors. */
function ancestry(): ReadonlySet<string> {
  const found = new Set<string>();
  let pid = String(process.pid);
  while (pid !== '' && pid !== '0' && !found.has(pid)) {
    found.add(pid);
    pid = statFields(pid)[1] ?? '';
  }
  return found;
}

function hasTerminal(pid: string): boolean {
  return (statFields(pid)[4] ?? '0') !== '0';
}

/** State, parent, group, session, terminal, … of proc(5). */
function statFields(pid: string): readonly string[] {
  try {
    const stat = readFileSync(join('/proc', pid, 'stat'), 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return [];
  }
}

function variables(pid: string): readonly string[] {
  try {
    return readFileSync(join('/proc', pid, 'environ'), 'utf8').split('\0');
  } catch {
    return [];
  }
}

function readLink(pid: string, name: string): string {
  try {
    return readlinkSync(join('/proc', pid, name));
  } catch {
    return '';
  }
}
