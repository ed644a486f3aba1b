/** Runs `juju` and `juju-s3` as a user would, and shows what they say. */
import { join } from 'node:path';
import { type RunResult, runProcess } from '#system';
import { projectRoot } from '#tooling';
import type { Narrator } from './narrator.ts';

interface CommandOptions {
  /** Texts that must not be shown, each replaced by stars. */
  readonly mask?: (output: string) => readonly string[];
  /** Runs without showing the command or its output. */
  readonly quiet?: boolean;
}

export type Command = (args: readonly string[], options?: CommandOptions) => Promise<string>;

/** The two commands, bound to the environment of the person who started the demo. */
export function createCommands(narrator: Narrator): { juju: Command; s3: Command } {
  return {
    juju: bind(narrator, 'juju', 'juju.mjs'),
    s3: bind(narrator, 'juju-s3', 'juju-s3.mjs'),
  };
}

function bind(narrator: Narrator, name: string, file: string): Command {
  const program = join(projectRoot, 'lib', 'sandbox', 'bin', file);
  return async (args, options = {}) => {
    if (options.quiet !== true) {
      narrator.command([name, ...args.map(quote)].join(' '));
    }
    const result = await runProcess(process.execPath, [program, ...args], {
      env: inheritedEnvironment(),
      label: `${name} ${args[0] ?? ''}`,
    });
    if (options.quiet !== true) {
      narrator.output(masked(result, options));
    }
    return result.stdout;
  };
}

function masked(result: RunResult, options: CommandOptions): string {
  const shown = `${result.stderr}${result.stdout}`;
  const secrets = options.mask?.(result.stdout) ?? [];
  return secrets.reduce((text, secret) => text.replaceAll(secret, '********'), shown);
}

function inheritedEnvironment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    ),
  );
}

/** Quotes an argument for a shell where it needs that. */
function quote(text: string): string {
  return /^[\w@%+=:,./#-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
