/** Carries out the actions of a plan. Every one is safe to repeat, and safe against a worker that acts meanwhile. */
import { describeError } from '#system';
import type { StopReason } from './deadlines.ts';
import type { Claim, Failure, Gate, JobFiles } from './job-files.ts';
import type { JobSpec } from './job-spec.ts';
import type { Journal, JournalEntry } from './journal.ts';
import type { Action, Verdict } from './plan-jobs.ts';
import { startWorker, type WorkerProgram, yielding } from './start-worker.ts';
import { killUnlessStopped, killWorker, stopWorker } from './stop-worker.ts';
import { failedRecovery, lostBackup, stoppedJob, verdictFailure } from './verdicts.ts';
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

type Appliers = {
  readonly [Kind in Action['kind']]: (
    action: Extract<Action, { kind: Kind }>,
    context: ApplyContext,
  ) => Promise<void>;
};

const APPLIERS: Appliers = {
  claim: async ({ jobId, sequence }, context) => await claim(jobId, sequence, context),
  refuse: end,
  end,
  settle: async ({ jobId }, context) => await settle(context.journal.files(jobId), context),
  bury: async ({ jobId }, context) => await bury(jobId, context),
  stop,
  kill,
  suspect,
  confirm: async ({ jobId, token }, { journal }) => await journal.files(jobId).confirm(token),
  discard,
  recover: tryToStart,
  start: tryToStart,
};

/** Applies one action; a worker that cannot be started is logged and tried again by a later reconcile. */
export async function applyAction(action: Action, context: ApplyContext): Promise<void> {
  // The compiler does not see that the function fits the very action it is looked up by.
  const apply = APPLIERS[action.kind] as (it: Action, context: ApplyContext) => Promise<void>;
  await apply(action, context);
}

async function claim(jobId: string, sequence: number, context: ApplyContext): Promise<void> {
  const spec = context.wanted.get(jobId);
  if (spec === undefined) {
    return;
  }
  const { jobType, compression, artefactPath, requestedAt, isDryRun, undoOf } = spec;
  const { isEncrypted, items } = spec;
  const isNew = await context.journal.files(jobId).createClaim({
    jobId,
    jobType,
    compression,
    ...(artefactPath === undefined ? {} : { artefactPath }),
    ...(requestedAt === undefined ? {} : { requestedAt }),
    ...(isDryRun === undefined ? {} : { isDryRun }),
    ...(undoOf === undefined ? {} : { undoOf }),
    ...(isEncrypted === undefined ? {} : { isEncrypted }),
    ...(items === undefined ? {} : { items }),
    claimedAt: context.now,
    sequence,
  });
  if (isNew) {
    context.log.info(`${jobType} claimed`, { jobId });
  }
}

async function end(
  action: Extract<Action, { kind: 'refuse' | 'end' }>,
  context: ApplyContext,
): Promise<void> {
  const { jobId, verdict } = action;
  if (action.kind === 'refuse') {
    await claim(jobId, action.sequence, context);
  }
  const files = context.journal.files(jobId);
  const found = await files.claim();
  if (found === undefined) {
    return;
  }
  const failure = await failureFor(action, found, context);
  if (await files.createGate({ by: 'runner', failure, at: context.now })) {
    await settle(files, context);
    return;
  }
  // A worker was faster; it is stopped like any other that runs what nobody wants.
  const gate = await files.gate();
  if (gate?.by === 'worker' && (verdict === 'cancelled' || verdict === 'withdrawn')) {
    await requestStop({ files, gate, reason: verdict }, context);
  }
}

async function failureFor(
  { jobId, verdict }: { readonly jobId: string; readonly verdict: Verdict },
  { jobType }: Claim,
  { wanted, journal }: ApplyContext,
): Promise<Failure> {
  const refusal = verdict === 'refused' ? wanted.get(jobId)?.refusal : undefined;
  const workers = await journal.files(jobId).registrations('worker');
  return refusal ?? verdictFailure(verdict, jobType, workers);
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
    const failure =
      entry.stop === undefined ? lostBackup() : stoppedJob(entry.stop.reason, 'backup');
    await finish(files, found, failure, startedAt, context);
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

async function stop(
  { jobId, reason }: Extract<Action, { kind: 'stop' }>,
  context: ApplyContext,
): Promise<void> {
  const entry = context.entries.get(jobId);
  if (entry?.gate?.by === 'worker') {
    await requestStop({ files: entry.files, gate: entry.gate, reason }, context);
  }
}

async function kill(
  { jobId, reason }: Extract<Action, { kind: 'kill' }>,
  { entries, log }: ApplyContext,
): Promise<void> {
  const gate = entries.get(jobId)?.gate;
  if (gate?.by === 'worker') {
    killWorker(gate);
    log.warning('the worker did not end, killed it', { jobId, reason, pid: gate.identity.pid });
  }
}

async function suspect(
  { jobId }: Extract<Action, { kind: 'suspect' }>,
  { entries, now, log }: ApplyContext,
): Promise<void> {
  const entry = entries.get(jobId);
  if (entry?.gate?.by === 'worker') {
    const heartbeatAt = entry.progress?.heartbeatAt ?? entry.gate.startedAt;
    await entry.files.suspect({ at: now, heartbeatAt });
    log.warning('the worker gives no sign of life', { jobId, since: heartbeatAt });
  }
}

async function discard(
  { jobId }: { readonly jobId: string },
  context: ApplyContext,
): Promise<void> {
  for (const worker of await context.journal.files(jobId).registrations('worker')) {
    killWorker(worker);
  }
  context.log.warning('the worker hangs at its start, killed it', { jobId });
}

interface StopRequest {
  readonly files: JobFiles;
  readonly gate: Extract<Gate, { by: 'worker' }>;
  readonly reason: StopReason;
}

async function requestStop(
  { files, gate, reason }: StopRequest,
  context: ApplyContext,
): Promise<void> {
  const isFirst = await files.noteStop({ at: context.now, reason });
  stopWorker(gate);
  if (isFirst) {
    await sendReaper(gate, files, context);
    context.log.info('job is to end, its worker was asked to stop', {
      reason,
      pid: gate.identity.pid,
    });
  }
}

async function sendReaper(
  gate: StopRequest['gate'],
  files: JobFiles,
  { program, log }: ApplyContext,
): Promise<void> {
  try {
    await killUnlessStopped(gate, files, program.environment);
  } catch (error) {
    // A later hook kills it, should that be needed.
    log.warning(`cannot watch whether the worker stops: ${describeError(error)}`);
  }
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
    // A restore starts the server itself, which would inherit it.
    spec.jobType === 'backup' ? yielding(context.program) : context.program,
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
    // Neither a dry run nor a few files must ever turn into a restore, nor an encrypted backup into one in plain.
    ...(found.isEncrypted === undefined ? {} : { isEncrypted: found.isEncrypted }),
    ...(found.items === undefined ? {} : { items: found.items }),
    ...(found.isDryRun === undefined ? {} : { isDryRun: found.isDryRun }),
    ...(found.undoOf === undefined ? {} : { undoOf: found.undoOf }),
  };
}

async function recover(jobId: string, context: ApplyContext): Promise<void> {
  const files = context.journal.files(jobId);
  const note = await files.stopNote();
  if (note !== undefined) {
    await files.writeFailure(stoppedJob(note.reason, 'restore'));
  }
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
