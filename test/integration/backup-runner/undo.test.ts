/** Dry runs, restores whose replaced data are kept, undos of them, and forced ones: with real workers, killed too. */
import { writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { JobRecord } from '#backup-runner';
import { Stage } from './stage.ts';

// Each starts a handful of processes, which a busy machine may take its time for.
jest.setTimeout(180_000);

const OLD = { one: 'first', two: 'second' };
const CHANGED = { one: 'changed' };
const KEPT = { keepHours: 24 };

let stage: Stage;
let artefactPath: string;

beforeEach(async () => {
  stage = await Stage.create();
  await stage.want('backup', 'b0');
  await stage.hook();
  artefactPath = (await stage.ended('b0')).artefactPath ?? '';
  await stage.quiet();
  await stage.setLive(CHANGED);
});

afterEach(async () => await stage[Symbol.asyncDispose]());

async function restore(jobId: string, more: object = KEPT): Promise<JobRecord> {
  await stage.want('restore', jobId, artefactPath, more);
  await stage.hook();
  const ended = await stage.ended(jobId);
  await stage.quiet();
  return ended;
}

async function killAt(point: string): Promise<void> {
  await stage.hold(point);
  await stage.hook();
  await stage.kill(await stage.reached(point));
  await stage.release(point);
}

/** Marks of restores that still hold snapshots. */
async function pins(): Promise<readonly string[]> {
  return (await stage.bucketFiles()).filter((path) => path.includes('/pin'));
}

describe('a dry run', () => {
  test('proves everything, tells what would happen, and leaves live data and nothing else', async () => {
    const ended = await restore('d1', { ...KEPT, isDryRun: true });

    expect(ended).toMatchObject({ state: 'success', size: 11 });
    expect(ended.message).toMatch(
      /^dry run: 11 B could be restored; the live data were not touched/,
    );
    expect(ended.report).toMatch(/would restore: 11 B/);
    expect(ended.report).toMatch(/space: needs 11 B, 977 KiB free/);
    expect(ended.report).toMatch(/replaced data: kept for 24 h/);
    expect(ended.report).toMatch(/proved: all is well/);
    expect(ended.report).toMatch(/unavailable: for about 2.0 s at most/);
    expect(ended.undoableUntil).toBeUndefined();
    expect(await stage.live()).toEqual(CHANGED);
    expect(await stage.besideLive()).toEqual(['live.serving']);
    expect(await pins()).toEqual([]);
  });

  test('of an artefact with a part missing fails, and touches nothing', async () => {
    await stage.losePack();

    const ended = await restore('d1', { isDryRun: true });

    expect(ended).toMatchObject({ state: 'error', errorCode: 'damaged' });
    expect(await stage.live()).toEqual(CHANGED);
    expect(await stage.besideLive()).toEqual(['live.serving']);
  });

  test('stays one when the request is changed afterwards', async () => {
    await stage.want('restore', 'd1', artefactPath, { isDryRun: true });
    await stage.unreachable(true);
    await stage.hook({ fails: true });
    await stage.withdraw('d1');
    await stage.want('restore', 'd1', artefactPath);
    await stage.unreachable(false);
    await stage.hook();

    expect((await stage.ended('d1')).message).toMatch(/^dry run/);
    expect(await stage.live()).toEqual(CHANGED);
  });

  test('whose worker is killed leaves the live data', async () => {
    await stage.want('restore', 'd1', artefactPath, { isDryRun: true });
    await killAt('restore-staged');

    expect(await stage.ended('d1')).toMatchObject({ state: 'error', errorCode: 'lost' });
    expect(await stage.live()).toEqual(CHANGED);
    expect(stage.isServing()).toBe(true);
  });
});

describe('an undo', () => {
  test('brings back what the restore replaced, asks no store, and can be undone', async () => {
    const restored = await restore('r1');
    expect(restored.message).toMatch(
      /^11 B restored, served again after 1.3 s; what it replaced is kept until 2099/,
    );
    expect(restored.undoableUntil).toBe('2099-01-01T00:00:00.000Z');
    expect(await pins()).toEqual([]);
    const storageConfig = { bucket: '/nowhere', 'access-key': 'x', 'secret-key': 'y' };

    const undone = await restore('u1', { ...KEPT, undoOf: 'r1', storageConfig });
    expect(undone).toMatchObject({ state: 'success', undoableUntil: restored.undoableUntil });
    expect(undone.message).toMatch(/^the data from before r1 serve again/);
    expect(await stage.live()).toEqual(CHANGED);

    expect(await restore('u2', { ...KEPT, undoOf: 'u1' })).toMatchObject({ state: 'success' });
    expect(await stage.live()).toEqual(OLD);
    expect(await restore('u3', { ...KEPT, undoOf: 'r1' })).toMatchObject({
      state: 'error',
      errorCode: 'nothing-to-undo',
    });
    expect(await stage.live()).toEqual(OLD);
  });

  test('as a dry run proves the kept data and leaves everything', async () => {
    await restore('r1');

    const ended = await restore('d1', { undoOf: 'r1', isDryRun: true });

    expect(ended).toMatchObject({ state: 'success' });
    expect(ended.report).toMatch(/would bring back: the data from before r1/);
    expect(await stage.live()).toEqual(OLD);
    expect(await stage.besideLive()).toEqual(['live.kept-r1', 'live.serving']);
  });

  test.each([
    ['restore-staged', OLD, 'error'],
    ['swap-begins', OLD, 'error'],
    ['swap-old-aside', OLD, 'error'],
    ['swap-new-in-place', OLD, 'error'],
    ['restore-confirmed', CHANGED, 'success'],
    ['old-kept', CHANGED, 'success'],
  ] as const)(
    'killed at %s leaves data that serve, and the others kept',
    async (point, data, state) => {
      await restore('r1');
      await stage.want('restore', 'u1', artefactPath, { ...KEPT, undoOf: 'r1' });
      await killAt(point);

      const ended = await stage.ended('u1');
      await stage.quiet();

      expect(ended).toMatchObject({ state, ...(state === 'error' ? { errorCode: 'lost' } : {}) });
      expect(await stage.live()).toEqual(data);
      expect(stage.isServing()).toBe(true);
      const kept = state === 'error' ? 'r1' : 'u1';
      expect(await stage.besideLive()).toEqual([`live.kept-${kept}`, 'live.serving']);
      expect(ended.undoableUntil).toBe(state === 'error' ? undefined : '2099-01-01T00:00:00.000Z');
      expect(await restore('u2', { ...KEPT, undoOf: kept })).toMatchObject({ state: 'success' });
      expect(await stage.live()).toEqual(data === OLD ? CHANGED : OLD);
    },
  );
});

describe('a forced restore without room for two copies', () => {
  beforeEach(async () => await writeFile(stage.path('control/no-room'), ''));

  test('drops the live data once the backup has proved readable, and says so', async () => {
    const ended = await restore('f1', { ...KEPT, isForced: true });

    expect(ended).toMatchObject({ state: 'success' });
    expect(ended.message).toMatch(/what it replaced was dropped beforehand, as forced/);
    expect(await stage.live()).toEqual(OLD);
  });

  test('leaves them while the backup is damaged', async () => {
    await stage.corruptPack();

    expect(await restore('f1', { isForced: true })).toMatchObject({
      state: 'error',
      errorCode: 'damaged',
    });
    expect(await stage.live()).toEqual(CHANGED);
    expect(stage.isServing()).toBe(true);
  });

  test('as a dry run reads everything and drops nothing', async () => {
    const ended = await restore('f1', { isForced: true, isDryRun: true });

    expect(ended.report).toMatch(/LOST before the restored ones are there/);
    expect(ended.report).toMatch(/every byte of the backup was read/);
    expect(await stage.live()).toEqual(CHANGED);
  });

  test('whose worker is killed without data left says that nothing serves, and can be run anew', async () => {
    await stage.want('restore', 'f1', artefactPath, { isForced: true });
    await killAt('restore-staged');

    const ended = await stage.ended('f1');
    expect(ended).toMatchObject({ state: 'error', errorCode: 'lost' });
    expect(ended.message).toMatch(/nothing serves: the old data had been dropped beforehand/);
    await stage.quiet();
  });
});
