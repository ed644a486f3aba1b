/** How a command of the CLI ends when it does not end well: Juju's messages and exit codes. */

/** A run error: printed as `ERROR <message>`, exit code 1. */
export class CommandError extends Error {
  override readonly name: string = 'CommandError';
  readonly exitCode: number = 1;
}

/** Bad usage, found before anything was done: printed as `ERROR <message>`, exit code 2. */
export class UsageError extends CommandError {
  override readonly name = 'UsageError';
  override readonly exitCode = 2;
}

/** Everything worth saying has been printed already; only the exit code is left. */
export class SilentExit extends CommandError {
  override readonly name = 'SilentExit';
  override readonly exitCode: number;

  constructor(exitCode = 1) {
    super('');
    this.exitCode = exitCode;
  }
}

/** Quotes as Go's `%q` does, which is how Juju quotes in its messages. */
export function quoted(text: string): string {
  return JSON.stringify(text);
}
