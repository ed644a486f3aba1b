/**
 * Clears what a killed server left: backends of it that still run, and lock files naming a process
 * that is gone. PostgreSQL clears its own, but not while the dead process is a zombie, which it
 * stays for as long as the machine's first process (a container's, say) does not reap it.
 */
import { readFile, readlink, rm } from 'node:fs/promises';
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
  const candidates = [
    join(instance.dataDirectory, 'postmaster.pid'),
    join(instance.socketDirectory, `.s.PGSQL.${instance.port}.lock`),
  ];
  const stale: string[] = [];
  for (const path of candidates) {
    const pid = Number((await readFileIfExists(path))?.split('\n')[0]);
    if (Number.isInteger(pid) && pid > 0 && !(await isServer(pid))) {
      stale.push(path);
    }
  }
  return stale;
}

/** A zombie is none, and neither is another program that got the number of a dead server. */
async function isServer(pid: number): Promise<boolean> {
  if (identifyProcess(pid) === undefined) {
    return false;
  }
  try {
    return /postgres/.test(await readFile(`/proc/${pid}/cmdline`, 'utf8'));
  } catch {
    return false;
  }
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

/** Every process of a server works in the data directory, whatever it calls itself. */
async function findOrphans(instance: PostgresqlInstance): Promise<number[]> {
  const orphans: number[] = [];
  for (const pid of await listPids()) {
    if ((await workingDirectory(pid)) === instance.dataDirectory && (await isServer(pid))) {
      orphans.push(pid);
    }
  }
  return orphans;
}

async function workingDirectory(pid: number): Promise<string | undefined> {
  try {
    return await readlink(`/proc/${pid}/cwd`);
  } catch {
    // Gone, or somebody else's.
    return undefined;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone meanwhile.
  }
}
