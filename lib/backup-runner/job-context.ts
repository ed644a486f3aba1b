/** What a worker has at hand while it performs a job. */
import type { Engine } from '#engines';
import type { ObjectStore } from '#object-store';
import type { Clock } from '#system';
import type { JobFiles } from './job-files.ts';
import type { JobLog } from './job-log.ts';
import type { JobSpec } from './job-spec.ts';
import type { ProgressReporter } from './progress-reporter.ts';

export interface JobContext {
  readonly spec: JobSpec;
  readonly engine: Engine;
  readonly store: ObjectStore;
  readonly files: JobFiles;
  readonly reporter: ProgressReporter;
  readonly log: JobLog;
  readonly clock: Clock;
  /** Aborts when the job is cancelled. */
  readonly signal: AbortSignal;
}
