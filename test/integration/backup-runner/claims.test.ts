import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { Stage } from './stage.ts';

// Each starts a handful of processes, which a busy machine may take its time for.
jest.setTimeout(180_000);

describe('a claim', () => {
  let stage: Stage;

  beforeEach(async () => {
    stage = await Stage.create();
    await stage.want('backup', 'b1');
  });

  afterEach(async () => {
    await stage[Symbol.asyncDispose]();
  });

  test('that a failed hook did not commit is confirmed by the hook the worker asks for', async () => {
    await stage.hook({ fails: true });
    expect(await stage.ended('b1')).toMatchObject({ state: 'success' });
    expect(stage.runs()).toBe(1);
  });

  test('that nobody confirms makes the worker leave without having touched anything', async () => {
    await stage.unreachable(true);
    await stage.hook({ fails: true });
    await stage.quiet();
    expect(stage.runs()).toBe(0);
    expect(await stage.store.list('')[Symbol.asyncIterator]().next()).toMatchObject({ done: true });

    await stage.unreachable(false);
    await stage.hook();
    expect(await stage.ended('b1')).toMatchObject({ state: 'success' });
    expect(stage.runs()).toBe(1);
  });

  test('whose workers are never confirmed ends with the reason', async () => {
    await stage.unreachable(true);
    for (let attempt = 0; attempt < 5; attempt += 1) {
      await stage.hook({ fails: true });
      await stage.quiet();
    }
    await stage.hook();
    expect(stage.job('b1')).toMatchObject({ state: 'error', errorCode: 'not-confirmed' });
    expect(stage.job('b1')?.message).toContain('connection refused');
    expect(stage.runs()).toBe(0);
  });

  test('whose worker is killed before it began is given to another', async () => {
    await stage.unreachable(true);
    await stage.hook();
    const workers = await stage.processes();
    for (const pid of workers) {
      await stage.kill(pid);
    }
    await stage.unreachable(false);
    await stage.hook();
    expect(await stage.ended('b1')).toMatchObject({ state: 'success' });
    expect(stage.runs()).toBe(1);
  });

  test('is made once by hooks that race', async () => {
    await Promise.all(Array.from({ length: 4 }, async () => await stage.hook({ alone: false })));
    expect(await stage.ended('b1')).toMatchObject({ state: 'success' });
    await stage.quiet();
    expect(stage.runs()).toBe(1);
    expect(await stage.completeArtefacts()).toHaveLength(1);
  });

  test('is not made again when the hook runs again while the worker works', async () => {
    await stage.hold('backup-entry');
    await stage.hook();
    const pid = await stage.reached('backup-entry');
    await stage.hook({ fails: true });
    await stage.hook();
    expect(stage.job('b1')).toMatchObject({ state: 'running', phase: 'running' });
    await stage.release('backup-entry');
    await stage.ended('b1');
    expect(stage.runs()).toBe(1);
    expect(pid).toBeGreaterThan(0);
  });
});
