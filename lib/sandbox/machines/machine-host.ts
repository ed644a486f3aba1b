/** Where the processes of units run: on this host as they are, or each machine in its own namespaces. */
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, rm, symlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type Clock, isProcessAlive, type ProcessIdentity } from '#system';
import type { IsolationSettings, MachineDocument } from '../model/documents.ts';
import { etcFiles, mountsOfHost } from './host-files.ts';
import {
  hostFiles,
  type MachineFiles,
  machineDirectory,
  machinesDirectory,
} from './machine-files.ts';
import {
  type Command,
  createMachineFiles,
  endMachine,
  enterMachine,
  filesOfMachine,
  findInit,
  type MachineRequest,
  startMachine,
} from './machine-process.ts';
import { attachMachine, ensureNetwork } from './network.ts';

export interface MachineHost {
  /** The command to spawn on this host so that `command` runs on the machine, which is started if need be. */
  enter(machine: MachineDocument, command: Command): Promise<Command>;
  /** The files of a machine that runs. */
  files(machine: string): MachineFiles;
  /** Makes the place for the directory of a unit's agent, where that is not an ordinary directory. */
  prepareHome(machine: MachineDocument, path: string): Promise<void>;
  /** Ends what runs on a machine, which starts again when needed; false where it cannot be told. */
  restart(id: string): Promise<boolean>;
  /** Ends what runs on a machine that is no longer, and removes its files. */
  remove(id: string): Promise<void>;
  /** Removes machines that are not among these: a daemon was killed before it could. */
  removeOthers(ids: readonly string[]): Promise<void>;
}

/** All units share this host. */
export const sharedHost: MachineHost = {
  enter: async (_machine, command) => Promise.resolve(command),
  files: () => hostFiles,
  prepareHome: async () => Promise.resolve(),
  restart: async () => Promise.resolve(false),
  remove: async () => Promise.resolve(),
  removeOthers: async () => Promise.resolve(),
};

export class NamespaceHost implements MachineHost {
  readonly #root: string;
  readonly #settings: IsolationSettings;
  readonly #clock: Clock;
  readonly #running = new Map<string, Promise<ProcessIdentity>>();

  /** @param root the sandbox's directory, without symbolic links */
  constructor(root: string, settings: IsolationSettings, clock: Clock) {
    this.#root = root;
    this.#settings = settings;
    this.#clock = clock;
  }

  async enter(machine: MachineDocument, command: Command): Promise<Command> {
    return enterMachine(await this.#ensure(machine), command);
  }

  files(machine: string): MachineFiles {
    const init = findInit(this.#root, machine);
    return init === undefined ? hostFiles : filesOfMachine(init);
  }

  /** Units lie in the directory of their machine, which is all that the machine sees of `agents`. */
  async prepareHome(machine: MachineDocument, path: string): Promise<void> {
    createMachineFiles(this.#request(machine));
    const home = join(machineDirectory(this.#root, machine.id), 'agents', basename(path));
    await mkdir(home, { recursive: true, mode: 0o711 });
    await rm(path, { recursive: true, force: true });
    await symlink(home, path);
  }

  async restart(id: string): Promise<boolean> {
    this.#running.delete(id);
    await endMachine(this.#root, id, this.#clock);
    return true;
  }

  async remove(id: string): Promise<void> {
    this.#running.delete(id);
    await endMachine(this.#root, id, this.#clock);
    await rm(machineDirectory(this.#root, id), { recursive: true, force: true });
  }

  async removeOthers(ids: readonly string[]): Promise<void> {
    for (const id of machinesIn(this.#root)) {
      if (!ids.includes(id)) {
        await this.remove(id);
      }
    }
  }
  /** Starts the machine unless it runs; it may have been killed at any time. */
  async #ensure(machine: MachineDocument): Promise<ProcessIdentity> {
    const before = this.#running.get(machine.id);
    if (before !== undefined) {
      const init = await before;
      if (isProcessAlive(init)) {
        return init;
      }
    }
    // Another caller may have begun to start it meanwhile.
    const current = this.#running.get(machine.id);
    if (current !== undefined && current !== before) {
      return await current;
    }
    const starting = this.#start(machine);
    this.#running.set(machine.id, starting);
    starting.catch(() => this.#running.delete(machine.id));
    return await starting;
  }

  async #start(machine: MachineDocument): Promise<ProcessIdentity> {
    const found = findInit(this.#root, machine.id);
    if (found !== undefined && isAttached(found)) {
      return found;
    }
    await endMachine(this.#root, machine.id, this.#clock);
    await ensureNetwork(this.#root, this.#settings.network);
    const init = await startMachine(this.#request(machine));
    const address = machine.address ?? '';
    await attachMachine(this.#settings.network, { id: machine.id, init: init.pid, address });
    return init;
  }

  #request({ id, hostname, address = '' }: MachineDocument): MachineRequest {
    return {
      root: this.#root,
      id,
      hostname,
      layers: this.#settings.layers,
      mounts: mountsOfHost(this.#root),
      etc: etcFiles({ hostname, address }),
    };
  }
}

/** Whether the machine has its network: a daemon may have been killed before it had. */
function isAttached({ pid }: ProcessIdentity): boolean {
  try {
    return readFileSync(`/proc/${pid}/net/route`, 'utf8')
      .split('\n')
      .some((line) => /^eth0\s+00000000\s/.test(line));
  } catch {
    return false;
  }
}

/** Ids of the machines that have files below the sandbox's directory. */
export function machinesIn(root: string): readonly string[] {
  try {
    return readdirSync(machinesDirectory(root), { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !entry.name.includes('.'))
      .map(({ name }) => name);
  } catch {
    return [];
  }
}
