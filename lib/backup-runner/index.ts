/** Runs backup and restore jobs beside a charm: a journal, locks, and detached workers. See README.md. */
/** Where a backup goes in the bucket; charms need no other part of the snapshots. */

/** How options that limit jobs are written. */
export { parseRate, type Rates } from '#object-store';
export { artefactPathFor, chunkPrefixFor } from '#snapshots';
export type { RunnerLog } from './apply-plan.ts';
export { BackupRunner, type BackupRunnerOptions, type ReconcileInput } from './backup-runner.ts';
export type { JobPhase, JobRecord, JobRunState, JobSpec, RunnerReport } from './job-spec.ts';
export { BACKUP_PRIORITIES, type BackupPriority, isBackupPriority } from './priority.ts';
export { type ClosableStore, runWorker, type WorkerOptions } from './worker-main.ts';
export type { WorkerTimings } from './worker-timings.ts';
