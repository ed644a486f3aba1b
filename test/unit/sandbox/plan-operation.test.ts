import { describe, expect, test } from '@jest/globals';
import {
  destroyApplication,
  destroyRelation,
  destroyUnit,
  forceUnit,
} from '../../../lib/sandbox/model/removal.ts';
import {
  array,
  assert,
  constantFrom,
  infiniteStream,
  nat,
  property,
} from '../../helpers/fast-check.ts';
import { PlannerModel } from './planner-model.ts';

describe('the next operation of a unit', () => {
  test('follows the order of a first start', () => {
    const model = new PlannerModel();
    model.application('a', 1);
    model.peers(0, 'a');
    expect(model.settle('a/0')).toEqual([
      'install',
      'mates-relation-created a',
      '(leads)',
      'leader-elected',
      'config-changed',
      'start',
    ]);
    expect(model.plan('a/0').kind).toBe('wait');
  });

  test('is none but the end once the time of a forced removal is over', () => {
    const model = new PlannerModel();
    model.application('a', 1);
    const start = new Date('2026-01-01T00:00:00.000Z');
    const after = (ms: number) => new Date(start.getTime() + ms);
    model.store.transact((transaction) => {
      transaction.patch('unit', 'a/0', {
        installed: true,
        pending: {
          hook: { kind: 'lifecycle', name: 'config-changed' },
          state: 'failed',
          failures: 1,
        },
      });
      destroyUnit(transaction, 'a/0');
      forceUnit(transaction, 'a/0', { now: start });
      // A second one does not begin the time anew.
      forceUnit(transaction, 'a/0', { now: after(30_000) });
    });
    expect(model.plan('a/0', { now: after(59_999) })).toEqual({
      kind: 'wait',
      until: after(60_000).toISOString(),
    });
    expect(model.plan('a/0', { now: after(60_000) })).toEqual({ kind: 'bury' });
    model.store.transact((transaction) => {
      forceUnit(transaction, 'a/0', { now: after(40_000), noWait: true });
    });
    expect(model.plan('a/0', { now: after(40_000) })).toEqual({ kind: 'bury' });
  });

  test('joins before it tells of changes, and collapses several changes into one', () => {
    const model = new PlannerModel();
    model.application('a', 1);
    model.application('b', 1);
    model.relate(1, 'a', 'b');
    model.settle('b/0');
    model.settle('a/0');
    model.settle('b/0');
    model.write(1, 'b/0', 'one');
    model.write(1, 'b/0', 'two');
    model.write(1, 'b', 'app');
    expect(model.settle('a/0')).toEqual(['wants-relation-changed b', 'wants-relation-changed b/0']);
    expect(model.settle('a/0')).toEqual([]);
  });

  test('a unit that comes late meets the others in order of their numbers', () => {
    const model = new PlannerModel();
    model.application('a', 11);
    model.peers(0, 'a');
    model.settleAll();
    const met = Object.keys(model.store.require('unit', 'a/10').relations['0']?.members ?? {});
    expect(met).toHaveLength(10);
    model.write(0, 'a/2', 'x');
    model.write(0, 'a/10', 'x');
    expect(model.settle('a/0')).toEqual([
      'mates-relation-changed a/2',
      'mates-relation-changed a/10',
    ]);
  });

  test('a failed hook holds back everything but actions and commands until it is due', () => {
    const model = new PlannerModel();
    model.application('a', 1);
    model.settle('a/0');
    model.store.transact((transaction) => {
      transaction.patch('application', 'a', { configVersion: 2 });
      transaction.patch('unit', 'a/0', {
        pending: {
          hook: { kind: 'lifecycle', name: 'start' },
          state: 'failed',
          failures: 1,
          retryAt: '2026-01-01T00:00:05.000Z',
        },
      });
    });
    expect(model.plan('a/0')).toEqual({ kind: 'wait', until: '2026-01-01T00:00:05.000Z' });
    expect(model.plan('a/0', { hasCommands: true }).kind).toBe('commands');
    expect(model.plan('a/0', { now: new Date('2026-01-01T00:00:05Z') })).toMatchObject({
      kind: 'hook',
      pending: true,
    });
    model.store.transact((transaction) => {
      const { pending } = transaction.require('unit', 'a/0');
      transaction.patch('unit', 'a/0', { pending: pending && { ...pending, resolved: 'skip' } });
    });
    expect(model.plan('a/0').kind).toBe('skip-hook');
    expect(model.settle('a/0')).toEqual(['start', 'config-changed']);
  });

  test('runs update-status when its time has come, and not before', () => {
    const model = new PlannerModel();
    model.application('a', 1);
    model.settle('a/0');
    expect(model.plan('a/0', { now: new Date('2026-01-01T00:04:59Z') })).toEqual({
      kind: 'wait',
      until: '2026-01-01T00:05:00.000Z',
    });
    expect(model.plan('a/0', { now: new Date('2026-01-01T00:05:00Z') })).toMatchObject({
      hook: { name: 'update-status' },
    });
  });

  test('names the local unit as departing when it is the one that goes', () => {
    const model = new PlannerModel();
    model.application('a', 1);
    model.application('b', 2);
    model.relate(1, 'a', 'b');
    model.peers(2, 'b');
    model.settleAll();
    model.store.transact((transaction) => {
      destroyUnit(transaction, 'b/1');
    });
    expect(model.settle('a/0')).toEqual(['wants-relation-departed b/1 (b/1)']);
    expect(model.settle('b/1')).toEqual([
      'serves-relation-departed a/0 (b/1)',
      'serves-relation-broken a',
      'mates-relation-departed b/0 (b/1)',
      'stop',
      'remove',
    ]);
    expect(model.store.get('unit', 'b/1')).toBeUndefined();
    expect(model.settle('b/0')).toEqual(['mates-relation-departed b/1 (b/1)']);
  });

  test('a unit never installed goes without any hook', () => {
    const model = new PlannerModel();
    model.application('a', 1);
    model.store.transact((transaction) => {
      destroyApplication(transaction, 'a');
    });
    expect(model.plan('a/0').kind).toBe('bury');
    expect(model.settle('a/0')).toEqual([]);
    expect(model.store.get('application', 'a')).toBeUndefined();
  });

  test('whatever the order of work, each joined is followed by its changed, and all ends are clean', () => {
    const step = constantFrom<Disturbance>('write', 'relate', 'unrelate', 'destroy', 'work');
    assert(
      property(array(step, { maxLength: 30 }), infiniteStream(nat(50)), (steps, picks) => {
        const model = new PlannerModel();
        const events = new Map<string, string[]>();
        const pick = () => Number(picks.next().value);
        disturb(model, { steps, pick, events });
        for (const [unit, done] of Object.entries(model.settleAll(pick))) {
          events.set(unit, [...(events.get(unit) ?? []), ...done]);
        }

        expect([...events.values()].flatMap(joinsWithoutChange)).toEqual([]);

        model.store.transact((transaction) => {
          destroyApplication(transaction, 'a');
          destroyApplication(transaction, 'b');
        });
        model.settleAll(pick);
        expect(model.store.all('unit')).toEqual([]);
        expect(model.store.all('relation')).toEqual([]);
        expect(model.store.all('bag')).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });
});

type Disturbance = 'write' | 'relate' | 'unrelate' | 'destroy' | 'work';

/** Two applications, related and unrelated again, while their units work in any order. */
function disturb(
  model: PlannerModel,
  {
    steps,
    pick,
    events,
  }: {
    readonly steps: readonly Disturbance[];
    readonly pick: () => number;
    readonly events: Map<string, string[]>;
  },
): void {
  model.application('a', 2);
  model.application('b', 2);
  model.peers(0, 'a');
  let relation = 1;
  model.relate(relation, 'a', 'b');
  const isRelated = () => model.store.get('relation', String(relation)) !== undefined;
  const disturbances: Readonly<Record<Disturbance, () => void>> = {
    write: () => {
      if (model.store.get('bag', `${relation}/b/0`) !== undefined) {
        model.write(relation, 'b/0', String(pick()));
      }
    },
    relate: () => {
      if (!isRelated()) {
        relation += 1;
        model.relate(relation, 'a', 'b');
      }
    },
    unrelate: () => {
      if (isRelated()) {
        model.store.transact((transaction) => {
          destroyRelation(transaction, relation);
        });
      }
    },
    destroy: () => {
      if (model.store.get('unit', 'b/1') !== undefined) {
        model.store.transact((transaction) => {
          destroyUnit(transaction, 'b/1');
        });
      }
    },
    work: () => undefined,
  };
  for (const step of steps) {
    disturbances[step]();
    for (let turn = 0; turn < 6; turn += 1) {
      workOnce(model, pick(), events);
    }
  }
}

function workOnce(model: PlannerModel, pick: number, events: Map<string, string[]>): void {
  const units = model.store.all('unit').map(({ name }) => name);
  const unit = units[pick % Math.max(1, units.length)];
  const done = unit === undefined ? undefined : model.step(unit);
  if (unit !== undefined && done !== undefined) {
    events.set(unit, [...(events.get(unit) ?? []), done]);
  }
}

/** Joined events whose next event of the relation is neither their changed nor the end. */
function joinsWithoutChange(events: readonly string[]): readonly string[] {
  return events.filter((event, index) => {
    const [, endpoint, remote] = /^(\w+)-relation-joined (\S+)/.exec(event) ?? [];
    const next = events
      .slice(index + 1)
      .find((later) => later.startsWith(`${endpoint ?? ''}-relation-`));
    return (
      remote !== undefined &&
      next !== undefined &&
      next !== `${endpoint ?? ''}-relation-changed ${remote}` &&
      !next.includes('-departed ')
    );
  });
}
