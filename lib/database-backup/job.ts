/** The words of the interface as types: a job somebody asks for, and how a job stands. */
import type { JsonValue } from '#system';

export type JsonObject = { readonly [key: string]: JsonValue };

export type JobType = 'backup' | 'restore';

export type JobState = 'running' | 'success' | 'error';

/** The s3 v0 provider databag; open, so keys not named here may be present. Holds secrets. */
export interface StorageConfig {
  readonly bucket: string;
  readonly 'access-key': string;
  readonly 'secret-key': string;
  readonly path?: string;
  readonly endpoint?: string;
  readonly region?: string;
  readonly 's3-uri-style'?: string;
  readonly 'storage-class'?: string;
  readonly 'tls-ca-chain'?: readonly string[];
  readonly [key: string]: unknown;
}

/** One backup or restore, as the requirer asks for it. */
export interface Job {
  /** Any string: never a path or a shell word without escaping. */
  readonly jobId: string;
  readonly jobType: JobType;
  readonly compression: boolean;
  readonly storageConfig: StorageConfig;
  /** Restore: the backup to take. Always present there. */
  readonly artefactPath?: string;
  // The rest are extensions (docs/decisions/0005-protocol-extensions.md); kebab-case on the wire.
  /** ISO 8601, UTC. */
  readonly requestedAt?: string;
  /** What people call it; at most 200 characters. */
  readonly label?: string;
  readonly deadline?: JobDeadline;
  /** Somebody asked to stop it. */
  readonly isCancelled?: boolean;
  /** Restore: stop before live data are touched, and tell what would happen. */
  readonly isDryRun?: boolean;
  /** Restore: bring back what this earlier restore had replaced, instead of the artefact. */
  readonly undoOf?: string;
  /** Restore: do with less safety where space is short. */
  readonly isForced?: boolean;
  /** URI of a secret with the passphrase: a backup is to be encrypted with it, a restore may need it. */
  readonly encryption?: string;
  /** Restore: only these files and directories of the artefact, into a directory of their own. Never empty. */
  readonly items?: readonly string[];
  /** Backup with compression: zstd's level, 1 to 19. */
  readonly compressionLevel?: number;
  /** Backup: how much of what was encoded is decoded again and compared before it is stored. */
  readonly recheck?: Recheck;
  /** Keys of the job this library does not know, handed on untouched. */
  readonly extra?: JsonObject;
}

/** `sample`: some of it. `full`: all of it, which takes longer. */
export type Recheck = 'sample' | 'full';

/** How long a job may take; each in seconds, above 0, counted from … */
export interface JobDeadline {
  /** … when it was asked for, until it runs. */
  readonly startSeconds?: number;
  /** … when it began to run, until it ends. */
  readonly runSeconds?: number;
  /** … when its work last moved. */
  readonly stallSeconds?: number;
}

export interface JobProgress {
  readonly bytes: number;
  readonly total?: number;
  /** 0 to 100. */
  readonly percent?: number;
  /** Until the end, as far as can be told. */
  readonly etaSeconds?: number;
}

/** Why a job has not begun. */
export interface JobQueue {
  /** 1 is the next to run. */
  readonly position: number;
  /** Ids of the jobs whose end it waits for. */
  readonly waitsFor: readonly string[];
}

/** How one job stands, as the provider unit that performs it tells. */
export interface JobStatus {
  readonly jobId: string;
  readonly jobType: JobType;
  readonly status: JobState;
  readonly compression?: boolean;
  readonly storageConfig: StorageConfig;
  readonly message?: string;
  readonly artefactPath?: string;
  // The rest are extensions; on the wire kebab-case keys beside the others.
  readonly progress?: JobProgress;
  /** What a running job is doing: `queued`, `running`, `verifying`, … */
  readonly phase?: string;
  /** Stable name of the failure, kebab-case. */
  readonly errorCode?: string;
  /** What to do about the failure. */
  readonly hint?: string;
  /** Bytes of the database as backed up or restored. */
  readonly size?: number;
  /** Bytes a backup added to the bucket. */
  readonly storedSize?: number;
  /** Names the key a backup is encrypted with; missing where it is not. */
  readonly keyId?: string;
  readonly queue?: JobQueue;
  /** The last lines of the log of a job that failed; at most 20. */
  readonly logTail?: readonly string[];
  /** What a dry run found. */
  readonly report?: string;
  /** Until when what a restore replaced can be brought back; ISO 8601, UTC. */
  readonly undoableUntil?: string;
  readonly requestedAt?: string;
  readonly startedAt?: string;
  readonly finishedAt?: string;
  readonly extra?: JsonObject;
}

/** An item (or a whole list) that cannot be used, and why. */
export interface JobIssue {
  /** Set when an answer can be published under it: a usable id that no valid job has. */
  readonly jobId?: string;
  /** The item as received. May hold secrets: never log it. */
  readonly raw?: unknown;
  /** Path in the schema and reason, without any value of the item. */
  readonly message: string;
}
