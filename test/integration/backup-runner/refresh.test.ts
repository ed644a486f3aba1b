/** The charm is refreshed while its jobs run: their records and processes go on under the new version. */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { Journal } from '../../../lib/backup-runner/journal.ts';
import { Stage } from './stage.ts';

// Each starts a handful of processes, which a busy machine may take its time for.
jest.setTimeout(180_000);

describe('a refresh of the charm', () => {
  let stage: Stage;

  beforeEach(async () => {
    stage = await Stage.create();
  });

  afterEach(async () => {
    await stage[Symbol.asyncDispose]();
  });

  test('keeps a job that runs, and the queue behind it', async () => {
    await stage.hold('backup-entry');
    await stage.want('backup', 'b1');
    await stage.want('restore', 'r1', 'nowhere');
    await stage.hook();
    const pid = await stage.reached('backup-entry');
    await stage.refresh();
    await stage.hook();
    expect(stage.job('b1')).toMatchObject({ state: 'running' });
    expect(stage.job('r1')).toMatchObject({ state: 'queued', waitsFor: ['b1'] });
    expect(await stage.processes()).toContain(pid);
    await stage.release('backup-entry');
    expect(await stage.ended('b1')).toMatchObject({ state: 'success' });
    expect(await stage.ended('r1')).toMatchObject({ state: 'error' });
    expect(stage.runs()).toBe(1);
  });

  test('understands a request to stop that an older version had noted', async () => {
    await stage.hold('backup-disposed');
    await stage.hold('backup-entry');
    await stage.want('backup', 'b1');
    await stage.hook();
    const pid = await stage.reached('backup-entry');
    const { directory } = new Journal(stage.stateDirectory).files('b1');
    await writeFile(join(directory, 'cancel.json'), '{"at":"2026-11-21T10:00:00.000Z"}');
    await rm(join(directory, 'progress.json'), { force: true });
    await stage.kill(pid);
    await stage.hook();
    expect(await stage.ended('b1')).toMatchObject({
      errorCode: 'cancelled',
      message: 'backup cancelled: the request was withdrawn',
    });
  });
});
