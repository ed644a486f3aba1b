/**
 * What a database engine promises to the code that backs it up and restores it.
 * Nothing here knows Juju, S3 or a particular database.
 */
import type { JsonValue } from '#system';

/** The description of a backup, kept with it and shown to the engine again before a restore. */
export type BackupAttributes = Readonly<Record<string, JsonValue>>;

/**
 * Where the bytes of an entry lie on this machine, for readers who take them themselves, in pieces and
 * side by side. Exactly `size` bytes belong to the backup: a file that has grown is read up to there.
 */
export interface EntryFile {
  /** Absolute; to be opened with O_NOFOLLOW. */
  readonly path: string;
  /** What stands for the missing bytes of a file that was truncated meanwhile. */
  readonly whenShort: 'fail' | 'zeros';
  /** What ENOENT at the opening means; `skip`: the entry is no part of the backup after all. */
  readonly whenGone: 'fail' | 'skip';
  /** To be called, before `settleReads` resolves, when the entry was skipped. */
  onGone?(): void;
}

/**
 * One item of a backup, in the order the database gives it.
 *
 * Without `settleReads` in the options of the backup, whoever asks for the next entry must have read
 * the current one to its end; an unread file of more than 0 bytes is an error rather than a hole.
 * With it, entries may be read later and in any order, until `settleReads` is called.
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
  /** The bytes of a file or stream; may be called once. Throws `file-gone` where `file` says to skip. */
  open?(): AsyncIterable<Uint8Array>;
  /** Only with `settleReads`, and with a `size`: instead of `open`, for the same bytes. */
  readonly file?: EntryFile;
  /**
   * Opaque. When the same path had the same one in an earlier backup, its content of then is as good
   * as reading it now. Absent where that cannot be known.
   */
  readonly fingerprint?: string;
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
  /**
   * Given by a reader that reads entries later than it asks for the next: resolves when all entries
   * handed out so far have been read, rejects when one could not be. The engine calls it, maybe
   * several times, before it lets the database go on as if there were no backup.
   */
  readonly settleReads?: () => Promise<void>;
}

/** The backup somebody wants to restore, as its manifest describes it. */
export interface RestoreRequest extends ReplacingRequest {
  readonly attributes: BackupAttributes;
  /** How many bytes the restored files take. */
  readonly totalBytes: number;
}

/** What bringing back the data an earlier restore replaced works with. */
export interface UndoRequest extends ReplacingRequest {
  /** The name that restore had. */
  readonly undoOf: string;
}

interface ReplacingRequest {
  /** Under which the data that get replaced are kept, and asked for again. */
  readonly name?: string;
  /** For how long they are kept; 0, or no name: not at all. */
  readonly keepHours?: number;
  /**
   * Somebody insists on less safety: minor mismatches are no obstacle, and where even without kept
   * copies there is no room beside the live data, these go before the restored ones arrive.
   */
  readonly isForced?: boolean;
}

/** Data a restore has replaced, still on the machine. */
export interface KeptCopy {
  /** Of the restore that replaced them. */
  readonly name: string;
  /** ISO 8601, UTC. */
  readonly keptAt: string;
  readonly until: string;
  readonly bytes: number;
}

/** What a restore would do to the disk, and what is worth knowing about it. */
export interface RestorePlan {
  /** For example `15.20`. */
  readonly serverVersion: string;
  readonly neededBytes: number;
  readonly freeBytes: number;
  /** Copies kept from earlier restores that must go to make room; none where there is room. */
  readonly droppedCopies: readonly KeptCopy[];
  /** Only when forced: the live data must go first, and there is no way back from there. */
  readonly dropsLiveData: boolean;
  /** Mismatches a forced restore passes over. */
  readonly warnings: readonly string[];
}

/** What the proof of staged data has shown. */
export interface Proof {
  /** Line by line, for people. */
  readonly findings: readonly string[];
  /** For how long an exchange will leave nothing served: not more than about this. */
  readonly expectedUnavailableMs: number;
}

export interface SwapReport {
  /** From the moment the old data ceased to be served until the new ones were. */
  readonly unavailableMs: number;
}

/**
 * `completed`: the new data serve and had passed their checks; `rolled-back`: the old data serve;
 * `data-gone`: a forced restore had dropped the old data, and did not get far enough.
 */
export type RecoveryOutcome = 'nothing' | 'rolled-back' | 'completed' | 'data-gone';

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
   * Answers whether and how this backup could be restored here, touching nothing.
   * @throws HintError `engine-mismatch`, `version-mismatch`, `insufficient-space`, …
   */
  prepareRestore(request: RestoreRequest): Promise<RestorePlan>;
  /**
   * Makes an empty staging directory beside the live data, dropping kept copies where these are in
   * the way. One restore at a time:
   * @throws HintError `restore-in-progress` while another process restores; what prepareRestore throws
   */
  createRestore(request: RestoreRequest): Promise<StagedRestore>;
  /** @throws HintError `nothing-to-undo`, `undo-superseded` */
  prepareUndo(request: UndoRequest): Promise<KeptCopy>;
  /**
   * Takes the kept data in hand, to be verified and swapped like a restore. What they replace is
   * kept in turn, so an undo can be undone.
   * @throws HintError what prepareUndo throws, and `restore-in-progress`
   */
  createUndo(request: UndoRequest): Promise<StagedUndo>;
  /** Copies at hand, oldest first. */
  keptCopies(): Promise<readonly KeptCopy[]>;
  /**
   * After the death of a process in a restore, at whatever point: brings the database back to
   * serving, with the old data unless the new ones had been confirmed. Idempotent; does nothing
   * while the process of a restore still lives.
   */
  recoverInterruptedRestore(): Promise<RecoveryOutcome>;
}

/** Data about to replace the live ones, in steps; until `swap` the live data are untouched. */
export interface StagedUndo {
  /**
   * Proves that the staged data are complete and start.
   * @throws HintError `verification-failed`, `corruption-found`
   */
  verify(signal: AbortSignal): Promise<Proof>;
  /**
   * Stops the database, puts the staged data in place, starts it and checks its health.
   * @throws HintError `restore-rolled-back` with the reason, when the old data serve again
   */
  swap(signal: AbortSignal): Promise<SwapReport>;
  /**
   * Puts the old data aside, or drops them, as the request said; after a successful `swap`.
   * @returns the copy kept
   */
  commit(): Promise<KeptCopy | undefined>;
  /** Lets go of the staged data; the live data stay. Harmless after `swap` or `commit`. */
  abort(): Promise<void>;
}

export interface StagedRestore extends StagedUndo {
  /** Exists, empty, private; the caller puts the files of the backup into it. */
  readonly stagingDirectory: string;
  /** As at the last moment before anything was touched. */
  readonly plan: RestorePlan;
  /**
   * Where the plan says `dropsLiveData`: stops the database and drops its data, to be called once
   * the whole backup has been proved readable. Does nothing otherwise.
   */
  makeRoom(): Promise<void>;
}
