/** What this charm wants from the bucket. The real one loads the S3 client only when asked something. */
import type { StorageConfig } from '#database-backup';

/** One backup in the bucket. */
export interface BackupInfo {
  readonly artefactPath: string;
  readonly createdAt: string;
  readonly bytes: number;
  readonly storedBytes: number;
  /** What made it, where the manifest says so. */
  readonly application?: string | undefined;
  readonly model?: string | undefined;
  readonly modelUuid?: string | undefined;
  readonly engine?: string | undefined;
  readonly engineVersion?: string | undefined;
  readonly jobId?: string | undefined;
}

export interface UnfinishedBackup {
  readonly artefactPath: string;
  readonly message: string;
}

interface BackupListing {
  readonly backups: readonly BackupInfo[];
  /** Running, interrupted or damaged ones: never offered for a restore. */
  readonly unfinished: readonly UnfinishedBackup[];
}

interface CallOptions {
  /** Ends the call; it then rejects with the signal's reason. */
  readonly signal: AbortSignal;
}

/** All methods throw HintErrors with a code and a hint for the administrator. */
export interface StoragePort {
  /** Whether backups could be written and read back. */
  check(config: StorageConfig, options: CallOptions): Promise<void>;
  /** Everything below the configured path, of whatever model. */
  list(config: StorageConfig, options: CallOptions): Promise<BackupListing>;
  /**
   * One backup.
   * @throws HintError `not-found`, `incomplete`, `not-a-backup`, `newer-format` or `damaged`
   */
  open(config: StorageConfig, artefactPath: string, options: CallOptions): Promise<BackupInfo>;
}
