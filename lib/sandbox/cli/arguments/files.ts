/** Files named on the command line. */
import { readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { hasErrorCode } from '#system';
import { CommandError } from '../errors.ts';
import type { CommandIo } from '../io.ts';

/** The text of a file; `-` is standard input, `~` the home directory. */
export async function readTextFile(
  path: string,
  io: CommandIo,
  maxBytes?: number,
): Promise<string> {
  if (path === '-') {
    return io.readInput();
  }
  const full = resolvePath(path, io);
  try {
    if (maxBytes !== undefined && statSync(full).size > maxBytes) {
      throw new CommandError(`size of option file is larger than ${maxBytes / 1024 / 1024}M`);
    }
    return readFileSync(full, 'utf8');
  } catch (error) {
    throw readable(error, path);
  }
}

/** An absolute path: relative ones start from the folder the command was started in. */
export function resolvePath(path: string, io: CommandIo): string {
  const home = io.env['HOME'] ?? homedir();
  return resolve(io.cwd, path === '~' || path.startsWith('~/') ? join(home, path.slice(1)) : path);
}

function readable(error: unknown, path: string): unknown {
  if (hasErrorCode(error, 'ENOENT')) {
    return new CommandError(`open ${path}: no such file or directory`);
  }
  if (hasErrorCode(error, 'EACCES')) {
    return new CommandError(`open ${path}: permission denied`);
  }
  return hasErrorCode(error, 'EISDIR') ? new CommandError(`read ${path}: is a directory`) : error;
}
