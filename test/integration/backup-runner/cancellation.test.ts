import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { Stage } from './stage.ts';

// Each starts a handful of processes, which a busy machine may take its time for.
jest.setTimeout(180_000);

const OLD = { one: 'first', two: 'second' };
const CHANGED = { one: 'changed' };

describe('a job nobody wants any more', () => {
  let stage: Stage;

  beforeEach(async () => {
    stage = await Stage.create();
  });

  afterEach(async () => {
    await stage[Symbol.asyncDispose]();
  });

  async function restoreHeldAt(point: string): Promise<void> {
    await stage.want('backup', 'b0');
    await stage.hook();
    const { artefactPath = '' } = await stage.ended('b0');
    await stage.quiet();
    await stage.setLive(CHANGED);
    await stage.hold(point);
    await stage.want('restore', 'r1', artefactPath);
    await stage.hook();
    await stage.reached(point);
    await stage.withdraw('r1');
  }

  test('is cancelled in the queue', async () => {
    await stage.hold('backup-begins');
    await stage.want('backup', 'b1');
    await stage.want('restore', 'r1', 'nowhere');
    await stage.hook();
    await stage.reached('backup-begins');
    await stage.withdraw('r1');
    await stage.hook();
    expect(stage.job('r1')).toMatchObject({ state: 'error', errorCode: 'cancelled' });
    await stage.release('backup-begins');
    expect(await stage.ended('b1')).toMatchObject({ state: 'success' });
  });

  test.each(['backup-begins', 'backup-entry'])('stops its backup at %s', async (point) => {
    await stage.hold(point);
    await stage.want('backup', 'b1');
    await stage.hook();
    await stage.reached(point);
    await stage.withdraw('b1');
    await stage.hook();
    expect(await stage.ended('b1')).toMatchObject({
      errorCode: 'cancelled',
      message: 'backup cancelled: the request was withdrawn',
    });
    await stage.quiet();
    const keys: string[] = [];
    for await (const { key } of stage.store.list('test/db/backups/')) {
      keys.push(key);
    }
    expect(keys).toEqual([]);
  });

  test('stops its backup also when the engine does not let go', async () => {
    await stage.hold('backup-disposed');
    await stage.hold('backup-entry');
    await stage.want('backup', 'b1');
    await stage.hook();
    await stage.reached('backup-entry');
    await stage.withdraw('b1');
    await stage.hook();
    await stage.reached('backup-disposed');
    expect(await stage.ended('b1')).toMatchObject({ errorCode: 'cancelled' });
    await stage.quiet();
    expect(await stage.completeArtefacts()).toEqual([]);
  });

  test('stops its restore before the data are exchanged, which stay as they were', async () => {
    await restoreHeldAt('restore-staged');
    await stage.hook();
    await stage.release('restore-staged');
    expect(await stage.ended('r1')).toMatchObject({
      errorCode: 'cancelled',
      message: expect.stringContaining('not touched'),
    });
    expect(await stage.live()).toEqual(CHANGED);
    expect(stage.isServing()).toBe(true);
  });

  test('is carried through when its restore is already exchanging the data', async () => {
    await restoreHeldAt('swap-old-aside');
    await stage.hook();
    expect(stage.job('r1')).toMatchObject({ state: 'running', phase: 'swapping' });
    await stage.release('swap-old-aside');
    expect(await stage.ended('r1')).toMatchObject({ state: 'success' });
    expect(await stage.live()).toEqual(OLD);
  });

  test('ends as cancelled while it is still asked for, and tells the end of its log', async () => {
    await stage.hold('backup-entry');
    await stage.want('backup', 'b1');
    await stage.hook();
    await stage.reached('backup-entry');
    await stage.cancel('b1');
    await stage.hook();
    const job = await stage.ended('b1');
    expect(job).toMatchObject({
      errorCode: 'cancelled',
      message: 'backup cancelled, as asked',
      logTail: expect.arrayContaining([expect.stringContaining('backup begins')]),
    });
    expect(job.logTail?.length).toBeLessThanOrEqual(20);
  });

  test('is killed when its worker hangs, and the database is brought to order', async () => {
    await restoreHeldAt('restore-staged');
    const pid = await stage.reached('restore-staged');
    process.kill(pid, 'SIGSTOP');
    await stage.hook();
    expect(await stage.ended('r1')).toMatchObject({
      errorCode: 'cancelled',
      message: expect.stringContaining('data from before the restore are in place'),
    });
    expect(await stage.live()).toEqual(CHANGED);
    expect(stage.isServing()).toBe(true);
  });

  test('is left behind when its restore does not let go, which cannot exchange data any more', async () => {
    await stage.hold('recovery');
    await restoreHeldAt('restore-prepared');
    await stage.hook();
    await stage.reached('recovery');
    await stage.release('restore-prepared');
    await stage.release('recovery');
    expect(await stage.ended('r1')).toMatchObject({ errorCode: 'cancelled' });
    expect(await stage.live()).toEqual(CHANGED);
    expect(stage.isServing()).toBe(true);
  });
});

describe('a job with a deadline', () => {
  let stage: Stage;

  beforeEach(async () => {
    stage = await Stage.create();
  });

  afterEach(async () => {
    await stage[Symbol.asyncDispose]();
  });

  async function heldWith(deadline: { runSeconds?: number; stallSeconds?: number }): Promise<void> {
    await stage.hold('backup-entry');
    await stage.want('backup', 'b1');
    await stage.limit('b1', deadline);
    await stage.hook();
  }

  test.each([
    ['run-deadline', { runSeconds: 0.5 }],
    ['stalled', { stallSeconds: 0.5 }],
  ])('ends as %s by its own worker, without any hook', async (code, deadline) => {
    await heldWith(deadline);
    expect(await stage.ended('b1')).toMatchObject({ state: 'error', errorCode: code });
    await stage.quiet();
    expect(await stage.completeArtefacts()).toEqual([]);
  });

  test('ends as start-deadline when its turn does not come', async () => {
    await heldWith({});
    await stage.reached('backup-entry');
    await stage.want('restore', 'r1', 'nowhere');
    await stage.limit('r1', { startSeconds: 30 });
    await stage.hook();
    expect(stage.job('r1')).toMatchObject({
      state: 'queued',
      queuePosition: 1,
      waitsFor: ['b1'],
    });
    stage.aheadMs = 31_000;
    await stage.hook();
    expect(stage.job('r1')).toMatchObject({ state: 'error', errorCode: 'start-deadline' });
    await stage.release('backup-entry');
    expect(await stage.ended('b1')).toMatchObject({ state: 'success' });
  });
});
