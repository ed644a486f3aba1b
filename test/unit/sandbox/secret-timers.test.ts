import { describe, expect, test } from '@jest/globals';
import { finishHook } from '../../../lib/sandbox/agent/finish-hook.ts';
import type { SecretDocument } from '../../../lib/sandbox/model/documents.ts';
import {
  nextRotation,
  withExpiry,
  withRotation,
} from '../../../lib/sandbox/model/secret-timers.ts';
import { withContent } from '../../../lib/sandbox/model/secrets.ts';
import { PlannerModel } from './planner-model.ts';

const START = '2026-01-01T00:00:00.000Z';

function aSecret(changes: Partial<SecretDocument> = {}): SecretDocument {
  return {
    id: 'd0000000000000000000',
    owner: { kind: 'application', name: 'a' },
    label: 'password',
    rotate: 'never',
    autoPrune: false,
    revisions: [{ revision: 1, content: { key: 'dg==' }, created: START, obsoleteTold: false }],
    latest: 1,
    grants: [],
    consumers: {},
    created: START,
    updated: START,
    ...changes,
  };
}

/** A model with a leader a/0 and a follower a/1, and one secret of the application. */
function modelWith(secret: SecretDocument): PlannerModel {
  const model = new PlannerModel();
  model.application('a', 2);
  model.settle('a/0');
  model.settle('a/1');
  put(model, secret);
  return model;
}

function put(model: PlannerModel, secret: SecretDocument): void {
  model.store.transact((transaction) => {
    transaction.put('secret', secret.id, secret);
  });
}

/** What the unit would do at a time: the name of a secret hook with its revision, or until when it waits. */
function at(model: PlannerModel, unit: string, time: string): string {
  const operation = model.plan(unit, { now: new Date(time) });
  if (operation.kind === 'hook' && operation.hook.kind === 'secret') {
    return `${operation.hook.step} ${operation.hook.revision}`;
  }
  return operation.kind === 'wait' ? (operation.until ?? 'for ever') : operation.kind;
}

function run(model: PlannerModel, unit: string, time: string): void {
  const operation = model.plan(unit, { now: new Date(time) });
  if (operation.kind !== 'hook') {
    throw new Error(`nothing to run: ${operation.kind}`);
  }
  model.store.transact((transaction) => {
    finishHook(transaction, unit, operation.hook, time);
    // Without an update-status in the way.
    transaction.patch('unit', unit, { lastHookAt: undefined });
  });
}

function quiet(model: PlannerModel): void {
  model.store.transact((transaction) => {
    transaction.patch('unit', 'a/0', { lastHookAt: undefined });
    transaction.patch('unit', 'a/1', { lastHookAt: undefined });
  });
}

describe('rotation', () => {
  test.each([
    ['hourly', '2026-01-31T01:00:00.000Z'],
    ['daily', '2026-02-01T00:00:00.000Z'],
    ['weekly', '2026-02-07T00:00:00.000Z'],
    ['monthly', '2026-03-03T00:00:00.000Z'],
    ['quarterly', '2026-05-01T00:00:00.000Z'],
    ['yearly', '2027-01-31T00:00:00.000Z'],
  ] as const)('%s', (policy, next) => {
    expect(nextRotation(policy, new Date('2026-01-31T00:00:00Z'))?.toISOString()).toBe(next);
  });

  test('is told to the leader alone, when it is due', () => {
    const model = modelWith(aSecret({ rotate: 'hourly', rotateAt: '2026-01-01T01:00:00.000Z' }));
    quiet(model);
    expect(at(model, 'a/0', '2026-01-01T00:59:59Z')).toBe('2026-01-01T01:00:00.000Z');
    expect(at(model, 'a/0', '2026-01-01T01:00:00Z')).toBe('rotate 1');
    expect(at(model, 'a/1', '2026-01-01T01:00:00Z')).toBe('for ever');
  });

  test('comes again after five minutes when there is no new revision, else at its next turn', () => {
    const model = modelWith(aSecret({ rotate: 'hourly', rotateAt: '2026-01-01T01:00:00.000Z' }));
    run(model, 'a/0', '2026-01-01T01:00:10.000Z');
    expect(at(model, 'a/0', '2026-01-01T01:01:00Z')).toBe('2026-01-01T01:05:10.000Z');
    const operation = model.plan('a/0', { now: new Date('2026-01-01T01:05:10Z') });
    put(
      model,
      withContent(
        model.store.require('secret', aSecret().id),
        { key: 'bmV3' },
        { now: '2026-01-01T01:05:11.000Z' },
      ),
    );
    expect(operation).toMatchObject({ hook: { revision: 1 } });
    model.store.transact((transaction) => {
      if (operation.kind === 'hook') {
        finishHook(transaction, 'a/0', operation.hook, '2026-01-01T01:05:12.000Z');
      }
    });
    expect(model.store.require('secret', aSecret().id).rotateAt).toBe('2026-01-01T02:05:10.000Z');
  });

  test('turns that were missed are one', () => {
    const model = modelWith(aSecret({ rotate: 'hourly', rotateAt: '2026-01-01T01:00:00.000Z' }));
    const operation = model.plan('a/0', { now: new Date('2026-01-03T12:30:00Z') });
    put(
      model,
      withContent(
        model.store.require('secret', aSecret().id),
        { key: 'bmV3' },
        { now: '2026-01-03T12:30:00.000Z' },
      ),
    );
    model.store.transact((transaction) => {
      if (operation.kind === 'hook') {
        finishHook(transaction, 'a/0', operation.hook, '2026-01-03T12:30:00.000Z');
      }
    });
    expect(model.store.require('secret', aSecret().id).rotateAt).toBe('2026-01-03T13:00:00.000Z');
  });

  test('another policy keeps the turn that is due; never forgets it', () => {
    const now = new Date(START);
    const hourly = withRotation(aSecret(), 'hourly', now);
    expect(hourly.rotateAt).toBe('2026-01-01T01:00:00.000Z');
    expect(withRotation(hourly, 'yearly', now).rotateAt).toBe('2026-01-01T01:00:00.000Z');
    expect(withRotation(hourly, 'never', now)).not.toHaveProperty('rotateAt');
  });
});

describe('expiry', () => {
  const expiring = withExpiry(aSecret(), '2026-01-01T02:00:00.000Z');

  test('is told before a rotation, and every five minutes until it is dealt with', () => {
    const model = modelWith({
      ...expiring,
      rotate: 'hourly',
      rotateAt: '2026-01-01T02:00:00.000Z',
    });
    expect(at(model, 'a/0', '2026-01-01T02:00:00Z')).toBe('expired 1');
    run(model, 'a/0', '2026-01-01T02:00:00.000Z');
    expect(at(model, 'a/0', '2026-01-01T02:00:01Z')).toBe('rotate 1');
    run(model, 'a/0', '2026-01-01T02:00:01.000Z');
    expect(at(model, 'a/0', '2026-01-01T02:00:02Z')).toBe('2026-01-01T02:05:00.000Z');
    expect(at(model, 'a/0', '2026-01-01T02:05:00Z')).toBe('expired 1');
    put(model, withExpiry(model.store.require('secret', expiring.id), '2026-02-01T00:00:00.000Z'));
    expect(at(model, 'a/0', '2026-01-01T02:05:00Z')).toBe('2026-01-01T02:05:01.000Z');
  });

  test('of an old revision is nobody’s concern', () => {
    const model = modelWith(withContent(expiring, { key: 'bmV3' }, { now: START }));
    run(model, 'a/0', '2026-01-01T02:00:00.000Z'); // secret-remove of revision 1
    expect(at(model, 'a/0', '2026-01-01T03:00:00Z')).toBe('for ever');
  });
});
