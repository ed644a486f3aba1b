/** What a worker has at hand while it performs a job. */
import type { Engine } from '#engines';
import type { ObjectStore } from '#object-store';
import { type Clock, HintError } from '#system';
import type { JobFiles } from './job-files.ts';
import type { JobLog } from './job-log.ts';
import type { JobPace } from './job-pace.ts';
import type { JobSpec } from './job-spec.ts';
import type { ProgressReporter } from './progress-reporter.ts';

export interface JobContext {
  readonly spec: JobSpec;
  readonly engine: Engine;
  readonly store: ObjectStore;
  readonly files: JobFiles;
  readonly reporter: ProgressReporter;
  readonly pace: JobPace;
  /** Where the unit keeps what is nobody else's, besides its journal. */
  readonly stateDirectory: string;
  readonly log: JobLog;
  readonly clock: Clock;
  /** Aborts when the job is cancelled. */
  readonly signal: AbortSignal;
}

/** The artefact a restore reads. @throws HintError `invalid-job` where the job names none */
export function sourceOf({ spec }: JobContext): string {
  if (spec.artefactPath === undefined) {
    throw new HintError('cannot restore: the job does not say what', { code: 'invalid-job' });
  }
  return spec.artefactPath;
}
