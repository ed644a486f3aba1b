/** Finds out by trying whether this host can play machines in namespaces, and how. */
import { existsSync, mkdirSync, realpathSync, rmSync } from 'node:fs';
import { type Clock, describeError, runProcess } from '#system';
import type { IsolationSettings } from '../model/documents.ts';
import { etcFiles, mountsOfHost } from './host-files.ts';
import { machineDirectory, machinesDirectory } from './machine-files.ts';
import { machinesIn } from './machine-host.ts';
import {
  endMachine,
  enterMachine,
  type Layers,
  type MachineRequest,
  startMachine,
} from './machine-process.ts';
import { attachMachine, ensureNetwork, planNetwork, removeNetwork } from './network.ts';

export interface IsolationAttempt {
  /** Absent where this host refuses. */
  readonly settings?: IsolationSettings;
  /** What the user has to know, one sentence each. */
  readonly warnings: readonly string[];
}

const TOOLS: readonly (readonly [package_: string, paths: readonly string[]])[] = [
  ['util-linux', ['/usr/bin/unshare', '/usr/bin/nsenter', '/usr/sbin/pivot_root']],
  ['mount', ['/usr/bin/mount', '/usr/bin/umount']],
  ['iproute2', ['/usr/sbin/ip']],
  ['coreutils', ['/usr/bin/env', '/usr/bin/sleep']],
];
const TRIAL = 'trial';

/**
 * Starts a machine on trial and takes it away again. The network stays where it succeeds.
 * @param short six hexadecimal digits that name the sandbox on this host
 */
export async function tryIsolation(
  root: string,
  short: string,
  clock: Clock,
): Promise<IsolationAttempt> {
  const obstacle = findObstacle(root);
  if (obstacle !== undefined) {
    return refusal(obstacle);
  }
  mkdirSync(machinesDirectory(root), { recursive: true, mode: 0o711 });
  const problems: string[] = [];
  for (const layers of ['disk', 'memory'] as const) {
    try {
      return await tryLayers({ root, short, layers, clock });
    } catch (error) {
      problems.push(describeError(error));
      await endMachine(root, TRIAL, clock);
      rmSync(machineDirectory(root, TRIAL), { recursive: true, force: true });
    }
  }
  await removeNetwork(root);
  return refusal(problems.at(-1) ?? '');
}

interface Trial {
  readonly root: string;
  readonly short: string;
  readonly layers: Layers;
  readonly clock: Clock;
}

async function tryLayers({ root, short, layers, clock }: Trial): Promise<IsolationAttempt> {
  const network = await planNetwork(short);
  const noWayOut = await ensureNetwork(root, network);
  const address = `${network.prefix}.2`;
  const hostname = `juju-${short}-${TRIAL}`;
  const request: MachineRequest = {
    root,
    id: TRIAL,
    hostname,
    layers,
    mounts: mountsOfHost(root),
    etc: etcFiles({ hostname, address }),
  };
  const init = await startMachine(request);
  await attachMachine(network, { id: 't', init: init.pid, address });
  const { file, args } = enterMachine(init, { file: '/bin/true', args: [], cwd: '/' });
  await runProcess(file, args);
  await endMachine(root, TRIAL, clock);
  rmSync(machineDirectory(root, TRIAL), { recursive: true, force: true });
  return {
    settings: { layers, network },
    warnings: [
      ...(noWayOut === undefined
        ? []
        : [`machines reach each other and this host only: ${noWayOut}`]),
      ...(layers === 'disk'
        ? []
        : [
            'this file system takes no overlay, so what machines write is kept in memory and lost when a machine is killed; set JUJU_DATA to a directory on a disk',
          ]),
    ],
  };
}

function findObstacle(root: string): string | undefined {
  if (process.getuid?.() !== 0) {
    return 'only root may make namespaces with a network';
  }
  for (const [name, paths] of TOOLS) {
    const missing = paths.find((path) => !existsSync(path));
    if (missing !== undefined) {
      return `${missing} is missing (package ${name})`;
    }
  }
  if (realpathSync(root) !== root || /[,:\\\s]/.test(root)) {
    return `${root} is or has a symbolic link, a comma, a colon, a backslash or a space in it`;
  }
  return undefined;
}

function refusal(reason: string): IsolationAttempt {
  return {
    warnings: [
      `units run as plain processes of this host and share its files and ports: ${reason}`,
    ],
  };
}

/** Ends everything the machines of a sandbox are made of, from what lies below its directory alone. */
export async function removeIsolation(root: string, clock: Clock): Promise<void> {
  for (const id of machinesIn(root)) {
    await endMachine(root, id, clock);
  }
  await removeNetwork(root);
}
