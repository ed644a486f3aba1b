import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { Stage } from './stage.ts';

// Each starts a handful of processes, which a busy machine may take its time for.
jest.setTimeout(180_000);

const OLD = { one: 'first', two: 'second' };
const CHANGED = { one: 'changed' };

describe('a worker killed without warning', () => {
  let stage: Stage;

  beforeEach(async () => {
    stage = await Stage.create();
  });

  afterEach(async () => {
    await stage[Symbol.asyncDispose]();
  });

  async function killAt(point: string): Promise<void> {
    await stage.hold(point);
    await stage.hook();
    await stage.kill(await stage.reached(point));
    await stage.release(point);
  }

  async function backUpAndChange(): Promise<string> {
    await stage.want('backup', 'b0');
    await stage.hook();
    const { artefactPath = '' } = await stage.ended('b0');
    await stage.quiet();
    await stage.setLive(CHANGED);
    return artefactPath;
  }

  test.each(['backup-begins', 'backup-entry'])(
    'at %s loses its backup: published by itself, no artefact, never run again',
    async (point) => {
      await stage.want('backup', 'b1');
      await killAt(point);
      expect(await stage.ended('b1')).toMatchObject({ state: 'error', errorCode: 'lost' });
      expect(stage.job('b1')?.hint).toContain('new backup');
      await stage.hook();
      await stage.quiet();
      expect(await stage.completeArtefacts()).toEqual([]);
      expect(stage.runs()).toBe(1);

      await stage.want('backup', 'b2');
      await stage.hook();
      expect(await stage.ended('b2')).toMatchObject({ state: 'success' });
    },
  );

  test.each([
    ['restore-prepared', CHANGED, 'error'],
    ['restore-staged', CHANGED, 'error'],
    ['swap-begins', CHANGED, 'error'],
    ['swap-old-aside', CHANGED, 'error'],
    ['swap-new-in-place', CHANGED, 'error'],
    ['restore-confirmed', OLD, 'success'],
  ] as const)('at %s leaves a database that serves', async (point, data, state) => {
    const artefactPath = await backUpAndChange();
    await stage.want('restore', 'r1', artefactPath);
    await killAt(point);
    const job = await stage.ended('r1');
    expect(job).toMatchObject({ state, ...(state === 'error' ? { errorCode: 'lost' } : {}) });
    expect(job.message).toMatch(state === 'error' ? /before the restore are in place/ : /serve/);
    expect(await stage.live()).toEqual(data);
    expect(stage.isServing()).toBe(true);

    await stage.want('restore', 'r2', artefactPath);
    await stage.hook();
    expect(await stage.ended('r2')).toMatchObject({ state: 'success' });
    expect(await stage.live()).toEqual(OLD);
  });

  test('in its recovery is followed by another recovery', async () => {
    const artefactPath = await backUpAndChange();
    await stage.want('restore', 'r1', artefactPath);
    await stage.hold('recovery');
    await killAt('swap-old-aside');
    await stage.kill(await stage.reached('recovery'));
    await stage.hook();
    expect(stage.job('r1')).toMatchObject({ state: 'running', phase: 'recovering' });
    await stage.release('recovery');
    stage.aheadMs = 31_000;
    await stage.hook();
    expect(await stage.ended('r1')).toMatchObject({ state: 'error', errorCode: 'lost' });
    expect(await stage.live()).toEqual(CHANGED);
    expect(stage.isServing()).toBe(true);
  });

  test('frees its lock: the next in the queue starts by itself', async () => {
    await stage.want('backup', 'b1');
    await stage.want('restore', 'r1', 'nowhere');
    await killAt('backup-entry');
    expect(await stage.ended('b1')).toMatchObject({ errorCode: 'lost' });
    expect(await stage.ended('r1')).toMatchObject({ errorCode: 'not-found' });
  });
});

describe('a restore that fails', () => {
  let stage: Stage;

  beforeEach(async () => {
    stage = await Stage.create();
  });

  afterEach(async () => {
    await stage[Symbol.asyncDispose]();
  });

  async function poisonedBackup(): Promise<string> {
    await stage.setLive({ poison: 'x' });
    await stage.want('backup', 'b0');
    await stage.hook();
    const { artefactPath = '' } = await stage.ended('b0');
    await stage.quiet();
    await stage.setLive(CHANGED);
    return artefactPath;
  }

  test('in the middle of the swap is undone by a recovery, and says why it failed', async () => {
    await stage.want('restore', 'r1', await poisonedBackup());
    await stage.hook();
    expect(await stage.ended('r1')).toMatchObject({
      state: 'error',
      errorCode: 'fixture-broken',
      message: expect.stringMatching(/cannot start.*before the restore are in place/),
    });
    expect(await stage.live()).toEqual(CHANGED);
    expect(stage.isServing()).toBe(true);
  });

  test('and cannot be undone at first is recovered by a later hook', async () => {
    await stage.want('restore', 'r1', await poisonedBackup());
    await stage.recoveryFails(true);
    await stage.hook();
    const job = await stage.ended('r1');
    expect(job).toMatchObject({ state: 'error', errorCode: 'recovery-failed' });
    expect(job.message).toContain('cannot start the database');
    await stage.recoveryFails(false);
    stage.aheadMs = 61_000;
    await stage.hook();
    await stage.quiet();
    await stage.hook();
    expect(stage.job('r1')?.message).toContain('later: the data from before the restore');
    expect(await stage.live()).toEqual(CHANGED);
    expect(stage.isServing()).toBe(true);
  });
});
