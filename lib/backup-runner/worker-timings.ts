/** How patient a worker is. Values of their own, so that tests take milliseconds. */

export interface WorkerTimings {
  /** Between progress notes, and between events about mere progress. */
  readonly progressMs: number;
  /** Waits between attempts to have the claim confirmed. */
  readonly confirmDelaysMs: readonly number[];
  /** Waits between attempts to tell the charm about the end. */
  readonly finishDelaysMs: readonly number[];
  /** Waits before a failed recovery is tried again by the same worker; later hooks start others. */
  readonly recoveryDelaysMs: readonly number[];
  /** How long a job that was stopped may take to tidy up before it is ended without. */
  readonly cancelGraceMs: number;
}

export const workerTimings: WorkerTimings = {
  progressMs: 3_000,
  // Nine attempts in about two minutes, not counting the time each waits for its turn on the machine.
  confirmDelaysMs: [500, 1_000, 2_000, 5_000, 10_000, 20_000, 30_000, 60_000],
  finishDelaysMs: [1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 120_000],
  recoveryDelaysMs: [2_000, 5_000],
  cancelGraceMs: 6_000,
};
