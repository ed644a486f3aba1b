/** What this charm wants from the bucket. The real one loads the S3 client only when asked something. */
import type { StorageConfig } from '#database-backup';
import type { StorageReport } from '#object-store';
import type { FailedAttempt, ItemSummary, SnapshotMarks } from '#snapshots';

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
  readonly label?: string | undefined;
  /** Names the key it is encrypted with; undefined where it is not. */
  readonly keyId?: string | undefined;
  /** Whether it was verified, found damaged, is kept or being read. */
  readonly marks: SnapshotMarks;
}

/** What else its manifest says. */
export interface BackupDetails extends BackupInfo {
  readonly startedAt: string;
  readonly unit?: string | undefined;
  readonly formatVersion: number;
  /** Files, directories, links and streams. */
  readonly entries: number;
  readonly files: number;
  readonly chunks: number;
  /** Bytes in the bucket that it needs, also those it shares with others. */
  readonly neededBytes: number;
}

export interface UnfinishedBackup {
  readonly artefactPath: string;
  readonly message: string;
  /** Where it was never completed: what retention goes by. */
  readonly attempt?: FailedAttempt | undefined;
}

/** One that was deleted and not swept yet. */
export interface DeletedBackup {
  readonly artefactPath: string;
  readonly deletedAt: string;
}

export interface BackupListing {
  readonly backups: readonly BackupInfo[];
  /** Running, interrupted or damaged ones: never offered for a restore. */
  readonly unfinished: readonly UnfinishedBackup[];
  readonly deleted: readonly DeletedBackup[];
}

/** What a verification within an action read. */
export interface Verification {
  readonly artefactPath: string;
  readonly readBytes: number;
  readonly neededBytes: number;
  readonly elapsedMs: number;
}

export interface CallOptions {
  /** Ends the call; it then rejects with the signal's reason. */
  readonly signal: AbortSignal;
}

/** What the keys of an encrypted backup are opened with; undefined where there is no passphrase. */
export interface KeyOptions extends CallOptions {
  readonly passphrases: readonly string[] | undefined;
}

/** What lies in one directory of a backup. */
export interface ItemListing {
  readonly artefactPath: string;
  readonly items: readonly ItemSummary[];
}

/** The keys of an application, in words for people and as names. */
export interface Kit {
  readonly text: string;
  readonly keyIds: readonly string[];
}

/** All methods throw HintErrors with a code and a hint for the administrator. */
export interface StoragePort {
  /** Whether backups could be written and read back. */
  check(config: StorageConfig, options: CallOptions): Promise<void>;
  /** What the server can do and the credentials may do; never throws for what the server does. */
  probe(config: StorageConfig, options: CallOptions): Promise<StorageReport>;
  /** Everything below the configured path, of whatever model. */
  list(config: StorageConfig, options: CallOptions): Promise<BackupListing>;
  /**
   * One backup.
   * @throws HintError `not-found`, `incomplete`, `not-a-backup`, `newer-format` or `damaged`
   */
  open(config: StorageConfig, artefactPath: string, options: CallOptions): Promise<BackupDetails>;
  /** Leaves a mark. @throws HintError as `open`, and `damaged` naming what is */
  verify(
    config: StorageConfig,
    artefactPath: string,
    options: KeyOptions & { readonly level: 'structure' | 'sample' },
  ): Promise<Verification>;
  /** @throws HintError as `open`, and `kept` or `in-use` unless forced */
  delete(
    config: StorageConfig,
    artefactPath: string,
    options: CallOptions & { readonly force: boolean },
  ): Promise<void>;
  /** @throws HintError `not-found` where it was not deleted or is gone for good */
  undelete(config: StorageConfig, artefactPath: string, options: CallOptions): Promise<void>;
  /** @throws HintError as `open` */
  setKept(
    config: StorageConfig,
    artefactPath: string,
    options: CallOptions & { readonly isKept: boolean },
  ): Promise<void>;
  /** @param options.directory empty for the top. @throws HintError as `open`, `key-needed`, `wrong-key` */
  items(
    config: StorageConfig,
    artefactPath: string,
    options: KeyOptions & { readonly directory: string },
  ): Promise<ItemListing>;
  /**
   * New backups of the application get a new key. @returns its name
   * @throws HintError `wrong-key`, `weak-key`
   */
  rotateKey(
    config: StorageConfig,
    applicationPrefix: string,
    options: CallOptions & { readonly passphrases: readonly string[] },
  ): Promise<string>;
  /** @returns how many keys of the application are wrapped anew. @throws HintError `wrong-key`, `weak-key` */
  changePassphrase(
    config: StorageConfig,
    applicationPrefix: string,
    options: CallOptions & { readonly from: string; readonly to: string },
  ): Promise<number>;
  /** @throws HintError `wrong-key` */
  recoveryKit(
    config: StorageConfig,
    applicationPrefix: string,
    options: CallOptions & { readonly passphrases: readonly string[] },
  ): Promise<Kit>;
}
