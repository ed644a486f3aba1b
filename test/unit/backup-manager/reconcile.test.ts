import { describe, expect, test } from '@jest/globals';
import type { HistoryEntry } from '../../../charms/backup-manager/src/history.ts';
import {
  planReconcile,
  type ReconcileInput,
  type ReconcilePlan,
} from '../../../charms/backup-manager/src/reconcile.ts';
import * as fc from '../../helpers/fast-check.ts';
import { aJob, anEntry, anInput, aRelation, aStatus, now } from './makers.ts';

const success = aStatus({
  status: 'success',
  artefactPath: 'p/',
  size: 7,
  finishedAt: '2026-11-21T02:30:00Z',
});

describe('taking in what the databases say', () => {
  test('a request nobody has spoken about stays as it is', () => {
    const plan = planReconcile(anInput());
    expect(plan.history).toEqual([anEntry()]);
    expect(plan.requests.get(4)).toEqual([aJob()]);
    expect(plan.outcomes).toEqual([]);
  });

  test('a running job is noted with its unit, and its request stays', () => {
    const plan = planReconcile(anInput({ relations: [aRelation({ statuses: [aStatus()] })] }));
    expect(plan.history).toMatchObject([{ state: 'running', unit: 'db/0' }]);
    expect(plan.requests.get(4)).toHaveLength(1);
  });

  test('an outcome is recorded, told once, and the request withdrawn with its keys', () => {
    const first = planReconcile(anInput({ relations: [aRelation({ statuses: [success] })] }));
    expect(first.outcomes).toMatchObject([
      { state: 'success', artefactPath: 'p/', size: 7, finishedAt: '2026-11-21T02:30:00.000Z' },
    ]);
    expect(first.requests.get(4)).toEqual([]);
    const second = planReconcile(after(first, [aRelation({ requested: [], statuses: [success] })]));
    expect(second.outcomes).toEqual([]);
    expect(second.history).toEqual(first.history);
  });

  test('an error keeps message, code and hint, shortened', () => {
    const status = aStatus({
      status: 'error',
      message: 'x'.repeat(5000),
      errorCode: 'disk-full',
      hint: 'make room',
    });
    const { outcomes } = planReconcile(anInput({ relations: [aRelation({ statuses: [status] })] }));
    expect(outcomes).toMatchObject([{ state: 'error', errorCode: 'disk-full', hint: 'make room' }]);
    expect(outcomes[0]?.message).toHaveLength(1001);
  });

  test('nothing a database says later changes a recorded outcome', () => {
    const done = anEntry({ state: 'error', message: 'no', finishedAt: 'x' });
    for (const status of ['running', 'success', 'error'] as const) {
      const { history } = planReconcile(
        anInput({ history: [done], relations: [aRelation({ statuses: [aStatus({ status })] })] }),
      );
      expect(history).toEqual([done]);
    }
  });

  test('a status of a job not in the history, for example cleared, does not come back', () => {
    const plan = planReconcile(
      anInput({ history: [], relations: [aRelation({ requested: [], statuses: [success] })] }),
    );
    expect(plan.history).toEqual([]);
    expect(plan.outcomes).toEqual([]);
  });

  test('of two units that speak of one job, the one that did it counts', () => {
    const declined = aStatus({ status: 'error', message: 'not me', unit: 'db/1' });
    const { history } = planReconcile(
      anInput({ relations: [aRelation({ statuses: [declined, success] })] }),
    );
    expect(history).toMatchObject([{ state: 'success', unit: 'db/0' }]);
  });

  test('a status in another relation is not about our job', () => {
    const other = aRelation({ relationId: 9, database: 'db2', requested: [], statuses: [success] });
    const { history } = planReconcile(anInput({ relations: [aRelation(), other] }));
    expect(history).toEqual([anEntry()]);
  });

  test('times of a provider that are none are replaced by ours', () => {
    const odd = aStatus({ status: 'success', startedAt: 'yesterday', finishedAt: '' });
    const { history } = planReconcile(anInput({ relations: [aRelation({ statuses: [odd] })] }));
    expect(history[0]?.startedAt).toBeUndefined();
    expect(history[0]?.finishedAt).toBe(now.toISOString());
  });

  test('a request the history does not know is taken into it', () => {
    const { history } = planReconcile(anInput({ history: [] }));
    expect(history).toMatchObject([{ jobId: 'job-1', database: 'db', state: 'requested' }]);
  });
});

describe('jobs nobody can finish any more', () => {
  const running = anEntry({ state: 'running', unit: 'db/0' });

  test('a removed relation ends its jobs as lost', () => {
    const { outcomes } = planReconcile(anInput({ history: [running], relations: [] }));
    expect(outcomes).toMatchObject([
      { state: 'error', errorCode: 'lost', message: 'lost: relation to db removed' },
    ]);
  });

  test('a relation made anew does not revive them', () => {
    const anew = aRelation({ relationId: 9, requested: [] });
    const { outcomes } = planReconcile(anInput({ history: [running], relations: [anew] }));
    expect(outcomes).toMatchObject([{ errorCode: 'lost' }]);
  });

  test('a job of a unit that left ends as lost while others stay', () => {
    const { outcomes } = planReconcile(
      anInput({
        history: [running],
        relations: [aRelation({ units: ['db/1'] })],
        departedUnit: 'db/0',
      }),
    );
    expect(outcomes).toMatchObject([{ message: 'lost: unit db/0 is gone' }]);
  });

  test('another unit may still tell how it ended', () => {
    const told = aStatus({ status: 'error', message: 'db/0 died', unit: 'db/1' });
    const { outcomes } = planReconcile(
      anInput({
        history: [running],
        relations: [aRelation({ units: ['db/1'], statuses: [told] })],
        departedUnit: 'db/0',
      }),
    );
    expect(outcomes).toMatchObject([{ message: 'db/0 died' }]);
  });

  test('units not met yet are not gone, until Juju has nothing more to tell', () => {
    const input = anInput({ history: [running], relations: [aRelation({ units: [] })] });
    expect(planReconcile(input).outcomes).toEqual([]);
    expect(planReconcile({ ...input, isSettled: true }).outcomes).toMatchObject([
      { message: 'lost: unit db/0 is gone' },
    ]);
  });

  test('a request that vanished ends as lost, unless the database still works on it', () => {
    const without = aRelation({ requested: [] });
    expect(planReconcile(anInput({ relations: [without] })).outcomes).toMatchObject([
      { message: 'lost: its request disappeared from the relation' },
    ]);
    const working = aRelation({ requested: [], statuses: [aStatus()] });
    expect(planReconcile(anInput({ relations: [working] })).outcomes).toEqual([]);
  });
});

describe('protection', () => {
  test('a successful backup protects the database of this relation, also after clearing', () => {
    const plan = planReconcile(anInput({ relations: [aRelation({ statuses: [success] })] }));
    expect([...plan.lastBackups.keys()]).toEqual([4]);
    const later = planReconcile({ ...after(plan, [aRelation({ requested: [] })]), history: [] });
    expect([...later.lastBackups.keys()]).toEqual([4]);
  });

  test('a restore protects nothing, and protection ends with the relation', () => {
    const restored = planReconcile(
      anInput({
        history: [anEntry({ jobType: 'restore' })],
        relations: [aRelation({ statuses: [success] })],
      }),
    );
    expect(restored.lastBackups.size).toBe(0);
    const gone = planReconcile(
      anInput({
        history: [],
        relations: [],
        lastBackups: new Map([[4, { relationId: 4, finishedAt: 'x' }]]),
      }),
    );
    expect(gone.lastBackups.size).toBe(0);
  });
});

test('whatever order statuses arrive and repeat in, each job ends once and stays ended', () => {
  const status = fc.record({
    jobId: fc.constantFrom('job-1', 'job-2', 'job-3'),
    status: fc.constantFrom('running', 'success', 'error'),
    unit: fc.constantFrom('db/0', 'db/1'),
  });
  fc.assert(
    fc.property(fc.array(fc.array(status, { maxLength: 4 }), { maxLength: 8 }), (events) => {
      const jobs = ['job-1', 'job-2'].map((jobId) => aJob({ jobId }));
      let input = anInput({
        history: jobs.map(({ jobId }) => anEntry({ jobId })),
        relations: [aRelation({ requested: jobs })],
      });
      const told: string[] = [];
      const ended = new Map<string, HistoryEntry>();
      for (const statuses of events) {
        const requested = input.relations[0]?.requested ?? [];
        const relation = aRelation({ requested, statuses: statuses.map((one) => aStatus(one)) });
        const plan = planReconcile({ ...input, relations: [relation] });
        told.push(...plan.outcomes.map((entry) => entry.jobId));
        for (const entry of plan.outcomes) {
          ended.set(entry.jobId, entry);
        }
        input = after(plan, [{ ...relation, requested: plan.requests.get(4) ?? [] }]);
        expect(input.history).toEqual(expect.arrayContaining([...ended.values()]));
      }
      expect(new Set(told).size).toBe(told.length);
      expect(input.history.map((entry) => entry.jobId)).toEqual(['job-1', 'job-2']);
    }),
  );
});

function after(plan: ReconcilePlan, relations: ReconcileInput['relations']): ReconcileInput {
  return anInput({ history: plan.history, lastBackups: plan.lastBackups, relations });
}

test('which backup was the last is completed from the history of version 0.1', () => {
  const { lastBackups } = planReconcile(
    anInput({
      history: [anEntry({ state: 'success', artefactPath: 'p/', size: 7 })],
      lastBackups: new Map([[4, { relationId: 4, finishedAt: 'x' }]]),
    }),
  );
  expect(lastBackups.get(4)).toEqual({
    relationId: 4,
    finishedAt: 'x',
    database: 'db',
    artefactPath: 'p/',
    size: 7,
  });
});

test('a failure keeps the end of its log, and a dry run its report', () => {
  const failed = aStatus({ status: 'error', logTail: ['x'.repeat(500), 'end'] });
  const [entry] = planReconcile(
    anInput({ relations: [aRelation({ statuses: [failed] })] }),
  ).history;
  expect(entry?.logTail).toEqual(['x'.repeat(300), 'end']);
  const tried = aStatus({ status: 'success', report: 'would replace 5 GiB' });
  const [other] = planReconcile(anInput({ relations: [aRelation({ statuses: [tried] })] })).history;
  expect(other?.report).toBe('would replace 5 GiB');
});

function progressed(bytes: number) {
  return anInput({
    history: [anEntry({ state: 'running', unit: 'db/0', startedAt: '2026-11-21T02:59:00.000Z' })],
    relations: [aRelation({ statuses: [aStatus({ progress: { bytes } })] })],
  });
}

test('progress alone leaves the entry as it is, so that a long history is not written again', () => {
  const first = planReconcile(progressed(1)).history;
  const again = planReconcile({ ...progressed(2), history: first }).history;
  expect(again[0]).toBe(first[0]);
});
