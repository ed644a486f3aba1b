/** Finds the server of a cluster, and programs about to start or stop it, in /proc. */
import { readdir, readFile } from 'node:fs/promises';
import type { PostgresqlInstance } from './config.ts';

export interface ClusterProcesses {
  /** Pids of running servers (postmasters) of the cluster; more than one only after an accident. */
  readonly servers: readonly number[];
  /** Pids of pg_ctlcluster and pg_ctl at work on the cluster. */
  readonly controllers: readonly number[];
}

/**
 * Looks at every process of the machine: unlike postmaster.pid this also finds a server whose
 * start is still under way, begun by somebody who is dead by now.
 */
export async function findClusterProcesses(
  instance: PostgresqlInstance,
): Promise<ClusterProcesses> {
  const servers: number[] = [];
  const controllers: number[] = [];
  for (const pid of await listPids()) {
    const role = processRole(await commandLine(pid), instance);
    if (role === 'server') {
      servers.push(pid);
    } else if (role === 'controller') {
      controllers.push(pid);
    }
  }
  return { servers, controllers };
}

/** What one command line is to the cluster. Pure. */
export function processRole(
  argv: readonly string[],
  instance: PostgresqlInstance,
): 'server' | 'controller' | undefined {
  const program = argv[0] ?? '';
  const data = argv[argv.indexOf('-D') + 1];
  if (argv.includes('-D') && data === instance.dataDirectory) {
    if (program.endsWith('/postgres')) {
      return 'server';
    }
    return program.endsWith('/pg_ctl') ? 'controller' : undefined;
  }
  // Debian's wrapper is a Perl script: perl -wT /usr/bin/pg_ctlcluster … 15 name start
  const wrapper = argv.slice(0, 3).findIndex((word) => word.endsWith('/pg_ctlcluster'));
  const rest = wrapper < 0 ? [] : argv.slice(wrapper + 1);
  const named =
    (rest.includes(instance.version) && rest.includes(instance.cluster)) ||
    rest.includes(`${instance.version}-${instance.cluster}`);
  return named ? 'controller' : undefined;
}

/** Every process of the machine. */
export async function listPids(): Promise<number[]> {
  return (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
}

async function commandLine(pid: number): Promise<string[]> {
  try {
    return (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0').slice(0, -1);
  } catch {
    // The process ended while we looked.
    return [];
  }
}
