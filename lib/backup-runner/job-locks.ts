/** Who may run beside whom: backups together up to a limit, a restore alone, first come first served. Pure. */
import type { JobType } from '#database-backup';

/**
 * An unfinished job, as far as locks are concerned.
 * - `holds`: a worker runs it, or may begin at any moment.
 * - `starts`: a live worker waits for permission and cannot begin without it.
 * - `waits`: nobody works on it.
 */
export type Candidate =
  | { readonly jobId: string; readonly jobType: JobType; readonly standing: 'holds' | 'waits' }
  | {
      readonly jobId: string;
      readonly jobType: JobType;
      readonly standing: 'starts';
      readonly token: string;
      /** Whether the ledger knows of the claim; no permission without it. */
      readonly committed: boolean;
    };

export interface Grants {
  /** Waiting workers that get permission. */
  readonly confirmed: readonly { readonly jobId: string; readonly token: string }[];
  /** Jobs that get a worker. */
  readonly started: readonly string[];
  readonly waitsFor: ReadonlyMap<string, readonly string[]>;
  /** Whether nobody holds or gets anything. */
  readonly idle: boolean;
}

interface Holder {
  readonly jobId: string;
  readonly jobType: JobType;
}

/** @param candidates in order of arrival */
export function grantLocks(candidates: readonly Candidate[], maxConcurrentBackups: number): Grants {
  const limit = Math.max(1, maxConcurrentBackups);
  const permitted: Holder[] = candidates.filter(({ standing }) => standing === 'holds');
  const confirmed: { jobId: string; token: string }[] = [];
  for (const job of candidates) {
    if (job.standing === 'starts' && job.committed && fits(job, permitted, limit)) {
      confirmed.push({ jobId: job.jobId, token: job.token });
      permitted.push(job);
    }
  }
  const waiting = candidates.filter(({ standing }) => standing === 'waits');
  const holders = candidates.filter(({ standing }) => standing !== 'waits');
  return { confirmed, ...startInOrder(waiting, holders, limit) };
}

function startInOrder(
  waiting: readonly Holder[],
  holding: readonly Holder[],
  limit: number,
): Omit<Grants, 'confirmed'> {
  const holders = [...holding];
  const started: string[] = [];
  const queue: Holder[] = [];
  const waitsFor = new Map<string, readonly string[]>();
  for (const job of waiting) {
    // Overtaking a waiting restore would keep it waiting for as long as backups keep coming.
    const ahead = queue.filter(({ jobType }) => jobType === 'restore' || job.jobType === 'restore');
    if (ahead.length === 0 && fits(job, holders, limit)) {
      started.push(job.jobId);
      holders.push(job);
    } else {
      queue.push(job);
      waitsFor.set(
        job.jobId,
        [...holders, ...ahead].map(({ jobId }) => jobId),
      );
    }
  }
  return { started, waitsFor, idle: holders.length === 0 };
}

function fits(job: Holder, holders: readonly Holder[], limit: number): boolean {
  if (job.jobType === 'restore') {
    return holders.length === 0;
  }
  return holders.length < limit && holders.every(({ jobType }) => jobType === 'backup');
}
