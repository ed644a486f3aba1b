/** What the runner says about jobs it ends itself: no worker lives that could say more. */
import type { JobType } from '#database-backup';
import type { StopReason } from './deadlines.ts';
import type { Failure, Registration } from './job-files.ts';
import type { Verdict } from './plan-jobs.ts';

/** @param workers the workers that were started for it in vain */
export function verdictFailure(
  verdict: Verdict,
  jobType: JobType,
  workers: readonly Registration[],
): Failure {
  const again = `request a new ${jobType} if it is still needed`;
  switch (verdict) {
    case 'withdrawn':
      return {
        code: 'cancelled',
        message: `${jobType} cancelled before it began: the request was withdrawn`,
      };
    case 'cancelled':
      return { code: 'cancelled', message: `${jobType} cancelled before it began, as asked` };
    case 'start-deadline':
      return {
        code: 'start-deadline',
        message: `${jobType} given up before it began, nothing was touched: it did not get its turn in time`,
        hint: `give it more time, or look at what it waited for, then ${again}`,
      };
    case 'refused':
      return { code: 'refused', message: `${jobType} refused`, hint: again };
    case 'already-run':
      return {
        code: 'already-run',
        message: `${jobType} refused: a job with this id has run here before and its record was cleared`,
        hint: `${again}, with a new job id`,
      };
    case 'unknown-claim':
      return {
        code: 'lost',
        message: `${jobType} lost: it was claimed earlier, and this unit has no record of how it went`,
        hint: `a job never runs twice; look whether it left an artefact, then ${again}`,
      };
    case 'not-confirmed': {
      const reason = workers.findLast(({ gaveUp }) => gaveUp !== undefined)?.gaveUp;
      return {
        code: 'not-confirmed',
        message: `${jobType} given up before it began, nothing was touched: ${reason ?? `its worker died ${workers.length} times at its start`}`,
        hint: `look into the log of the unit (juju debug-log), then ${again}`,
      };
    }
  }
}

/** The end of a job whose worker was stopped. */
export function stoppedJob(reason: StopReason, jobType: JobType): Failure {
  switch (reason) {
    case 'withdrawn':
      return { code: 'cancelled', message: `${jobType} cancelled: the request was withdrawn` };
    case 'cancelled':
      return { code: 'cancelled', message: `${jobType} cancelled, as asked` };
    case 'run-deadline':
      return {
        code: 'run-deadline',
        message: `${jobType} stopped: it ran longer than its deadline allows`,
        hint: `see in its log what took so long; request a new ${jobType} with more time`,
      };
    case 'stalled':
      return {
        code: 'stalled',
        message: `${jobType} stopped: its work did not move any more`,
        hint: `check the storage and the database server, then request a new ${jobType}`,
      };
  }
}

/** The end of a backup whose worker is dead and left no result. */
export function lostBackup(): Failure {
  return {
    code: 'lost',
    message:
      'backup lost: its worker died before the end (killed, out of memory, or the machine restarted)',
    hint: 'nothing half-written counts as a backup; request a new backup',
  };
}

/** The end of a restore whose worker died, once somebody has looked after the database. */
export function lostRestore(state: string): Failure {
  return {
    code: 'lost',
    message: `restore lost: its worker died before the end (killed, out of memory, or the machine restarted); ${state}`,
    hint: 'check the database, then request a new restore',
  };
}

/** The end of a restore whose database could not be brought back to order. */
export function failedRecovery(reason: string, cause: Failure | undefined): Failure {
  const first = cause === undefined ? 'the worker of the restore died' : cause.message;
  return {
    code: 'recovery-failed',
    message: `restore failed and the database could not be brought back: ${reason}; before that: ${first}`,
    hint: 'look at the database server and its log on the unit; recovery is tried again until it works',
  };
}
