/** `name=path` of resources. */
import { statSync } from 'node:fs';
import { CommandError, quoted, UsageError } from '../errors.ts';
import type { CommandIo } from '../io.ts';
import { resolvePath } from './files.ts';

/** Absolute paths by the names of resources. @throws UsageError, or CommandError for missing files. */
export function readResources(args: readonly string[], io: CommandIo): Record<string, string> {
  const files: Record<string, string> = {};
  for (const arg of args) {
    const [name, path] = parseResource(arg, io);
    if (files[name] !== undefined) {
      throw new UsageError(`duplicate name specified: ${quoted(name)}`);
    }
    files[name] = path;
  }
  return files;
}

/** One `name=path`. */
export function parseResource(arg: string, io: CommandIo): readonly [name: string, path: string] {
  const at = arg.indexOf('=');
  const name = arg.slice(0, Math.max(at, 0)).trim();
  const path = arg.slice(at + 1).trim();
  if (name === '' || path === '') {
    throw new UsageError(`expected name=path format`);
  }
  const full = resolvePath(path, io);
  if (statSync(full, { throwIfNoEntry: false })?.isFile() !== true) {
    throw new CommandError(
      `file for resource ${quoted(name)}: stat ${path}: no such file or directory`,
    );
  }
  return [name, full];
}
