import { describe, expect, test } from '@jest/globals';
import { lockOf, MachineLocks } from '../../../lib/sandbox/agent/machine-locks.ts';
import type { TaskDocument } from '../../../lib/sandbox/model/documents.ts';
import { PlannerModel } from './planner-model.ts';

const never = new AbortController().signal;

describe('locks of machines', () => {
  test('are held by one at a time, in the order asked for', async () => {
    const locks = new MachineLocks();
    const order: string[] = [];
    const first = await locks.acquire('m', never);
    const hold = async (name: string) => {
      const release = await locks.acquire('m', never);
      order.push(name);
      release?.();
    };
    const others = [hold('second'), hold('third')];
    const elsewhere = await locks.acquire('other', never);
    elsewhere?.();
    expect(order).toEqual([]);
    first?.();
    await Promise.all(others);
    expect(order).toEqual(['second', 'third']);
  });

  test('who gives up is passed over', async () => {
    const locks = new MachineLocks();
    const leaving = new AbortController();
    const first = await locks.acquire('m', never);
    const second = locks.acquire('m', leaving.signal);
    const third = locks.acquire('m', never);
    leaving.abort();
    expect(await second).toBeUndefined();
    first?.();
    expect(await third).toBeDefined();
  });
});

describe('the lock an operation needs', () => {
  const model = new PlannerModel();
  model.application('a', 1);
  const lockOfTask = (changes: Partial<TaskDocument>) => {
    model.store.transact((transaction) => {
      transaction.put('task', '2', {
        id: '2',
        operation: '1',
        unit: 'a/0',
        action: 'act',
        parameters: {},
        status: 'pending',
        results: {},
        log: [],
        enqueued: '2026-01-01T00:00:00.000Z',
        ...changes,
      });
    });
    return lockOf(model.store, 'a/0', { kind: 'task', task: '2' });
  };

  test('is that of the machine for hooks, commands and ordinary actions', () => {
    const hook = { kind: 'lifecycle', name: 'start' } as const;
    expect(lockOf(model.store, 'a/0', { kind: 'hook', hook })).toBe('machine-lock 0');
    expect(lockOf(model.store, 'a/0', { kind: 'commands' })).toBe('machine-lock 0');
    expect(lockOfTask({})).toBe('machine-lock 0');
  });

  test('is none for parallel actions, and that of their group for grouped ones', () => {
    expect(lockOfTask({ parallel: true })).toBeUndefined();
    expect(lockOfTask({ parallel: true, executionGroup: 'disk' })).toBe('machine-lock-disk 0');
    expect(lockOfTask({ executionGroup: 'disk' })).toBe('machine-lock-disk 0');
  });

  test('is none for leadership', () => {
    expect(lockOf(model.store, 'a/0', { kind: 'accept-leadership' })).toBeUndefined();
  });
});
