/** The words of the runner: a job to run, how one stands, and what a reconcile answers. */
import type { JobDeadline, JobProgress, JobType, Recheck, StorageConfig } from '#database-backup';
import type { JsonValue } from '#system';

/** One job this unit is asked to run. */
export interface JobSpec {
  /** Any string; becomes a file name only through a hash. */
  readonly jobId: string;
  readonly jobType: JobType;
  readonly compression: boolean;
  /** Holds secrets: handed to the worker, never written to disk. The newest one given is used. */
  readonly storageConfig: StorageConfig;
  /** Backup: where it goes. Restore: what is restored. Fixed when the job is claimed. */
  readonly artefactPath?: string;
  /** Where the chunks of this application's backups lie in the bucket. */
  readonly chunkPrefix: string;
  /** Facts for the backup's manifest: model, app, unit… No secrets. */
  readonly attributes: Readonly<Record<string, JsonValue>>;
  /** ISO 8601, UTC. */
  readonly requestedAt?: string;
  readonly deadline?: JobDeadline;
  /** Somebody asked to stop it: it ends as `cancelled`, unless it is too late. */
  readonly isCancelled?: boolean;
  /** Restore: stop before live data are touched, and report. */
  readonly isDryRun?: boolean;
  /** Restore: bring back what this earlier restore had replaced. */
  readonly undoOf?: string;
  /** Restore: do with less safety where space is short. */
  readonly isForced?: boolean;
  /** A job that has not begun ends like this. */
  readonly refusal?: { readonly code: string; readonly message: string; readonly hint?: string };
  /** Restore: for how long what it replaces is kept; not at all unless told. */
  readonly keepHours?: number;
  /** Backup: nothing may be stored in plain. Fixed when the job is claimed. */
  readonly isEncrypted?: boolean;
  /** What opens the keys: the first counts. Secrets: handed to the worker, never written to disk. */
  readonly passphrases?: readonly string[];
  /** Restore: only these files and directories, into a directory of their own; live data stay as they are. */
  readonly items?: readonly string[];
  /** Backup with compression: zstd's level; that of the snapshots unless told. */
  readonly compressionLevel?: number;
  /** Backup: `full` decodes all that was encoded again before it is stored, `sample` some of it. */
  readonly recheck?: Recheck;
}

/**
 * - `claimed`: ours; its worker waits for the claim to be committed, or is about to be started.
 * - `queued`: ours; waits for other jobs to end.
 */
export type JobRunState = 'claimed' | 'queued' | 'running' | 'success' | 'error';

/** What an unfinished job is doing. */
export type JobPhase =
  | 'queued'
  | 'starting'
  | 'running'
  | 'fetching'
  | 'verifying'
  | 'swapping'
  | 'cleaning-up'
  | 'cancelling'
  | 'recovering';

/** Whether live data are being exchanged: stopping would be the longer way to a database that serves. */
export function isPastStoppingIn(phase: JobPhase): boolean {
  return phase === 'swapping' || phase === 'cleaning-up';
}

/** How one job stands, from this unit's journal. Holds no secret. */
export interface JobRecord {
  readonly jobId: string;
  readonly jobType: JobType;
  readonly compression: boolean;
  readonly state: JobRunState;
  /** Set until the job has ended. */
  readonly phase?: JobPhase;
  readonly progress?: JobProgress;
  readonly message?: string;
  readonly hint?: string;
  readonly errorCode?: string;
  /** Restore: what is restored. Backup: what it made, once it is complete. */
  readonly artefactPath?: string;
  readonly requestedAt?: string;
  readonly claimedAt: string;
  readonly startedAt?: string;
  readonly finishedAt?: string;
  /** Bytes of the database as backed up or restored. */
  readonly size?: number;
  /** Bytes this backup added to the bucket. */
  readonly newBytes?: number;
  /** Names the key it is encrypted with; missing where it is not. */
  readonly keyId?: string;
  /** When the worker last gave a sign of life, and when its work last moved. */
  readonly heartbeatAt?: string;
  readonly progressedAt?: string;
  /** What a dry run found, for people. */
  readonly report?: string;
  /** Until when what a restore replaced can be brought back; ISO 8601, UTC. */
  readonly undoableUntil?: string;
  /** The last lines of the log of a job that failed. */
  readonly logTail?: readonly string[];
  /** Queued: 1 is the next to run. */
  readonly queuePosition?: number;
  /** Queued: the jobs whose end it waits for, in order. */
  readonly waitsFor?: readonly string[];
}

export interface RunnerReport {
  /** Every job of the journal, in order of arrival. */
  readonly jobs: readonly JobRecord[];
  /** Jobs claimed and not ended; their ids must be written to the ledger in this very hook. */
  readonly claimed: readonly string[];
}
