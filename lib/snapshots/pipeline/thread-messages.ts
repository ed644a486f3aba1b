/** What the main thread and an encoder thread say to each other. */
import { type EncodeOrder, type Extent, RecheckError, ShortFileError } from './batch-work.ts';

/** Given to a thread when it starts. */
export interface ThreadSetup {
  readonly slots: readonly SharedArrayBuffer[];
  /** Of the repository key, where the backup is encrypted. */
  readonly secret: Uint8Array | undefined;
  readonly level: number | undefined;
}

export type ThreadOrder =
  | { readonly work: 'hash'; readonly slot: number; readonly extents: readonly Extent[] }
  | { readonly work: 'encode'; readonly slot: number; readonly orders: readonly EncodeOrder[] };

/** An error as it survives the way between threads, which drops classes and codes. */
export interface ThreadFailure {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly code: string | undefined;
  readonly path: string | undefined;
  readonly syscall: string | undefined;
  readonly found: number | undefined;
  readonly id: string | undefined;
}

export function toThreadFailure(error: unknown): ThreadFailure {
  const { name, message, stack, code, path, syscall } = Error.isError(error)
    ? (error as NodeJS.ErrnoException)
    : (new Error(String(error)) as NodeJS.ErrnoException);
  const found = error instanceof ShortFileError ? error.found : undefined;
  const id = error instanceof RecheckError ? error.id : undefined;
  return { name, message, stack, code, path, syscall, found, id };
}

export function fromThreadFailure(failure: ThreadFailure): Error {
  const { message, stack, found, id, ...facts } = failure;
  if (found !== undefined) {
    return new ShortFileError(failure.path ?? '', found);
  }
  if (id !== undefined) {
    return new RecheckError(id);
  }
  const error = new Error(message);
  return Object.assign(error, facts, { stack: stack ?? error.stack });
}
