/** Errors that tell a person what happened, to which object, and what to do next. */

export interface HintErrorOptions {
  /** Stable, kebab-case name that code branches on; never parse the message. */
  readonly code: string;
  /** An imperative sentence for the person who reads the message: what to do next. */
  readonly hint?: string;
  readonly cause?: unknown;
}

/**
 * An expected failure. The message reads operation, object, reason, and never holds a secret.
 * Only the edges (a dispatch, a worker, a command line) turn it into a status or exit code.
 */
export class HintError extends Error {
  readonly code: string;
  readonly hint: string | undefined;

  constructor(message: string, options: HintErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = options.code;
    this.hint = options.hint;
  }
}

/** Whether `error` carries the given code (own errors and Node's system errors alike). */
export function hasErrorCode(error: unknown, code: string): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === code;
}

/** The message of anything thrown, in one line, followed by its hint where it has one. */
export function describeError(error: unknown): string {
  if (error instanceof HintError && error.hint !== undefined) {
    return `${error.message}; ${error.hint}`;
  }
  if (Error.isError(error)) {
    return error.message.replaceAll(/\s*\n\s*/g, ' ');
  }
  return String(error);
}
