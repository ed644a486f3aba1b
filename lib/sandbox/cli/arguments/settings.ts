/** `key=value` and `key=@file` arguments. */
import { CommandError, quoted, UsageError } from '../errors.ts';
import type { CommandIo } from '../io.ts';
import { readTextFile } from './files.ts';

// Juju's limit for the content of key=@file.
const MAX_FILE_BYTES = 5 * 1024 * 1024;

/** The settings by key; `@file` values are read. @throws UsageError when a pair is none. */
export async function parseSettings(
  pairs: readonly string[],
  io: CommandIo,
): Promise<Readonly<Record<string, string>>> {
  const settings: Record<string, string> = {};
  for (const pair of pairs) {
    const at = pair.indexOf('=');
    if (at < 1) {
      throw new UsageError(`expected "key=value", got ${quoted(pair)}`);
    }
    const key = pair.slice(0, at);
    if (key in settings) {
      throw new UsageError(`key ${quoted(key)} specified more than once`);
    }
    settings[key] = await readValue(key, pair.slice(at + 1), io);
  }
  return settings;
}

async function readValue(key: string, text: string, io: CommandIo): Promise<string> {
  if (!text.startsWith('@')) {
    return text;
  }
  const path = text.slice(1);
  try {
    return await readTextFile(path, io, MAX_FILE_BYTES);
  } catch (error) {
    const reason = Error.isError(error) ? error.message : String(error);
    throw new CommandError(`cannot read option file for ${quoted(key)}: ${reason}`);
  }
}
