/** What can be wrong with a snapshot, in words that name the backup and the object. */
import { HintError } from '#system';

/**
 * - `not-found`: nothing lies at this path.
 * - `incomplete`: a backup began here and has no manifest: interrupted, or still running.
 * - `not-a-backup`: there are objects, but not ours.
 * - `newer-format`: written by a later version of this software.
 * - `damaged`: an object is missing, truncated, altered or swapped.
 * - `unsafe-entry`: an entry would be written outside its directory, or cannot exist beside another.
 * - `already-exists`: another backup has this artefact path.
 * - `source-changed`: the source gave more or fewer bytes than it had announced.
 * - `no-such-entry`: the snapshot holds no such file.
 * - `invalid-path`: an artefact path that cannot be one.
 * - `key-needed`, `wrong-key`, `weak-key`: it is encrypted, and the key is missing, another one, or too short.
 * - `deleted`: it was deleted, and can still be brought back.
 * - `kept`, `in-use`: it may not be deleted now.
 * - `target-not-empty`: the directory to restore into holds something.
 */
export type SnapshotErrorCode =
  | 'not-found'
  | 'incomplete'
  | 'not-a-backup'
  | 'newer-format'
  | 'damaged'
  | 'unsafe-entry'
  | 'already-exists'
  | 'source-changed'
  | 'no-such-entry'
  | 'invalid-path'
  | 'invalid-entry'
  | 'deleted'
  | 'key-needed'
  | 'wrong-key'
  | 'weak-key'
  | 'kept'
  | 'in-use'
  | 'target-not-empty';

export interface SnapshotErrorDetails {
  readonly code: SnapshotErrorCode;
  readonly hint?: string;
  readonly artefactPath?: string;
  /** Key of the object in question. */
  readonly object?: string;
  readonly cause?: unknown;
}

export class SnapshotError extends HintError {
  declare readonly code: SnapshotErrorCode;
  readonly artefactPath: string | undefined;
  readonly object: string | undefined;

  constructor(message: string, details: SnapshotErrorDetails) {
    super(message, {
      code: details.code,
      ...(details.hint === undefined ? {} : { hint: details.hint }),
      ...(details.cause === undefined ? {} : { cause: details.cause }),
    });
    this.artefactPath = details.artefactPath;
    this.object = details.object;
  }
}

/** Whether `error` is a snapshot error with this code. */
export function isSnapshotError(error: unknown, code?: SnapshotErrorCode): error is SnapshotError {
  return error instanceof SnapshotError && (code === undefined || error.code === code);
}

/** The error for an object that is not what the snapshot says it should be. */
export function damagedError(
  artefactPath: string,
  object: string,
  reason: string,
  cause?: unknown,
): SnapshotError {
  return new SnapshotError(
    `backup ${JSON.stringify(artefactPath)} is damaged: object ${JSON.stringify(object)} ${reason}`,
    {
      code: 'damaged',
      hint: 'restore another backup, and take a new one; this object can no longer be trusted',
      artefactPath,
      object,
      ...(cause === undefined ? {} : { cause }),
    },
  );
}

/** The error for a file of the source that cannot be opened or read. */
export function unreadable(path: string, cause: unknown): SnapshotError {
  const reason = Error.isError(cause) ? cause.message : String(cause);
  return new SnapshotError(`cannot back up ${JSON.stringify(path)}: ${reason}`, {
    code: 'source-changed',
    hint: 'make sure that the file can be read and that nothing replaces it during the backup',
    cause,
  });
}
