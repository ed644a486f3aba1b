/**
 * From what is asked and the ledger to what this unit runs and what it answers at once. Pure: the
 * same inputs give the same plan, so lost, repeated and reordered events change nothing.
 */
import { type Job, type JobIssue, type JobStatus, rejectionOf, statusOf } from '#database-backup';
import type { Ledger, LedgerEntry, Outcome } from './ledger.ts';

/** What one requirer asks for. */
interface RequestView {
  readonly relationId: number;
  readonly jobs: readonly Job[];
  readonly issues: readonly JobIssue[];
  readonly isReadable: boolean;
}

export interface RequestedJob {
  readonly relationId: number;
  readonly job: Job;
}

export interface RequestInput {
  /** By ascending relation id. */
  readonly requests: readonly RequestView[];
  /** As committed, without what this dispatch wrote. */
  readonly ledger: Ledger;
  readonly unit: string;
  readonly isLeader: boolean;
  /** Whether new jobs can be claimed at all: there is a peer relation to enter them in. */
  readonly canClaim: boolean;
  /** Why new jobs cannot be run, where they cannot. */
  readonly refusal?: Outcome;
}

export interface RequestPlan {
  /** Jobs of this unit, also ended ones, in order of arrival. */
  readonly mine: readonly RequestedJob[];
  /** Relation id → what this unit answers without running anything. */
  readonly answers: ReadonlyMap<number, readonly JobStatus[]>;
  /** New jobs that are turned down for good. */
  readonly refused: readonly {
    readonly jobId: string;
    readonly relation: number;
    readonly outcome: Outcome;
  }[];
  /** Jobs of relations whose list cannot be read: neither wanted nor withdrawn, so left as they are. */
  readonly undecided: ReadonlySet<string>;
  /** Every id somebody asks for, or may still ask for. */
  readonly requested: ReadonlySet<string>;
}

/** Where a requested job belongs. */
type Verdict =
  | { readonly kind: 'mine' }
  | { readonly kind: 'other' }
  | { readonly kind: 'refuse' }
  | { readonly kind: 'answer'; readonly outcome: Outcome };

/** Decides about every requested job. */
export function planRequests(input: RequestInput): RequestPlan {
  const owners = firstAskers(input.requests);
  const mine: RequestedJob[] = [];
  const refused: RequestPlan['refused'][number][] = [];
  const answers = new Map<number, JobStatus[]>();
  for (const { relationId, jobs, issues } of input.requests) {
    const replies = input.isLeader ? issues.flatMap((issue) => rejectionOf(issue) ?? []) : [];
    for (const job of jobs) {
      const verdict = judge(job, relationId, owners, input);
      if (verdict.kind === 'mine') {
        mine.push({ relationId, job });
      } else if (verdict.kind === 'answer') {
        replies.push(statusOf(job, verdict.outcome));
      } else if (verdict.kind === 'refuse' && input.refusal !== undefined) {
        replies.push(statusOf(job, input.refusal));
        refused.push({ jobId: job.jobId, relation: relationId, outcome: input.refusal });
      }
    }
    answers.set(relationId, replies);
  }
  const undecided = undecidedJobs(input);
  return {
    mine,
    answers,
    refused,
    undecided,
    requested: new Set([...owners.keys(), ...undecided]),
  };
}

function undecidedJobs({ requests, ledger }: RequestInput): ReadonlySet<string> {
  const unreadable = new Set(
    requests.filter(({ isReadable }) => !isReadable).map(({ relationId }) => relationId),
  );
  return new Set(
    [...ledger].filter(([, { relation }]) => unreadable.has(relation)).map(([id]) => id),
  );
}

/** Job id → the first relation that asks for it. */
function firstAskers(requests: readonly RequestView[]): ReadonlyMap<string, number> {
  const owners = new Map<string, number>();
  for (const { relationId, jobs } of requests) {
    for (const { jobId } of jobs) {
      if (!owners.has(jobId)) {
        owners.set(jobId, relationId);
      }
    }
  }
  return owners;
}

function judge(
  job: Job,
  relationId: number,
  owners: ReadonlyMap<string, number>,
  input: RequestInput,
): Verdict {
  const entry = input.ledger.get(job.jobId);
  if (entry !== undefined) {
    return judgeKnown(entry, relationId, input);
  }
  if (!input.isLeader || !input.canClaim) {
    return { kind: 'other' };
  }
  if (owners.get(job.jobId) !== relationId) {
    return { kind: 'answer', outcome: usedElsewhere() };
  }
  return { kind: input.refusal === undefined ? 'mine' : 'refuse' };
}

function judgeKnown(entry: LedgerEntry, relationId: number, input: RequestInput): Verdict {
  if (entry.relation !== relationId) {
    return input.isLeader ? { kind: 'answer', outcome: usedElsewhere() } : { kind: 'other' };
  }
  if (entry.isOrphan !== true) {
    return { kind: entry.unit === input.unit ? 'mine' : 'other' };
  }
  const speaksForIt = input.isLeader && entry.outcome !== undefined;
  return speaksForIt ? { kind: 'answer', outcome: entry.outcome } : { kind: 'other' };
}

function usedElsewhere(): Outcome {
  return {
    status: 'error',
    errorCode: 'duplicate-job-id',
    message: 'a job with this id was asked for in another relation; it is not run again',
    hint: 'ask again under a new job-id',
  };
}
