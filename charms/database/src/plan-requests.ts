/**
 * From what is asked and the ledger to what this unit runs and what it answers at once. Pure: the
 * same inputs give the same plan, so lost, repeated and reordered events change nothing.
 */
import { type Job, type JobIssue, type JobStatus, rejectionOf, statusOf } from '#database-backup';
import type { Ledger, LedgerEntry, Outcome, Primary } from './ledger.ts';
import { isFresh } from './primary.ts';

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
  /** Why this unit ends it without running it. */
  readonly refusal?: Outcome;
}

export interface RequestInput {
  /** By ascending relation id. */
  readonly requests: readonly RequestView[];
  /** As committed, without what this dispatch wrote. */
  readonly ledger: Ledger;
  readonly unit: string;
  readonly isLeader: boolean;
  /** The unit that runs new jobs; undefined while none can be claimed or assigned. */
  readonly primary: Primary | undefined;
  /** What this unit has claimed, as committed. */
  readonly ownClaims: ReadonlySet<string>;
  /** Why new jobs cannot be run, where they cannot. */
  readonly refusal?: Outcome;
}

export interface RequestPlan {
  /** Jobs of this unit, also ended ones, in order of arrival. */
  readonly mine: readonly RequestedJob[];
  /** New jobs of the primary, where this unit is another one. */
  readonly assigned: readonly { readonly jobId: string; readonly relation: number }[];
  /** Of those the ledger gives to this unit: the ones it has claimed, or can never claim any more. */
  readonly committed: ReadonlySet<string>;
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
  | { readonly kind: 'mine'; readonly refusal?: Outcome }
  | { readonly kind: 'assign' }
  | { readonly kind: 'other' }
  | { readonly kind: 'refuse'; readonly outcome: Outcome }
  | { readonly kind: 'answer'; readonly outcome: Outcome };

/** Decides about every requested job. */
export function planRequests(input: RequestInput): RequestPlan {
  const owners = firstAskers(input.requests);
  const mine: RequestedJob[] = [];
  const assigned: RequestPlan['assigned'][number][] = [];
  const refused: RequestPlan['refused'][number][] = [];
  const answers = new Map<number, JobStatus[]>();
  for (const { relationId, jobs, issues } of input.requests) {
    const replies = input.isLeader ? issues.flatMap((issue) => rejectionOf(issue) ?? []) : [];
    for (const job of jobs) {
      const { kind, ...verdict } = judge(job, relationId, owners, input);
      const entry = { jobId: job.jobId, relation: relationId };
      if (kind === 'mine') {
        mine.push({ relationId, job, ...verdict });
      } else if (kind === 'assign') {
        assigned.push(entry);
      }
      if ('outcome' in verdict) {
        replies.push(statusOf(job, verdict.outcome));
        refused.push(...(kind === 'refuse' ? [{ ...entry, outcome: verdict.outcome }] : []));
      }
    }
    answers.set(relationId, replies);
  }
  const undecided = undecidedJobs(input);
  return {
    mine,
    assigned,
    committed: committedJobs(input),
    answers,
    refused,
    undecided,
    requested: new Set([...owners.keys(), ...undecided]),
  };
}

function committedJobs({ ledger, unit, primary, ownClaims }: RequestInput): ReadonlySet<string> {
  const own = [...ledger].filter(([, entry]) => entry.unit === unit);
  return new Set(
    own
      .filter(([jobId, entry]) => !isFresh(entry, primary, ownClaims, jobId))
      .map(([jobId]) => jobId),
  );
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
    return judgeKnown(entry, job.jobId, relationId, input);
  }
  if (!input.isLeader || input.primary === undefined) {
    return { kind: 'other' };
  }
  if (owners.get(job.jobId) !== relationId) {
    return { kind: 'answer', outcome: usedElsewhere() };
  }
  return judgeNew(input.primary, input);
}

function judgeNew(primary: Primary, { unit, refusal }: RequestInput): Verdict {
  if (primary.unit !== unit) {
    return { kind: 'assign' };
  }
  return refusal === undefined ? { kind: 'mine' } : { kind: 'refuse', outcome: refusal };
}

function judgeKnown(
  entry: LedgerEntry,
  jobId: string,
  relationId: number,
  input: RequestInput,
): Verdict {
  if (entry.relation !== relationId) {
    return input.isLeader ? { kind: 'answer', outcome: usedElsewhere() } : { kind: 'other' };
  }
  if (entry.isOrphan !== true) {
    return entry.unit === input.unit ? judgeOwn(entry, jobId, input) : { kind: 'other' };
  }
  const speaksForIt = input.isLeader && entry.outcome !== undefined;
  return speaksForIt ? { kind: 'answer', outcome: entry.outcome } : { kind: 'other' };
}

function judgeOwn(entry: LedgerEntry, jobId: string, input: RequestInput): Verdict {
  const { primary, ownClaims, refusal } = input;
  return refusal !== undefined && isFresh(entry, primary, ownClaims, jobId)
    ? { kind: 'mine', refusal }
    : { kind: 'mine' };
}

function usedElsewhere(): Outcome {
  return {
    status: 'error',
    errorCode: 'duplicate-job-id',
    message: 'a job with this id was asked for in another relation; it is not run again',
    hint: 'ask again under a new job-id',
  };
}
