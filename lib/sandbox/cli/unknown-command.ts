/** The answer to a command that does not exist here. */
import { whyAbsent } from './absent.ts';
import { quoted, UsageError } from './errors.ts';
import { closestCommands } from './registry.ts';

/** Says whether the command is Juju's and missing here, or nobody's. */
export function unknownCommand(name: string): UsageError {
  if (name.startsWith('-')) {
    return new UsageError(`option provided but not defined: ${name}`);
  }
  const reason = whyAbsent(name);
  if (reason !== undefined) {
    return new UsageError(
      `juju ${name} is not available in the sandbox: ${reason}. See "juju help commands" for what exists here.`,
    );
  }
  const close = closestCommands(name);
  const suggestion = close.length === 0 ? '' : `\nDid you mean:\n\t${close.join('\n\t')}`;
  return new UsageError(
    `juju: ${quoted(name)} is not a juju command. See "juju help commands" for what exists here.${suggestion}`,
  );
}
