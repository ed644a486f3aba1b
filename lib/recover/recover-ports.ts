/** What a recovery needs from outside. */
import type { Clock } from '#system';

/** Replaced in tests. */
export interface RecoverPorts {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** Results. */
  readonly print: (text: string) => void;
  /** Progress and remarks. */
  readonly note: (text: string) => void;
  /** Content of a file that goes to the standard output. */
  readonly write: (data: Uint8Array) => Promise<void>;
  readonly signal: AbortSignal;
}
