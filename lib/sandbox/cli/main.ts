/** The `juju` command: finds the command, runs it, turns what it throws into `ERROR …` and an exit code. */
import { describeError, HintError } from '#system';
import { CommandError } from './errors.ts';
import type { CommandIo } from './io.ts';
import { findCommand } from './registry.ts';
import { createSession, type Session } from './session.ts';
import { unknownCommand } from './unknown-command.ts';

/** Runs one command line (without the program's name) and answers with its exit code: 0, 1 or 2. */
export async function runJuju(args: readonly string[], io: CommandIo): Promise<number> {
  return runWith(args, io, (session) => session);
}

/** The same with a session that the caller may change, for example for a daemon of its own. */
export async function runWith(
  args: readonly string[],
  io: CommandIo,
  prepare: (session: Session) => Session,
): Promise<number> {
  try {
    return await dispatch(args, prepare(createSession(io)));
  } catch (error) {
    return report(error, io);
  }
}

async function dispatch(args: readonly string[], session: Session): Promise<number> {
  const [first, ...rest] = args;
  if (first === undefined || ['help', '--help', '-h'].includes(first)) {
    const { runHelp } = await import('./help.ts');
    return runHelp(rest, session);
  }
  if (first === '--version') {
    return dispatch(['version', ...rest], session);
  }
  const entry = findCommand(first);
  if (entry === undefined) {
    throw unknownCommand(first);
  }
  const command = await entry.load();
  return command.execute(session, rest);
}

function report(error: unknown, io: CommandIo): number {
  if (error instanceof CommandError) {
    if (error.message !== '') {
      io.err(`ERROR ${error.message}\n`);
    }
    return error.exitCode;
  }
  if (error instanceof HintError) {
    const hint = error.hint === undefined ? '' : `\n${error.hint}`;
    io.err(`ERROR ${error.message}${hint}\n`);
    return 1;
  }
  io.err(`ERROR ${describeError(error)}\n`);
  return 1;
}
