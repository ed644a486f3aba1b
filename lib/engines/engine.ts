/**
 * What a database engine promises to the code that backs it up and restores it.
 * Nothing here knows Juju, S3 or a particular database.
 */
import type { JsonValue } from '#system';

/** The description of a backup, kept with it and shown to the engine again before a restore. */
export type BackupAttributes = Readonly<Record<string, JsonValue>>;

/**
 * One item of a backup, in the order the database gives it.
 *
 * Entries come from one running stream, so whoever asks for the next entry must have read the
 * current one to its end; an unread file of more than 0 bytes is an error rather than a hole.
 */
export interface EngineEntry {
  readonly kind: 'directory' | 'file' | 'symlink' | 'stream';
  /** Relative, with forward slashes; never absolute, never through `..`. */
  readonly path: string;
  /** Permission bits. */
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly owner?: string;
  readonly group?: string;
  readonly mtimeMs?: number;
  readonly size?: number;
  /** Where a symlink points to. */
  readonly target?: string;
  /** The bytes of a file or stream; may be called once. */
  open?(): AsyncIterable<Uint8Array>;
}

/** A backup in progress; dispose of it in every case, also after an error. */
export interface BackupSource extends AsyncDisposable {
  readonly attributes: BackupAttributes;
  /** About how many bytes the entries hold together, for progress; not a promise. */
  readonly estimatedBytes?: number;
  /**
   * The items of the backup. It throws when the database stops giving before the backup is
   * complete: an iteration that ends normally is a complete backup.
   */
  readonly entries: AsyncIterable<EngineEntry>;
}

export interface BackupOptions {
  /** Ends the backup and its processes; iteration throws the signal's reason. */
  readonly signal: AbortSignal;
  /** A private directory for small files; never for the data. */
  readonly scratchDirectory: string;
}

/** The backup somebody wants to restore, as its manifest describes it. */
export interface RestoreRequest {
  readonly attributes: BackupAttributes;
  /** How many bytes the restored files take. */
  readonly totalBytes: number;
}

/** `completed`: the restored data serve and had passed their checks; `rolled-back`: the old data serve. */
export type RecoveryOutcome = 'nothing' | 'rolled-back' | 'completed';

/** One kind of database, bound to one instance of it. */
export interface Engine {
  /** For example `postgresql`; kept in the attributes of each backup as `engine`. */
  readonly name: string;
  readonly capabilities: { readonly concurrentBackups: boolean };
  /**
   * Starts a backup of the running database and returns once the database has begun to give it.
   * @throws HintError when the database is down, refuses the login, or cannot be backed up this way
   */
  backup(options: BackupOptions): Promise<BackupSource>;
  /**
   * Answers whether this backup could be restored here, touching nothing.
   * @throws HintError `engine-mismatch`, `version-mismatch`, `insufficient-space`, …
   */
  prepareRestore(request: RestoreRequest): Promise<void>;
  /**
   * Makes an empty staging directory beside the live data. One restore at a time:
   * @throws HintError `restore-in-progress` while another process restores
   */
  createRestore(request: RestoreRequest): Promise<StagedRestore>;
  /**
   * After the death of a process in a restore, at whatever point: brings the database back to
   * serving, with the old data unless the new ones had been confirmed. Idempotent; does nothing
   * while the process of a restore still lives.
   */
  recoverInterruptedRestore(): Promise<RecoveryOutcome>;
}

/** A restore in steps; until `swap` the live data are untouched. */
export interface StagedRestore {
  /** Exists, empty, private; the caller puts the files of the backup into it. */
  readonly stagingDirectory: string;
  /** Proves that the staged files are complete and sets their owner. @throws HintError `verification-failed` */
  verify(signal: AbortSignal): Promise<void>;
  /**
   * Stops the database, puts the staged data in place, starts it and checks its health.
   * @throws HintError `restore-rolled-back` with the reason, when the old data serve again
   */
  swap(signal: AbortSignal): Promise<void>;
  /** Drops the old data, after a successful `swap`. */
  commit(): Promise<void>;
  /** Drops the staging directory; the live data stay. Harmless after `swap` or `commit`. */
  abort(): Promise<void>;
}
