/** Whether what is to be deployed is a bundle. */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { resolvePath } from '../arguments/files.ts';
import type { CommandIo } from '../io.ts';

/** The file of a bundle: the one named, or `bundle.yaml` in the folder named; undefined when it is none. */
export function findBundle(path: string, io: CommandIo): string | undefined {
  const full = resolvePath(path, io);
  const stat = statSync(full, { throwIfNoEntry: false });
  if (stat?.isDirectory() === true) {
    const file = join(full, 'bundle.yaml');
    return existsSync(file) ? file : undefined;
  }
  return stat?.isFile() === true && /\.ya?ml$/.test(full) ? full : undefined;
}
