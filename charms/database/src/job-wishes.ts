/** What a request wants of its job, in the runner's words. Pure. */
import type { JobSpec } from '#backup-runner';
import type { Job, JobDeadline } from '#database-backup';
import { defined } from './job-status.ts';

/** @param deadlines of the charm, for what the request does not limit itself */
export function wishesOf(job: Job, deadlines: JobDeadline): Partial<JobSpec> {
  const { requestedAt, undoOf, isCancelled, isDryRun, isForced, items } = job;
  const { compressionLevel, recheck, encryption } = job;
  return defined({
    requestedAt,
    undoOf,
    isCancelled,
    isDryRun,
    isForced,
    items,
    compressionLevel,
    recheck,
    isEncrypted: encryption !== undefined && job.jobType === 'backup' ? true : undefined,
    deadline: mergeDeadlines(deadlines, job.deadline),
  });
}

/** What the job says counts, the charm's settings fill the rest; undefined where nothing is limited. */
function mergeDeadlines(
  settings: JobDeadline,
  asked: JobDeadline | undefined,
): JobDeadline | undefined {
  const merged = { ...settings, ...asked };
  return Object.keys(merged).length === 0 ? undefined : merged;
}
