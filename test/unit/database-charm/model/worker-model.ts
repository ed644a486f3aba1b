/** One step in the life of a worker or a recovery, with the order of effects that the real ones keep. */
import { isStartMissed, overdue } from '../../../../lib/backup-runner/deadlines.ts';
import {
  failedRecovery,
  lostRestore,
  stoppedJob,
  verdictFailure,
} from '../../../../lib/backup-runner/verdicts.ts';
import type { JobDirectory, Machine, Process } from './machine.ts';

/** What the workers meet outside. */
export interface Surroundings {
  readonly now: number;
  readonly isStorageUp: boolean;
  /** The key the store accepts. */
  readonly secretKey: string;
  readonly chance: () => number;
  /** Artefacts that are complete. */
  readonly manifests: Set<string>;
  /** Called once a process has gone through the gate. */
  readonly onRun: (process: Process) => void;
}

/** @returns whether it has something to tell the charm */
export function work(machine: Machine, process: Process, around: Surroundings): boolean {
  const job = machine.jobs.get(process.jobId);
  if (job === undefined) {
    machine.die(process);
    return false;
  }
  if (process.isHanging) {
    return false;
  }
  if (process.kind === 'recovery') {
    return recover(machine, process, job, around);
  }
  return job.gate?.by === 'worker' && job.gate.token === process.token
    ? goOn(machine, process, job, around)
    : wait(machine, process, job, around);
}

function goOn(
  machine: Machine,
  process: Process,
  job: JobDirectory,
  around: Surroundings,
): boolean {
  const phase = job.progress?.phase ?? 'running';
  return phase === 'swapping' || phase === 'cleaning-up'
    ? exchange(machine, process, job, around)
    : perform(machine, process, job, around);
}

function wait(
  machine: Machine,
  process: Process,
  job: JobDirectory,
  around: Surroundings,
): boolean {
  const { jobId, jobType } = job.claim;
  if (job.confirmation?.token === process.token && job.gate === undefined) {
    const arrivedAt = machine.arrival(jobId);
    if (isStartMissed({ arrivedAt }, process.spec?.deadline, around.now)) {
      const failure = verdictFailure('start-deadline', jobType, []);
      job.gate = { by: 'runner', failure, at: machine.nowText };
      machine.die(process);
    } else if (machine.pass(process)) {
      around.onRun(process);
      note(machine, job, 'running', true);
    }
    return true;
  }
  process.patience -= 1;
  if (job.gate !== undefined || process.patience <= 0) {
    machine.die(process);
  }
  return true;
}

function perform(
  machine: Machine,
  process: Process,
  job: JobDirectory,
  around: Surroundings,
): boolean {
  const { jobId, jobType } = job.claim;
  const phase = job.progress?.phase ?? 'running';
  const reason = process.isAskedToStop ? job.stop?.reason : lateness(job, process, around.now);
  if (reason !== undefined && !process.hasManifest) {
    machine.finish(jobId, { status: 'error', failure: stoppedJob(reason, jobType) });
    machine.die(process);
    return true;
  }
  const hasKeys = process.spec?.storageConfig['secret-key'] === around.secretKey;
  if (!around.isStorageUp || !hasKeys) {
    // Asks for fresh keys, as long as the stall deadline lets it.
    note(machine, job, phase, false);
    return !hasKeys;
  }
  return advance(machine, process, job, around);
}

function lateness(job: JobDirectory, process: Process, now: number) {
  const startedAt = job.gate?.by === 'worker' ? Date.parse(job.gate.startedAt) : now;
  const progressedAt = Date.parse(job.progress?.progressedAt ?? new Date(startedAt).toISOString());
  return overdue({ startedAt, progressedAt }, process.spec?.deadline, now);
}

function advance(
  machine: Machine,
  process: Process,
  job: JobDirectory,
  around: Surroundings,
): boolean {
  const { jobId, jobType } = job.claim;
  const luck = around.chance();
  if (luck < 0.5) {
    note(machine, job, 'running', true);
  } else if (luck > 0.95 && !process.hasManifest) {
    const failure = { code: 'storage-failed', message: 'no' };
    machine.finish(jobId, { status: 'error', failure });
    machine.die(process);
  } else if (jobType === 'restore') {
    note(machine, job, 'swapping', true);
  } else if (process.hasManifest) {
    succeed(machine, process, job);
  } else {
    // A moment of its own: a worker may die between the manifest and the result.
    process.hasManifest = true;
    around.manifests.add(jobId);
  }
  return true;
}

function exchange(
  machine: Machine,
  process: Process,
  job: JobDirectory,
  around: Surroundings,
): boolean {
  const luck = around.chance();
  if (job.progress?.phase === 'cleaning-up') {
    around.manifests.add(job.claim.jobId);
    succeed(machine, process, job);
  } else if (luck < 0.2) {
    job.failure = { code: 'database-start-failed', message: 'no' };
    machine.die(process);
  } else if (luck > 0.5) {
    note(machine, job, 'cleaning-up', true);
  }
  return true;
}

function succeed(machine: Machine, process: Process, { claim }: JobDirectory): void {
  machine.finish(claim.jobId, { status: 'success', artefactPath: claim.jobId, size: 1 });
  machine.die(process);
}

function recover(
  machine: Machine,
  process: Process,
  job: JobDirectory,
  around: Surroundings,
): boolean {
  const { jobId } = job.claim;
  const behindGate = job.gate?.by === 'worker' ? job.gate.identity.pid : 0;
  const other = machine.processes.get(behindGate);
  if (other !== undefined) {
    machine.die(other);
    return false;
  }
  if (around.chance() < 0.15) {
    const failure = failedRecovery('no', job.failure);
    machine.finish(jobId, { status: 'error', failure }, true);
  } else if (job.result !== undefined) {
    job.recovered = { outcome: 'old data', at: machine.nowText };
  } else if (job.progress?.phase === 'cleaning-up') {
    around.manifests.add(jobId);
    machine.finish(jobId, { status: 'success', artefactPath: jobId, size: 1 });
  } else {
    machine.finish(jobId, { status: 'error', failure: job.failure ?? lostRestore('old data') });
  }
  machine.die(process);
  return true;
}

function note(
  machine: Machine,
  job: JobDirectory,
  phase: NonNullable<JobDirectory['progress']>['phase'],
  hasMoved: boolean,
): void {
  const heartbeatAt = machine.nowText;
  job.progress = {
    phase,
    heartbeatAt,
    progressedAt: hasMoved ? heartbeatAt : (job.progress?.progressedAt ?? heartbeatAt),
  };
}
