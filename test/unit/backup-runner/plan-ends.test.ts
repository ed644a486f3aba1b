/** When the runner ends a job that could go on: cancels, deadlines, workers that hang. */
import { describe, expect, test } from '@jest/globals';
import type { JobDeadline } from '#database-backup';
import {
  type JobFacts,
  KILL_AFTER_MS,
  OVERDUE_SLACK_MS,
  SILENCE_MS,
  START_PATIENCE_MS,
  SUSPICION_MS,
} from '../../../lib/backup-runner/plan-jobs.ts';
import { aJob, plan, running } from './planner-facts.ts';

const cancelled = (jobId: string) => ({ jobId, jobType: 'backup', isCancelled: true }) as const;

const limited = (deadline: JobDeadline) => ({
  wanted: [{ jobId: 'j1', jobType: 'backup', deadline } as const],
});

const timed = (times: JobFacts['times']) => aJob('j1', { ...running, times, heartbeatAt: 999_000 });

describe('the plan for a cancel that is asked for', () => {
  test('ends what waits, stops what runs, and claims what is new only to end it', () => {
    const wanted = [cancelled('j1'), cancelled('j2'), cancelled('j3')];
    expect(plan([aJob('j1'), aJob('j2', running)], { wanted }).actions).toEqual([
      { kind: 'refuse', jobId: 'j3', sequence: 3, verdict: 'cancelled' },
      { kind: 'end', jobId: 'j1', verdict: 'cancelled' },
      { kind: 'stop', jobId: 'j2', reason: 'cancelled' },
    ]);
  });

  test('kills a worker that does not stop, unless it exchanges live data', () => {
    const deaf = {
      ...running,
      stop: { at: 1_000_000 - KILL_AFTER_MS, reason: 'cancelled' },
    } as const;
    const wanted = [cancelled('j1')];
    expect(plan([aJob('j1', deaf)], { wanted }).actions).toEqual([
      { kind: 'kill', jobId: 'j1', reason: 'cancelled' },
    ]);
    expect(plan([aJob('j1', deaf)], { wanted, now: 999_999 }).actions).toMatchObject([
      { kind: 'stop' },
    ]);
    expect(plan([aJob('j1', { ...deaf, isPastStopping: true })], { wanted }).actions).toEqual([]);
  });
});

describe('the plan for a worker that gives no sign of life', () => {
  test('ends a worker that hangs before it began, so that another can be started', () => {
    const job = aJob('j1', { waitingWorkers: ['t'], confirmedWorker: 't', waitingSince: 0 });
    const now = START_PATIENCE_MS;
    expect(plan([job], { now }).actions).toEqual([]);
    expect(plan([job], { now: now + 1 }).actions).toEqual([{ kind: 'discard', jobId: 'j1' }]);
  });

  const silent = { ...running, isPastStopping: true, heartbeatAt: 0 } as const;

  test('suspects it first, as the machine may have slept, and kills it a minute later', () => {
    const now = SILENCE_MS + 1;
    const suspected = aJob('j1', { ...silent, suspectedAt: now });
    expect(plan([aJob('j1', silent)], { now }).actions).toEqual([{ kind: 'suspect', jobId: 'j1' }]);
    expect(plan([suspected], { now: now + SUSPICION_MS - 1 }).actions).toEqual([]);
    expect(plan([suspected], { now: now + SUSPICION_MS }).actions).toEqual([
      { kind: 'kill', jobId: 'j1', reason: 'silent' },
    ]);
    expect(plan([aJob('j1', { ...silent, heartbeatAt: 1 })], { now }).actions).toEqual([]);
  });
});

describe('the plan for deadlines', () => {
  const slack = OVERDUE_SLACK_MS;

  test('ends a job that waited too long for its turn', () => {
    const waiting = aJob('j1', { times: { arrivedAt: 1_000_000 - 60_001 } });
    expect(plan([waiting], limited({ startSeconds: 60 })).actions).toEqual([
      { kind: 'end', jobId: 'j1', verdict: 'start-deadline' },
    ]);
    expect(plan([waiting], limited({ startSeconds: 61 })).actions).toMatchObject([
      { kind: 'start' },
    ]);
  });

  test('stops a job that ran too long, when its worker did not do so itself', () => {
    const limit = limited({ runSeconds: 60 });
    expect(plan([timed({ startedAt: 1_000_000 - 60_001 - slack })], limit).actions).toEqual([
      { kind: 'stop', jobId: 'j1', reason: 'run-deadline' },
    ]);
    expect(plan([timed({ startedAt: 1_000_000 - 60_000 - slack })], limit).actions).toEqual([]);
  });

  test('judges a stall by the last progress and never by the age', () => {
    const limit = limited({ stallSeconds: 60 });
    expect(
      plan([timed({ startedAt: 0, progressedAt: 1_000_000 - 60_001 - slack })], limit).actions,
    ).toEqual([{ kind: 'stop', jobId: 'j1', reason: 'stalled' }]);
    expect(plan([timed({ startedAt: 0, progressedAt: 999_000 })], limit).actions).toEqual([]);
  });
});
