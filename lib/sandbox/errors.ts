/** How the model answers what it cannot do: Juju's message, and a code for the client. */
import { HintError } from '#system';
import type { ErrorCode } from './api.ts';

/** A request the model refuses; the message is printed after `ERROR `. */
export class ModelError extends HintError {
  constructor(message: string, code: ErrorCode = 'invalid', cause?: unknown) {
    super(message, { code, ...(cause === undefined ? {} : { cause }) });
  }
}
