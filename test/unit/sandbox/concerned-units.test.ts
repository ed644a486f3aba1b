import { describe, expect, test } from '@jest/globals';
import { concernedUnits } from '../../../lib/sandbox/daemon/concerned-units.ts';
import { destroyRelation, destroyUnit } from '../../../lib/sandbox/model/removal.ts';
import { array, assert, constantFrom, integer, property, tuple } from '../../helpers/fast-check.ts';
import { PlannerModel } from './planner-model.ts';

const UNITS = ['a/0', 'a/1', 'a/2', 'b/0', 'b/1'];

function aModel(): PlannerModel {
  const model = new PlannerModel();
  model.application('a', 3);
  model.application('b', 2);
  model.peers(0, 'a');
  model.relate(1, 'a', 'b');
  return model;
}

const CHANGES: readonly ((model: PlannerModel, unit: string, application: string) => void)[] = [
  (model, unit) => model.write(1, unit, String(Math.random())),
  (model, _unit, application) => model.write(1, application, String(Math.random())),
  ({ store }, _unit, application) =>
    store.transact((transaction) => {
      const { configVersion } = transaction.require('application', application);
      transaction.patch('application', application, { configVersion: configVersion + 1 });
    }),
  ({ store }, unit, application) =>
    store.transact((transaction) => {
      transaction.patch('application', application, { leader: unit });
    }),
  ({ store }, unit) =>
    store.transact((transaction) => {
      destroyUnit(transaction, unit);
    }),
  ({ store }) =>
    store.transact((transaction) => {
      if (transaction.get('relation', '1')?.life === 'alive') {
        destroyRelation(transaction, 1);
      }
    }),
];

/** Something happens to a unit that still is; mostly it does its next step. */
function happen(model: PlannerModel, what: number, unit: string): void {
  const application = model.store.get('unit', unit)?.application;
  if (application !== undefined) {
    const change = CHANGES[what] ?? (() => model.step(unit));
    change(model, unit, application);
  }
}

describe('who looks again after a commit', () => {
  test('a unit whose next step changed is always among them', () => {
    assert(
      property(
        array(tuple(integer({ min: 0, max: 40 }), constantFrom(...UNITS)), {
          minLength: 40,
          maxLength: 120,
        }),
        (steps) => {
          const model = aModel();
          const plans = () =>
            new Map(UNITS.map((unit) => [unit, JSON.stringify(model.plan(unit))]));
          let before = plans();
          model.store.onCommit((changes) => {
            const concerned = concernedUnits(model.store, changes);
            const after = plans();
            const missed = UNITS.filter(
              (unit) =>
                concerned !== 'all' && !concerned.has(unit) && before.get(unit) !== after.get(unit),
            );
            expect(missed).toEqual([]);
            before = after;
          });
          for (const [what, unit] of steps) {
            happen(model, what, unit);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  test('what a unit has seen concerns nobody else', () => {
    const model = aModel();
    const seen: (ReadonlySet<string> | 'all')[] = [];
    model.store.onCommit((changes) => seen.push(concernedUnits(model.store, changes)));
    model.store.transact((transaction) => {
      transaction.patch('unit', 'a/1', { configSeen: 1 });
    });
    expect(seen).toEqual([new Set(['a/1'])]);
  });
});
