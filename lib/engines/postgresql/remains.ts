/**
 * Clears what a killed server left: backends of it that still run, and lock files naming a process
 * that is gone. PostgreSQL clears its own, but not while the dead process is a zombie, which it
 * stays for as long as the machine's first process (a container's, say) does not reap it.
 */
import { readlink, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, identifyProcess, readFileIfExists } from '#system';
import type { PostgresqlInstance } from './config.ts';
import { findClusterProcesses, listPids } from './processes.ts';

// Backends notice the death of their server at once, unless they wait for a client that is stuck.
const GRACE_MS = 3_000;
const POLL_MS = 50;

/** Does nothing while a server of the cluster runs or starts. */
export async function clearRemains(instance: PostgresqlInstance, clock: Clock): Promise<void> {
  const locks = await staleLocks(instance);
  if (locks.length === 0) {
    return;
  }
  const { servers, controllers } = await findClusterProcesses(instance);
  if (servers.length + controllers.length > 0) {
    return;
  }
  // Orphans write to the data still; a lock file must not go before the last of them.
  await endOrphans(instance, clock);
  for (const lock of locks) {
    await rm(lock, { force: true });
  }
}

async function staleLocks(instance: PostgresqlInstance): Promise<string[]> {
  const { dataDirectory, socketDirectory, port } = instance;
  const socketLock = join(socketDirectory, `.s.PGSQL.${port}.lock`);
  const stale: string[] = [];
  for (const path of [join(dataDirectory, 'postmaster.pid'), socketLock]) {
    // Pid, then data directory: the lock of another cluster on this port is not ours to judge.
    const [pid, directory] = (await readFileIfExists(path))?.split('\n') ?? [];
    if (directory === dataDirectory && !(await isServerOf(Number(pid), instance))) {
      stale.push(path);
    }
  }
  return stale;
}

/** Every process of a server runs `postgres` in its data directory, whatever it calls itself. */
async function isServerOf(pid: number, instance: PostgresqlInstance): Promise<boolean> {
  // A zombie has no identity.
  if (!Number.isInteger(pid) || identifyProcess(pid) === undefined) {
    return false;
  }
  const program = await linkOf(pid, 'exe');
  const directory = await linkOf(pid, 'cwd');
  return /\/postgres( \(deleted\))?$/.test(program) && directory === instance.dataDirectory;
}

async function endOrphans(instance: PostgresqlInstance, clock: Clock): Promise<void> {
  const patienceEnds = clock.now().getTime() + GRACE_MS;
  for (;;) {
    const orphans = await findOrphans(instance);
    if (orphans.length === 0) {
      return;
    }
    if (clock.now().getTime() > patienceEnds) {
      orphans.forEach(kill);
    }
    await clock.sleep(POLL_MS);
  }
}

async function findOrphans(instance: PostgresqlInstance): Promise<number[]> {
  const orphans: number[] = [];
  for (const pid of await listPids()) {
    if (await isServerOf(pid, instance)) {
      orphans.push(pid);
    }
  }
  return orphans;
}

async function linkOf(pid: number, name: 'exe' | 'cwd'): Promise<string> {
  try {
    return await readlink(`/proc/${pid}/${name}`);
  } catch {
    // Gone, or somebody else's.
    return '';
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone meanwhile.
  }
}
