/** Carries out the actions of a plan. Every one is safe to repeat, and safe against a worker that acts meanwhile. */
import { describeError } from '#system';
import type { Claim, Failure, Gate, JobFiles } from './job-files.ts';
import type { JobSpec } from './job-spec.ts';
import type { Journal, JournalEntry } from './journal.ts';
import type { Action, Verdict } from './plan-jobs.ts';
import { startWorker, stopWorker, type WorkerProgram } from './start-worker.ts';
import { failedRecovery, lostBackup, verdictFailure } from './verdicts.ts';
import type { WorkerOrder } from './worker-order.ts';

/** Where the runner tells what it decided. */
export interface RunnerLog {
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warning(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

export interface ApplyContext {
  readonly journal: Journal;
  readonly entries: ReadonlyMap<string, JournalEntry>;
  readonly wanted: ReadonlyMap<string, JobSpec>;
  readonly program: WorkerProgram;
  /** What every worker is told, whatever its job. */
  readonly order: Omit<WorkerOrder, 'mode' | 'token' | 'spec' | 'jobId' | 'format'>;
  /** ISO 8601, UTC. */
  readonly now: string;
  readonly log: RunnerLog;
}

/** Applies one action; a worker that cannot be started is logged and tried again by a later reconcile. */
export async function applyAction(action: Action, context: ApplyContext): Promise<void> {
  switch (action.kind) {
    case 'claim':
      await claim(action.jobId, action.sequence, context);
      return;
    case 'refuse':
      await claim(action.jobId, action.sequence, context);
      await end(action.jobId, action.verdict, context);
      return;
    case 'end':
      await end(action.jobId, action.verdict, context);
      return;
    case 'settle':
      await settle(context.journal.files(action.jobId), context);
      return;
    case 'bury':
      await bury(action.jobId, context);
      return;
    case 'stop':
      await stop(action.jobId, context);
      return;
    case 'confirm':
      await context.journal.files(action.jobId).confirm(action.token);
      return;
    case 'recover':
    case 'start':
      await tryToStart(action, context);
      return;
  }
}

async function claim(jobId: string, sequence: number, context: ApplyContext): Promise<void> {
  const spec = context.wanted.get(jobId);
  if (spec === undefined) {
    return;
  }
  const { jobType, compression, artefactPath, requestedAt } = spec;
  const isNew = await context.journal.files(jobId).createClaim({
    jobId,
    jobType,
    compression,
    ...(artefactPath === undefined ? {} : { artefactPath }),
    ...(requestedAt === undefined ? {} : { requestedAt }),
    claimedAt: context.now,
    sequence,
  });
  if (isNew) {
    context.log.info(`${jobType} claimed`, { jobId });
  }
}

async function end(jobId: string, verdict: Verdict, context: ApplyContext): Promise<void> {
  const files = context.journal.files(jobId);
  const found = await files.claim();
  if (found === undefined) {
    return;
  }
  const failure = verdictFailure(verdict, found.jobType, await files.registrations('worker'));
  if (await files.createGate({ by: 'runner', failure, at: context.now })) {
    await settle(files, context);
    return;
  }
  // A worker was faster; it is stopped like any other that runs what nobody wants.
  const gate = await files.gate();
  if (gate?.by === 'worker' && verdict === 'cancelled') {
    await requestStop(files, gate, context);
  }
}

async function settle(files: JobFiles, context: ApplyContext): Promise<void> {
  const [found, gate] = [await files.claim(), await files.gate()];
  if (found !== undefined && gate?.by === 'runner') {
    await finish(files, found, gate.failure, {}, context);
  }
}

async function bury(jobId: string, context: ApplyContext): Promise<void> {
  const entry = context.entries.get(jobId);
  if (entry === undefined) {
    return;
  }
  const { files, claim: found, gate } = entry;
  const startedAt = gate?.by === 'worker' ? { startedAt: gate.startedAt } : {};
  if (found.jobType === 'backup') {
    await files.removeScratchDirectory();
    await finish(files, found, lostBackup(), startedAt, context);
    return;
  }
  const reason = 'the processes that were to do so died as well';
  const failure = failedRecovery(reason, entry.failure);
  await finish(files, found, failure, { ...startedAt, recoveryPending: true }, context);
}

async function finish(
  files: JobFiles,
  found: Claim,
  failure: Failure,
  more: { readonly startedAt?: string; readonly recoveryPending?: boolean },
  context: ApplyContext,
): Promise<void> {
  const result = { claim: found, outcome: { status: 'error', failure } as const, ...more };
  if (await files.createResult({ ...result, finishedAt: context.now })) {
    context.log.warning(failure.message, { jobId: found.jobId, code: failure.code });
  }
}

async function stop(jobId: string, context: ApplyContext): Promise<void> {
  const entry = context.entries.get(jobId);
  if (entry?.gate?.by === 'worker') {
    await requestStop(entry.files, entry.gate, context);
  }
}

async function requestStop(
  files: JobFiles,
  gate: Extract<Gate, { by: 'worker' }>,
  context: ApplyContext,
): Promise<void> {
  await files.noteCancel(context.now);
  stopWorker(gate);
  context.log.info('job no longer wanted, its worker was asked to stop', {
    pid: gate.identity.pid,
  });
}

async function tryToStart(
  action: Extract<Action, { kind: 'start' | 'recover' }>,
  context: ApplyContext,
): Promise<void> {
  try {
    await (action.kind === 'start' ? start(action, context) : recover(action.jobId, context));
  } catch (error) {
    context.log.warning(`cannot start a worker, will try again: ${describeError(error)}`, {
      jobId: action.jobId,
    });
  }
}

async function start(
  action: Extract<Action, { kind: 'start' }>,
  context: ApplyContext,
): Promise<void> {
  const wanted = context.wanted.get(action.jobId);
  const files = context.journal.files(action.jobId);
  const found = await files.claim();
  if (wanted === undefined || found === undefined) {
    return;
  }
  const spec = asClaimed(wanted, found);
  const worker = await startWorker(
    { files, kind: 'worker', startedAt: context.now },
    context.program,
    (token) => ({ ...context.order, format: 1, mode: 'run', token, spec }),
  );
  if (action.confirmed) {
    await files.confirm(worker.token);
  }
  context.log.info(`${spec.jobType} worker started`, {
    jobId: spec.jobId,
    pid: worker.identity?.pid,
  });
}

/** What was claimed is what runs, even if the request reads otherwise by now; but its newest credentials. */
function asClaimed(wanted: JobSpec, found: Claim): JobSpec {
  const { artefactPath: _, ...rest } = wanted;
  return {
    ...rest,
    compression: found.compression,
    ...(found.artefactPath === undefined ? {} : { artefactPath: found.artefactPath }),
  };
}

async function recover(jobId: string, context: ApplyContext): Promise<void> {
  const files = context.journal.files(jobId);
  const worker = await startWorker(
    { files, kind: 'recovery', startedAt: context.now },
    context.program,
    (token) => ({ ...context.order, format: 1, mode: 'recover', token, jobId }),
  );
  context.log.warning('restore found interrupted, bringing the database back to order', {
    jobId,
    pid: worker.identity?.pid,
  });
}
