/** Turns what was thrown into what people read: one line, a code, a hint, no secret. */
import { HintError } from '#system';
import type { StopReason } from './deadlines.ts';
import type { Failure } from './job-files.ts';
import type { Redact } from './redact.ts';

/** Enough for a sentence with a path or two; a databag is no place for a dump. */
const LONGEST = 1500;

/** A restore that stopped where only a recovery brings the database back. */
export class RecoveryNeededError extends HintError {
  constructor(cause: unknown) {
    super('restore stopped in the middle', { code: 'recovery-needed', cause });
  }
}

/** The reason workers are aborted with: why, or `undefined` where somebody outside ended the process. */
export class JobStoppedError extends HintError {
  readonly reason: StopReason | undefined;

  constructor(reason?: StopReason) {
    super('stopped from outside: the machine shuts down, or somebody ended the worker', {
      code: 'cancelled',
    });
    this.reason = reason;
  }
}

/** @returns the failure to publish for anything thrown */
export function failureOf(thrown: unknown, redact: Redact): Failure {
  const error = firstCause(thrown);
  const text = Error.isError(error) ? error.message : String(error);
  const hint = error instanceof HintError ? error.hint : undefined;
  return {
    code: codeOf(error),
    message: tidy(text, redact) || 'failed without a message',
    ...(hint === undefined ? {} : { hint: tidy(hint, redact) }),
  };
}

// What failed first tells more than what failed while cleaning up after it.
function firstCause(thrown: unknown): unknown {
  let error = thrown;
  while (error instanceof SuppressedError) {
    error = error.suppressed;
  }
  return error instanceof RecoveryNeededError ? firstCause(error.cause) : error;
}

function codeOf(error: unknown): string {
  if (error instanceof HintError) {
    return error.code;
  }
  const code = Error.isError(error) && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && code !== ''
    ? code.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')
    : 'internal-error';
}

function tidy(text: string, redact: Redact): string {
  const line = redact(text)
    .replaceAll(/\s*[\r\n]+\s*/g, ' ')
    .trim();
  return line.length > LONGEST ? `${line.slice(0, LONGEST)}…` : line;
}
