import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { PASSWORD, SECRET_KEY, Stage } from './stage.ts';

// Each starts a handful of processes, which a busy machine may take its time for.
jest.setTimeout(180_000);

describe('planted secrets', () => {
  let stage: Stage;

  beforeEach(async () => {
    stage = await Stage.create();
  });

  afterEach(async () => {
    await stage[Symbol.asyncDispose]();
  });

  /** Every file and process of the unit but the relation's databag that holds a secret. */
  async function leaks(): Promise<string[]> {
    const places = [...(await stage.stateFiles()), ...(await stage.bucketFiles())];
    for (const pid of await stage.processes()) {
      places.push(`/proc/${pid}/cmdline`, `/proc/${pid}/environ`);
    }
    const found: string[] = [];
    for (const place of [...places, stage.path('charm/report.json')]) {
      const text = await readFile(place, 'latin1').catch(() => '');
      if (text.includes(SECRET_KEY) || text.includes(PASSWORD) || text.includes('canary')) {
        found.push(place);
      }
    }
    return found;
  }

  test('are in no argument, environment, file, log or object while a backup runs and afterwards', async () => {
    await stage.hold('backup-entry');
    await stage.want('backup', 'b1');
    await stage.hook();
    await stage.reached('backup-entry');
    expect((await stage.processes()).length).toBeGreaterThan(0);
    expect(await leaks()).toEqual([]);
    await stage.release('backup-entry');
    await stage.ended('b1');
    await stage.quiet();
    expect(await stage.completeArtefacts()).toHaveLength(1);
    expect(await leaks()).toEqual([]);
  });

  test('are taken out of the messages of failures', async () => {
    await stage.setLive({ poison: 'x' });
    await stage.want('backup', 'b1');
    await stage.hook();
    const { artefactPath = '' } = await stage.ended('b1');
    await stage.want('restore', 'r1', artefactPath);
    await stage.hook();
    const job = await stage.ended('r1');
    expect(job.message).toContain('password [redacted] refused');
    await stage.quiet();
    expect(await leaks()).toEqual([]);
  });

  test('are taken out of what a crash leaves, which is an honest error', async () => {
    await stage.crash();
    await stage.hold('backup-begins');
    await stage.want('backup', 'b1');
    await stage.hook();
    expect(await stage.ended('b1')).toMatchObject({
      state: 'error',
      errorCode: 'internal-error',
      message: 'its worker crashed: uncaught, with the password [redacted]',
    });
    await stage.quiet();
    expect(await leaks()).toEqual([]);
  });
});
