/** How a hook tool fails. */

/** Printed as `ERROR <message>`; code 2 is bad usage, found before running. */
export class ToolError extends Error {
  override readonly name = 'ToolError';
  readonly exitCode: 1 | 2;

  constructor(message: string, exitCode: 1 | 2 = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** The client must call again, with its standard input. */
export class NeedStdin extends Error {
  override readonly name = 'NeedStdin';
}

export function usageError(message: string): ToolError {
  return new ToolError(message, 2);
}

/** Juju's answer to positional arguments nobody asked for. */
export function refuseExtra(args: readonly string[]): void {
  if (args.length > 0) {
    const words = args.map((word) => JSON.stringify(word)).join(' ');
    throw usageError(`unrecognized args: [${words}]`);
  }
}
