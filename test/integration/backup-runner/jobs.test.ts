import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Stage } from './stage.ts';

describe('jobs run by workers beside the charm', () => {
  let stage: Stage;

  beforeEach(async () => {
    stage = await Stage.create();
  });

  afterEach(async () => {
    await stage[Symbol.asyncDispose]();
  });

  test('a backup and its restore, each from one hook', async () => {
    await stage.want('backup', 'b1');
    await stage.hook();
    const backup = await stage.ended('b1');
    expect(backup).toMatchObject({ state: 'success', size: 11, jobType: 'backup' });
    expect(await stage.completeArtefacts()).toEqual([backup.artefactPath]);

    await stage.setLive({ one: 'damaged' });
    await stage.want('restore', 'r1', backup.artefactPath);
    await stage.hook();
    expect(await stage.ended('r1')).toMatchObject({ state: 'success', size: 11 });
    expect(await stage.live()).toEqual({ one: 'first', two: 'second' });
    expect(stage.isServing()).toBe(true);
  });
});
