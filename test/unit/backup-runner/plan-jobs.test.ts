import { describe, expect, test } from '@jest/globals';
import type { JobType } from '#database-backup';
import {
  type JobFacts,
  MAX_ATTEMPTS,
  RECOVERY_INTERVAL_MS,
} from '../../../lib/backup-runner/plan-jobs.ts';
import * as fc from '../../helpers/fast-check.ts';
import { aJob, plan, running } from './planner-facts.ts';
import { PlannerWorld } from './planner-world.ts';

/** A dead restore for which so many recoveries were started, the last at 1000 s. */
function tried(attempts: number): JobFacts {
  return aJob('j1', {
    jobType: 'restore',
    stage: 'started',
    recovery: { pending: false, workerLives: false, attempts, lastStartedAt: 1_000_000 },
  });
}

describe('the plan for arrivals', () => {
  test('claims what is new in order of the request and starts it unconfirmed', () => {
    const wanted = [
      { jobId: 'b', jobType: 'backup' },
      { jobId: 'a', jobType: 'backup' },
    ] as const;
    expect(plan([], { wanted }).actions).toEqual([
      { kind: 'claim', jobId: 'b', sequence: 1 },
      { kind: 'claim', jobId: 'a', sequence: 2 },
      { kind: 'start', jobId: 'b', confirmed: false },
      { kind: 'start', jobId: 'a', confirmed: false },
    ]);
  });

  test('takes a job id that comes twice once', () => {
    const wanted = [
      { jobId: 'a', jobType: 'restore' },
      { jobId: 'a', jobType: 'backup' },
    ] as const;
    const claims = plan([], { wanted }).actions.filter(({ kind }) => kind === 'claim');
    expect(claims).toHaveLength(1);
  });

  test('refuses what the ledger knows and the journal does not: another unit may have run it', () => {
    const wanted = [{ jobId: 'a', jobType: 'restore' }] as const;
    expect(plan([], { wanted, committed: new Set(['a']) }).actions).toEqual([
      { kind: 'refuse', jobId: 'a', sequence: 1, verdict: 'unknown-claim' },
    ]);
  });

  test('refuses an id that was used and forgotten', () => {
    const wanted = [{ jobId: 'a', jobType: 'backup' }] as const;
    expect(plan([], { wanted, forgotten: new Set(['a']) }).actions).toEqual([
      { kind: 'refuse', jobId: 'a', sequence: 1, verdict: 'already-run' },
    ]);
  });
});

describe('the plan for waiting jobs', () => {
  test('confirms a live worker once its claim is committed, not before', () => {
    const job = aJob('j1', { waitingWorkers: ['t'], attempts: 1 });
    expect(plan([job]).actions).toEqual([{ kind: 'confirm', jobId: 'j1', token: 't' }]);
    expect(plan([job], { committed: new Set() }).actions).toEqual([]);
  });

  test('starts another worker when one died before it began, and gives up after some', () => {
    const job = aJob('j1', { attempts: MAX_ATTEMPTS - 1 });
    expect(plan([job]).actions).toEqual([{ kind: 'start', jobId: 'j1', confirmed: true }]);
    expect(plan([aJob('j1', { attempts: MAX_ATTEMPTS })]).actions).toEqual([
      { kind: 'end', jobId: 'j1', verdict: 'not-confirmed' },
    ]);
  });

  test('leaves a job alone of which nobody can tell whether it is wanted', () => {
    const waiting = aJob('j1');
    const change = { wanted: [], undecided: new Set(['j1', 'j2']) };
    expect(plan([waiting, aJob('j2', running)], change).actions).toEqual([]);
    expect(plan([waiting, aJob('j2', running)], { wanted: [] }).actions).toEqual([
      { kind: 'end', jobId: 'j1', verdict: 'withdrawn' },
      { kind: 'stop', jobId: 'j2', reason: 'withdrawn' },
    ]);
  });

  test('never gives a second worker to a job that has a live one', () => {
    const job = aJob('j1', { waitingWorkers: ['t'], confirmedWorker: 't', attempts: 1 });
    expect(plan([job]).actions).toEqual([]);
  });

  test('queues a restore behind running backups and later backups behind the restore', () => {
    const { actions, waitsFor } = plan(
      [aJob('j1', running), aJob('j2', { jobType: 'restore' }), aJob('j3')],
      { maxConcurrentBackups: 9 },
    );
    expect(actions).toEqual([]);
    expect(Object.fromEntries(waitsFor)).toEqual({ j2: ['j1'], j3: ['j1', 'j2'] });
  });

  test('lets as many backups run together as allowed', () => {
    const { actions } = plan([aJob('j1', running), aJob('j2'), aJob('j3')]);
    expect(actions).toEqual([{ kind: 'start', jobId: 'j2', confirmed: true }]);
  });

  test('cancels what is no longer wanted, or wanted as something else', () => {
    const wanted = [{ jobId: 'j1', jobType: 'restore' }] as const;
    expect(plan([aJob('j1'), aJob('j2')], { wanted }).actions).toEqual([
      { kind: 'end', jobId: 'j1', verdict: 'withdrawn' },
      { kind: 'end', jobId: 'j2', verdict: 'withdrawn' },
    ]);
  });

  test('frees the place of a cancelled job at once', () => {
    const { actions } = plan([aJob('j1', { jobType: 'restore' }), aJob('j2')], {
      wanted: [{ jobId: 'j2', jobType: 'backup' }],
    });
    expect(actions).toEqual([
      { kind: 'end', jobId: 'j1', verdict: 'withdrawn' },
      { kind: 'start', jobId: 'j2', confirmed: true },
    ]);
  });
});

describe('the plan for the dead', () => {
  test('buries a backup whose worker died, and starts the next', () => {
    const { actions } = plan([
      aJob('j1', { stage: 'started' }),
      aJob('j2', { jobType: 'restore' }),
    ]);
    expect(actions).toEqual([
      { kind: 'bury', jobId: 'j1' },
      { kind: 'start', jobId: 'j2', confirmed: true },
    ]);
  });

  test('recovers after a dead restore, alone, and lets others wait for it', () => {
    const { actions, waitsFor } = plan([
      aJob('j1', { jobType: 'restore', stage: 'started' }),
      aJob('j2'),
    ]);
    expect(actions).toEqual([{ kind: 'recover', jobId: 'j1' }]);
    expect(waitsFor.get('j2')).toEqual(['j1']);
  });

  test('recovers a restore that declared its failure, also while its worker still says goodbye', () => {
    const job = aJob('j1', { jobType: 'restore', stage: 'failed', workerLives: true });
    expect(plan([job]).actions).toEqual([{ kind: 'recover', jobId: 'j1' }]);
  });

  test('does not repeat a recovery at once, and ends the job when nothing helps', () => {
    expect(plan([tried(1)], { now: 1_000_000 + RECOVERY_INTERVAL_MS - 1 }).actions).toEqual([]);
    expect(plan([tried(1)], { now: 1_000_000 + RECOVERY_INTERVAL_MS }).actions).toHaveLength(1);
    expect(plan([tried(MAX_ATTEMPTS)]).actions).toEqual([{ kind: 'bury', jobId: 'j1' }]);
  });

  test('goes on with a recovery that failed, but only while nothing else has to run', () => {
    const failed = aJob('j1', {
      jobType: 'restore',
      stage: 'finished',
      recovery: { pending: true, workerLives: false, attempts: 1, lastStartedAt: 0 },
    });
    expect(plan([failed]).actions).toEqual([{ kind: 'recover', jobId: 'j1' }]);
    expect(plan([failed, aJob('j2', { jobType: 'restore' })]).actions).toEqual([
      { kind: 'start', jobId: 'j2', confirmed: true },
    ]);
  });

  test('writes down the verdict of a gate that was shut before a crash', () => {
    expect(plan([aJob('j1', { stage: 'closed' })]).actions).toEqual([
      { kind: 'settle', jobId: 'j1' },
    ]);
  });

  test('asks a running worker to stop when nobody wants its job any more', () => {
    expect(plan([aJob('j1', running)], { wanted: [] }).actions).toEqual([
      { kind: 'stop', jobId: 'j1', reason: 'withdrawn' },
    ]);
  });
});

type Step = (world: PlannerWorld) => void;

const index = fc.nat({ max: 7 });

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom<JobType>('backup', 'backup', 'restore').map(request) },
  {
    weight: 6,
    arbitrary: fc
      .boolean()
      .map((succeeds) => (world: PlannerWorld) => world.reconcile({ succeeds })),
  },
  { weight: 5, arbitrary: index.map((at) => (world: PlannerWorld) => world.advance(at)) },
  { weight: 2, arbitrary: index.map((at) => (world: PlannerWorld) => world.finish(at, 'success')) },
  { weight: 1, arbitrary: index.map((at) => (world: PlannerWorld) => world.finish(at, 'failed')) },
  { weight: 1, arbitrary: index.map((at) => (world: PlannerWorld) => world.recover(at, at > 2)) },
  { weight: 2, arbitrary: index.map((at) => (world: PlannerWorld) => world.kill(at)) },
  { weight: 1, arbitrary: index.map((at) => (world: PlannerWorld) => withdraw(world, at)) },
  { weight: 1, arbitrary: fc.constant((world: PlannerWorld) => world.reboot()) },
  {
    weight: 1,
    arbitrary: fc.constant((world: PlannerWorld) => {
      world.now += RECOVERY_INTERVAL_MS;
    }),
  },
);

let ids = 0;

function request(jobType: JobType): Step {
  return (world) => {
    ids += 1;
    world.wanted.set(`job-${ids}`, jobType);
  };
}

function withdraw(world: PlannerWorld, at: number): void {
  const wanted = [...world.wanted.keys()][at];
  if (wanted !== undefined) {
    world.wanted.delete(wanted);
  }
}

/** Throws itself: half a million calls of `expect` take half a minute. */
function checkInvariants(world: PlannerWorld): void {
  const active = world.running();
  const restores = active.filter(({ jobType }) => jobType === 'restore').length;
  if (restores > 1 || (restores === 1 && active.length > 1) || active.length > world.max) {
    throw new Error(`run together: ${JSON.stringify(active.map(({ jobId }) => jobId))}`);
  }
  for (const job of world.jobs.values()) {
    // A process that works on what the ledger does not know would be forgotten with its unit.
    if (job.runs > 1 || (job.runs === 1 && !world.ledger.has(job.jobId))) {
      throw new Error(`${job.jobId} ran ${job.runs} times, or without being in the ledger`);
    }
  }
}

function standing(world: PlannerWorld): string {
  return JSON.stringify(world.facts().map(({ stage, attempts }) => [stage, attempts]));
}

describe('any sequence of requests, hooks, deaths and reboots', () => {
  test('keeps restores alone, backups within their limit, and runs each job at most once', () => {
    const property = fc.property(
      fc.integer({ min: 1, max: 3 }),
      fc.array(step, { maxLength: 120, size: 'max' }),
      (max, steps) => {
        const world = new PlannerWorld(max);
        for (const take of steps) {
          take(world);
          checkInvariants(world);
        }
      },
    );
    expect(() => fc.assert(property, { numRuns: 1500 })).not.toThrow();
  });

  test('comes to an end for every job once hooks succeed and workers work', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 3 }),
        fc.array(step, { maxLength: 80, size: 'max' }),
        (max, steps) => {
          const world = new PlannerWorld(max);
          for (const take of steps) {
            take(world);
          }
          for (let round = 0; round < 4 * (world.wanted.size + world.jobs.size) + 4; round += 1) {
            world.reconcile({ succeeds: true });
            world.now += RECOVERY_INTERVAL_MS;
            for (let at = 0; at < world.jobs.size; at += 1) {
              world.advance(at);
              checkInvariants(world);
              world.finish(at, 'success');
              world.recover(at, true);
            }
          }
          expect([...world.jobs.values()].filter(({ ended }) => !ended)).toEqual([]);
          expect(world.jobs.size).toBeGreaterThanOrEqual(world.wanted.size);
        },
      ),
      { numRuns: 600 },
    );
  });

  test('leads to a state in which another hook changes nothing', () => {
    const property = fc.property(fc.array(step, { maxLength: 40, size: 'max' }), (steps) => {
      const world = new PlannerWorld(2);
      for (const take of steps) {
        take(world);
      }
      // The first may stop a worker, the second start what waited for it, and so on down the queue.
      for (let hook = 0; hook <= world.jobs.size + world.wanted.size; hook += 1) {
        world.reconcile({ succeeds: true });
      }
      const before = standing(world);
      world.reconcile({ succeeds: true });
      return standing(world) === before;
    });
    expect(() => fc.assert(property, { numRuns: 600 })).not.toThrow();
  });
});
