import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { Stage } from './stage.ts';

// Each starts a handful of processes, which a busy machine may take its time for.
jest.setTimeout(180_000);

const NEW_KEY = 'canary-rotated-secret-5d2e';

describe('keys that change while a job runs', () => {
  let stage: Stage;

  beforeEach(async () => {
    stage = await Stage.create();
    await stage.hold('backup-entry');
    await stage.want('backup', 'b1');
    await stage.hook();
    await stage.reached('backup-entry');
    await stage.rotateKey(NEW_KEY);
  });

  afterEach(async () => {
    await stage[Symbol.asyncDispose]();
  });

  test('are taken from the newest request, and the job goes on', async () => {
    await stage.release('backup-entry');
    await stage.requestWithKey('b1', NEW_KEY);
    expect(await stage.ended('b1')).toMatchObject({ state: 'success' });
    await stage.quiet();
    const files = (await stage.stateFiles()).filter((name) => /\.(json|jsonl|log)$/.test(name));
    const said = await Promise.all(files.map(async (name) => await readFile(name, 'utf8')));
    expect(said.join('\n')).toContain('asking the charm for newer ones');
    expect(said.join('\n')).not.toContain(NEW_KEY);
    expect(await stage.stateFiles()).not.toContainEqual(expect.stringContaining('keys.sock'));
  });

  test('and do not come are waited for as long as the stall deadline allows', async () => {
    await stage.limit('b1', { stallSeconds: 1 });
    await stage.release('backup-entry');
    stage.aheadMs = 120_000;
    await stage.hook();
    expect(await stage.ended('b1')).toMatchObject({ state: 'error', errorCode: 'stalled' });
  });
});
