/** Where things run that belong to a machine but to none of its units: `juju exec --machine`, `juju ssh`. */
import { mkdirSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import type { SandboxPaths } from '../client/paths.ts';
import { type Command, findInit } from '../machines/machine-process.ts';
import type { Environment } from './environment.ts';
import type { AgentServices } from './services.ts';
import type { UnitDirectory } from './unit-directory.ts';

const LOGIN_PATH =
  '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/games:/snap/bin';

/** A machine as somebody finds it who logs in. */
export interface MachinePlace {
  /** The home directory, as it is called on the machine. */
  readonly home: string;
  /** What stands before paths of the machine on this host; empty where they are the same. */
  readonly files: string;
  /** The command to spawn on this host so that `command` runs on the machine. */
  readonly enter: (command: Command) => Promise<Command>;
}

/**
 * The place of a machine, which is started if need be. Isolated machines have the user's own home
 * directory; those that share this host have one each below the sandbox, so that they do not meet.
 * @throws HintError `missing-document` when there is no such machine
 */
export async function machinePlace(services: AgentServices, id: string): Promise<MachinePlace> {
  const { store, machines, paths } = services;
  const machine = store.require('machine', id);
  const enter = async (command: Command) => machines.enter(machine, command);
  await enter({ file: '/bin/true', args: [], cwd: '/' });
  const init = findInit(paths.root, id);
  if (init !== undefined) {
    return { home: userInfo().homedir, files: `/proc/${init.pid}/root`, enter };
  }
  const home = join(paths.root, 'homes', id.replaceAll('/', '-'));
  mkdirSync(home, { recursive: true, mode: 0o700 });
  return { home, files: '', enter };
}

/** What a login shell on the machine would have; nothing of the daemon's own. */
export function loginEnvironment(home: string): Environment {
  const { username } = userInfo();
  return {
    HOME: home,
    LANG: 'C.UTF-8',
    LOGNAME: username,
    PATH: LOGIN_PATH,
    SHELL: '/bin/bash',
    USER: username,
  };
}

/** Notes about the process of a task on a machine, in the form those about units have. */
export function machineTaskDirectory(paths: SandboxPaths, task: string): UnitDirectory {
  const root = join(paths.root, 'machine-tasks', task);
  return { root, charm: root, state: root };
}
