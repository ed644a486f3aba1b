import { readFile, stat } from 'node:fs/promises';
import os from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { Stage } from './stage.ts';

// Each starts a handful of processes, which a busy machine may take its time for.
jest.setTimeout(180_000);

describe('jobs run by workers beside the charm', () => {
  let stage: Stage;

  beforeEach(async () => {
    stage = await Stage.create();
  });

  afterEach(async () => {
    await stage[Symbol.asyncDispose]();
  });

  async function aBackup(jobId: string): Promise<string> {
    await stage.want('backup', jobId);
    await stage.hook();
    const { artefactPath = '' } = await stage.ended(jobId);
    await stage.quiet();
    return artefactPath;
  }

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

  test('a backup yields to the database, a restore does not', async () => {
    const artefactPath = await aBackup('b1');
    const priorityAt = async (point: string, type: 'backup' | 'restore', jobId: string) => {
      await stage.hold(point);
      await stage.want(type, jobId, ...(type === 'restore' ? [artefactPath] : []));
      await stage.hook();
      const priority = os.getPriority(await stage.reached(point));
      await stage.release(point);
      await stage.ended(jobId);
      await stage.quiet();
      return priority;
    };
    expect(await priorityAt('backup-entry', 'backup', 'b2')).toBe(os.getPriority() + 10);
    expect(await priorityAt('restore-prepared', 'restore', 'r1')).toBe(os.getPriority());
  });

  test('a backup leaves its log beside its manifest, and files only their owner can read', async () => {
    const artefactPath = await aBackup('b1');
    const log = Buffer.from(await stage.store.get(`${artefactPath}log.jsonl`)).toString();
    const messages = log
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { message: string }).message);
    expect(messages).toContain('backup begins');
    for (const path of await stage.stateFiles()) {
      expect([path, (await stat(path)).mode & 0o077]).toEqual([path, 0]);
    }
  });

  test('a running job tells its phase and progress, and a queued one what it waits for', async () => {
    await stage.hold('backup-entry');
    await stage.want('backup', 'b1');
    await stage.hook();
    await stage.reached('backup-entry');
    await stage.want('restore', 'r1', 'nowhere');
    await stage.want('backup', 'b2');
    await stage.hook();
    expect(stage.job('r1')).toMatchObject({ state: 'queued', phase: 'queued', waitsFor: ['b1'] });
    expect(stage.job('b2')).toMatchObject({ state: 'queued', waitsFor: ['b1', 'r1'] });
    await stage.release('backup-entry');
    expect(await stage.ended('b1')).toMatchObject({ state: 'success' });
    expect(await stage.ended('r1')).toMatchObject({ state: 'error', errorCode: 'not-found' });
    expect(await stage.ended('b2')).toMatchObject({ state: 'success' });
  });

  test('backups run together up to the limit', async () => {
    await stage.hold('backup-begins');
    for (const jobId of ['b1', 'b2', 'b3']) {
      await stage.want('backup', jobId);
    }
    await stage.hook();
    await stage.published('b1', 'running');
    await stage.published('b2', 'running');
    await stage.hook();
    expect(stage.job('b3')).toMatchObject({ state: 'queued', waitsFor: ['b1', 'b2'] });
    await stage.release('backup-begins');
    expect(await stage.ended('b3')).toMatchObject({ state: 'success' });
    expect(stage.runs()).toBe(3);
  });

  test('job ids are foreign strings: none becomes a path, a shell word or another job', async () => {
    const hostile = [
      '../../escape',
      "'; touch pwned; '",
      '$(touch pwned)',
      '',
      'a\nb',
      '\ud800',
      '\ud801',
    ];
    stage.maxConcurrentBackups = 9;
    for (const jobId of hostile) {
      await stage.want('backup', jobId);
    }
    await stage.hook();
    for (const jobId of hostile) {
      expect(await stage.ended(jobId)).toMatchObject({ state: 'success' });
    }
    expect(await stage.completeArtefacts()).toHaveLength(hostile.length);
    const names = (await stage.stateFiles()).map((path) => path.slice(stage.stateDirectory.length));
    expect(names.filter((name) => !/^[\w./-]*$/.test(name))).toEqual([]);
  });

  test('a worker lives in an environment of its own: the tools, the unit and the proxies', async () => {
    await stage.hold('backup-begins');
    await stage.want('backup', 'b1');
    await stage.hook();
    const pid = await stage.reached('backup-begins');
    const environment = (await readFile(`/proc/${pid}/environ`, 'utf8')).split('\0');
    expect(environment).toContain('http_proxy=http://proxy:3128');
    expect(environment).toContain('JUJU_UNIT_NAME=db/0');
    expect(environment.filter((line) => /^(JUJU_CONTEXT_ID|UNRELATED|HOME)=/.test(line))).toEqual(
      [],
    );
    const session = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]?.split(' ')[3];
    expect(Number(session)).toBe(pid);
    await stage.release('backup-begins');
    await stage.ended('b1');
  });

  test('a running job survives an upgrade that replaces the code of its worker', async () => {
    await stage.hold('backup-begins');
    await stage.want('backup', 'b1');
    await stage.hook();
    await stage.reached('backup-begins');
    await stage.overwrite(stage.path('worker.mjs'), 'throw new Error("another version");');
    await stage.hook();
    await stage.release('backup-begins');
    expect(await stage.ended('b1')).toMatchObject({ state: 'success' });
  });

  test('a record is forgotten on demand, its id never', async () => {
    await aBackup('b1');
    await stage.withdraw('b1');
    await stage.forget('b1');
    await stage.setLedger([]);
    await stage.hook();
    expect(stage.job('b1')).toBeUndefined();
    await stage.keep();
    await stage.want('backup', 'b1');
    await stage.hook();
    expect(stage.job('b1')).toMatchObject({ state: 'error', errorCode: 'already-run' });
    expect(stage.runs()).toBe(1);
  });

  test('a running job is not forgotten', async () => {
    await stage.hold('backup-begins');
    await stage.want('backup', 'b1');
    await stage.hook();
    await stage.reached('backup-begins');
    await stage.forget('b1');
    await stage.hook();
    expect(stage.job('b1')).toMatchObject({ state: 'running' });
    await stage.keep();
    await stage.release('backup-begins');
    expect(await stage.ended('b1')).toMatchObject({ state: 'success' });
  });

  test('a damaged record stops its own job only', async () => {
    await aBackup('b1');
    const damaged = (await stage.stateFiles()).filter((path) => path.endsWith('result.json'));
    for (const path of damaged) {
      await stage.overwrite(path, '{"half');
    }
    await stage.want('backup', 'b2');
    await stage.hook();
    expect(await stage.ended('b2')).toMatchObject({ state: 'success' });
    expect(stage.runs()).toBe(2);
  });

  test('what a replaced unit had claimed is lost and not run', async () => {
    await stage.setLedger(['r1']);
    await stage.want('restore', 'r1', join('test', 'db'));
    await stage.hook();
    expect(stage.job('r1')).toMatchObject({ state: 'error', errorCode: 'lost' });
    await stage.quiet();
    expect(stage.runs()).toBe(0);
  });
});
