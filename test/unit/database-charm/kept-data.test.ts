/** Data that restores have replaced: asked to be kept, told of while they are here, dropped in time. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { HintError } from '#system';
import { aJob, Stage } from './fakes.ts';

const UNTIL = '2026-11-22T10:00:00.000Z';

describe('what a restore replaces', () => {
  let stage: Stage;

  beforeEach(async () => {
    stage = new Stage();
    await stage.run((on) => on.install());
  });

  test('is asked to be kept as long as the configuration says; backups replace nothing', async () => {
    await stage.ask(1, [
      aJob({ jobId: 'b' }),
      aJob({ jobId: 'r', jobType: 'restore', artefactPath: 'p/' }),
    ]);

    expect(stage.runner.specs.get('r')).toMatchObject({ keepHours: 24 });
    expect(stage.runner.specs.get('b')).not.toHaveProperty('keepHours');
  });

  test('is told of only while it is here', async () => {
    await stage.ask(1, [aJob({ jobId: 'r', jobType: 'restore', artefactPath: 'p/' })]);
    await stage.progress();
    stage.runner.end('r', { state: 'success', undoableUntil: UNTIL });

    stage.database.kept = ['r'];
    await stage.progress();
    expect(stage.statuses(1)).toMatchObject([{ status: 'success', undoableUntil: UNTIL }]);

    stage.database.kept = [];
    await stage.run((on) => on.updateStatus());
    expect(stage.statuses(1)).toMatchObject([{ status: 'success' }]);
    expect(stage.statuses(1)[0]?.undoableUntil).toBeUndefined();
  });

  test('is told of also when the restore ends in the middle of a reconcile', async () => {
    await stage.ask(1, [aJob({ jobId: 'r', jobType: 'restore', artefactPath: 'p/' })]);
    await stage.progress();
    // As its worker does it: first the data are set aside, then the end is noted.
    stage.runner.meanwhile = () => {
      stage.database.kept = ['r'];
      stage.runner.end('r', { state: 'success', undoableUntil: UNTIL });
    };

    await stage.progress();

    expect(stage.statuses(1)).toMatchObject([{ status: 'success', undoableUntil: UNTIL }]);
  });

  test('goes when its time is over: every reconcile looks', async () => {
    const before = stage.database.pruned.length;

    await stage.run((on) => on.updateStatus());

    expect(stage.database.pruned.slice(before)).toEqual([24]);
  });

  test('stops no job when it cannot be looked after', async () => {
    stage.database.keptFailure = new HintError('the record is damaged', { code: 'damaged-record' });

    await stage.ask(1, [aJob()]);
    await stage.progress();

    expect(stage.runner.started).toEqual(['job-1']);
    expect(stage.status).toMatch(/^active/);
  });
});
