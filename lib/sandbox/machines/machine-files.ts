/** Where the files of a machine lie below the sandbox's directory. */
import { join } from 'node:path';

/** One directory a machine, and `network.json`. */
export function machinesDirectory(root: string): string {
  return join(root, 'machines');
}

/** `agents` its units, `layers` the files it changed, `tmp`, `init.stat` its first process. */
export function machineDirectory(root: string, id: string): string {
  return join(machinesDirectory(root), id);
}
