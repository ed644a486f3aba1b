/** The charm that `deploy` and `refresh` are given. */
import { existsSync } from 'node:fs';
import { CommandError, quoted } from '../errors.ts';
import type { CommandIo } from '../io.ts';
import { resolvePath } from './files.ts';

/** The absolute path of a charm. @throws CommandError with Juju's message and what to do instead. */
export function findCharm(path: string, io: CommandIo): string {
  const full = resolvePath(path, io);
  const looksLikePath = /^[./~]|\//.test(path) || path.endsWith('.charm');
  if (looksLikePath && existsSync(full)) {
    return full;
  }
  if (!looksLikePath && existsSync(full)) {
    throw new CommandError(
      `charm or bundle not found for ${quoted(path)}: the sandbox does not look at Charmhub\nA charm folder of that name is here; write "./${path}".`,
    );
  }
  throw new CommandError(
    looksLikePath
      ? `no charm was found at ${quoted(path)}`
      : `charm or bundle not found for ${quoted(path)}: the sandbox deploys local charms only, by their path`,
  );
}
