/** What a command is: a name, a grammar, and something to do with the arguments. */
import { type FlagSpecs, type FlagValues, parseArguments } from './arguments/flags.ts';
import { COMMON_FLAGS } from './common-flags.ts';
import { UsageError } from './errors.ts';
import type { Session } from './session.ts';

/** A command as the registry knows it. */
export interface Command {
  readonly name: string;
  /** The positionals, for the help text. */
  readonly usage: string;
  readonly aliases: readonly string[];
  readonly summary: string;
  readonly details?: string;
  readonly examples?: readonly string[];
  readonly flags: FlagSpecs;
  /** Parses the arguments and does the work; the answer is the exit code. */
  readonly execute: (session: Session, args: readonly string[]) => Promise<number>;
}

/** The parsed arguments of one call. */
export interface Invocation<S> {
  readonly session: Session;
  readonly positionals: readonly string[];
  readonly flags: FlagValues<S>;
  readonly given: ReadonlySet<string>;
}

export interface CommandDefinition<S> extends Omit<Command, 'flags' | 'execute' | 'aliases'> {
  readonly aliases?: readonly string[];
  readonly flags: S;
  /** Whether flags may come after positionals; true unless told. */
  readonly interspersed?: boolean;
  /** Does the work; an exit code other than 0 may be returned, errors are thrown. */
  readonly run: (call: Invocation<S>) => Promise<number | void>;
}

/** Binds a definition's typed flags to the registry's untyped form. */
export function defineCommand<const S extends Readonly<Record<string, unknown>>>(
  definition: CommandDefinition<S>,
): Command {
  const flags = { ...COMMON_FLAGS, ...definition.flags };
  const { run, interspersed, ...description } = definition;
  const command: Command = {
    ...description,
    aliases: definition.aliases ?? [],
    flags: flags as unknown as FlagSpecs,
    execute: async (session, args) => {
      const parsed = parseArguments(args, flags, { interspersed: interspersed ?? true });
      const common = parsed.flags as unknown as FlagValues<typeof COMMON_FLAGS>;
      if (common.help) {
        const { formatHelp } = await import('./help-text.ts');
        session.io.out(formatHelp(command));
        return 0;
      }
      session.select(common);
      const code = await run({
        session,
        positionals: parsed.positionals,
        flags: parsed.flags,
        given: parsed.given,
      });
      return code ?? 0;
    },
  };
  return command;
}

/** Refuses positionals that a command has no use for, with Juju's message. */
export function refuseExtra(extra: readonly string[]): void {
  if (extra.length > 0) {
    throw new UsageError(
      `unrecognized args: [${extra.map((word) => JSON.stringify(word)).join(' ')}]`,
    );
  }
}
