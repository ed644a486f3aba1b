/** Where the files of a machine lie below the sandbox's directory. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** One directory a machine, and `network.json`. */
export function machinesDirectory(root: string): string {
  return join(root, 'machines');
}

/** `agents` its units, `layers` the files it changed, `tmp`, `init.stat` its first process. */
export function machineDirectory(root: string, id: string): string {
  return join(machinesDirectory(root), id);
}

/** Files as the processes of a machine see them: what hook tools are told to read and write. */
export interface MachineFiles {
  /** @throws with the reason, such as a file that does not exist */
  readonly read: (path: string) => Buffer;
  readonly write: (path: string, text: string) => void;
}

/** The files of this host. */
export const hostFiles: MachineFiles = {
  read: (path) => readFileSync(path),
  write: (path, text) => {
    writeFileSync(path, text);
  },
};
