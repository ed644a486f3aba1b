import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { waitForPermission } from '../../../lib/backup-runner/confirmation.ts';
import { factsOf, recordOf } from '../../../lib/backup-runner/job-facts.ts';
import { type Claim, jobDirectoryName } from '../../../lib/backup-runner/job-files.ts';
import type { JobLog } from '../../../lib/backup-runner/job-log.ts';
import type { JobRecord } from '../../../lib/backup-runner/job-spec.ts';
import { Journal } from '../../../lib/backup-runner/journal.ts';
import type { JobFacts } from '../../../lib/backup-runner/plan-jobs.ts';

async function unreachable(): Promise<void> {
  throw new Error('no juju-exec');
}

const NOW = '2026-11-21T10:00:00.000Z';
const identity = { pid: 42, startTicks: '7', bootId: 'boot' };

function aClaim(jobId: string, change: Partial<Claim> = {}): Claim {
  return {
    jobId,
    jobType: 'backup',
    compression: true,
    artefactPath: 'a/b/',
    claimedAt: NOW,
    sequence: 1,
    ...change,
  };
}

describe('the journal', () => {
  let directory: string;
  let journal: Journal;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'journal-'));
    journal = new Journal(directory);
    await journal.prepare();
  });

  afterEach(async () => {
    await rm(directory, { recursive: true, force: true });
  });

  async function look(isAlive: boolean): Promise<{ facts: JobFacts; record: JobRecord }> {
    const [entry] = (await journal.read()).entries;
    if (entry === undefined) {
      throw new Error('the journal is empty');
    }
    const facts = factsOf(entry, () => isAlive);
    return { facts, record: recordOf(entry, facts, undefined) };
  }

  test('lets a job be claimed once', async () => {
    expect(await journal.files('j').createClaim(aClaim('j'))).toBe(true);
    expect(await journal.files('j').createClaim(aClaim('j', { sequence: 9 }))).toBe(false);
    expect((await journal.read()).entries.map(({ claim }) => claim.sequence)).toEqual([1]);
  });

  test('gives different ids different directories, also where UTF-8 cannot tell them apart', () => {
    const ids = ['a', 'A', '', '..', 'a/b', '\ud800', '\ud801', '\ufffd'];
    const names = ids.map(jobDirectoryName);
    expect(new Set(names).size).toBe(ids.length);
    expect(names.every((name) => /^[0-9a-f]{40}$/.test(name))).toBe(true);
  });

  test('tells a job from its claim to its result', async () => {
    const files = journal.files('j');
    await files.createClaim(aClaim('j'));
    expect(await look(true)).toMatchObject({
      facts: { stage: 'waiting', waitingWorkers: [], attempts: 0 },
      record: { state: 'claimed', phase: 'starting' },
    });
    await files.register('worker', { token: 't', startedAt: NOW, identity });
    await files.confirm('t');
    expect((await look(true)).facts).toMatchObject({ waitingWorkers: ['t'], confirmedWorker: 't' });
    expect((await look(false)).facts).toMatchObject({ waitingWorkers: [], attempts: 1 });

    expect(await files.createGate({ by: 'worker', token: 't', identity, startedAt: NOW })).toBe(
      true,
    );
    await files.writeProgress({
      phase: 'running',
      bytes: 5,
      total: 10,
      percent: 50,
      heartbeatAt: NOW,
      progressedAt: NOW,
    });
    expect(await look(true)).toMatchObject({
      facts: { stage: 'started', workerLives: true },
      record: { state: 'running', phase: 'running', progress: { bytes: 5, percent: 50 } },
    });
    expect((await look(true)).record.artefactPath).toBeUndefined();
    await files.noteStop({ at: NOW, reason: 'cancelled' });
    expect((await look(true)).record.phase).toBe('cancelling');

    const outcome = { status: 'success', artefactPath: 'a/b/', size: 10 } as const;
    const result = { claim: aClaim('j'), outcome, startedAt: NOW, finishedAt: NOW };
    expect(await files.createResult(result)).toBe(true);
    expect(await files.createResult(result)).toBe(false);
    expect(await look(false)).toMatchObject({
      facts: { stage: 'finished' },
      record: { state: 'success', size: 10, artefactPath: 'a/b/', finishedAt: NOW },
    });
  });

  test('decides the fate of a job once: the worker or the runner, never both', async () => {
    const files = journal.files('j');
    await files.createClaim(aClaim('j'));
    const gates = await Promise.all([
      files.createGate({ by: 'worker', token: 't', identity, startedAt: NOW }),
      files.createGate({ by: 'runner', failure: { code: 'cancelled', message: 'no' }, at: NOW }),
      files.createGate({ by: 'worker', token: 'u', identity, startedAt: NOW }),
    ]);
    expect(gates.filter(Boolean)).toHaveLength(1);
  });

  test('answers for a job whose gate was shut before its result was written', async () => {
    const files = journal.files('j');
    await files.createClaim(aClaim('j'));
    await files.createGate({
      by: 'runner',
      failure: { code: 'cancelled', message: 'no' },
      at: NOW,
    });
    expect(await look(false)).toMatchObject({
      facts: { stage: 'closed' },
      record: { state: 'error', errorCode: 'cancelled', message: 'no' },
    });
  });

  test('shows a dead restore as recovering', async () => {
    const files = journal.files('j');
    await files.createClaim(aClaim('j', { jobType: 'restore' }));
    await files.createGate({ by: 'worker', token: 't', identity, startedAt: NOW });
    expect((await look(false)).record).toMatchObject({ state: 'running', phase: 'recovering' });
  });

  test('goes on when a record is damaged, and says which', async () => {
    await journal.files('good').createClaim(aClaim('good'));
    await journal.files('bad').createClaim(aClaim('bad'));
    await writeFile(join(journal.files('bad').directory, 'claim.json'), '{"jobId"');
    const { entries, problems } = await journal.read();
    expect(entries.map(({ claim }) => claim.jobId)).toEqual(['good']);
    expect(problems).toEqual([expect.stringContaining(jobDirectoryName('bad'))]);
  });

  test('remembers of a forgotten job that its id is used up', async () => {
    await journal.files('j').createClaim(aClaim('j'));
    for (const entry of (await journal.read()).entries) {
      await journal.forget(entry);
    }
    expect((await journal.read()).entries).toEqual([]);
    expect(await journal.isForgotten('j')).toBe(true);
    expect(await journal.isForgotten('k')).toBe(false);
    expect(await readdir(join(directory, 'jobs'))).toEqual([]);
  });

  describe('a worker that waits for permission', () => {
    const log: JobLog = {
      info: () => undefined,
      warning: () => undefined,
      error: () => undefined,
      close: () => undefined,
    };

    async function ask(
      fire: (round: number) => Promise<void>,
      signal = new AbortController().signal,
    ): Promise<string | undefined> {
      let round = 0;
      return await waitForPermission({
        files: journal.files('j'),
        token: 'mine',
        fire: async () => {
          round += 1;
          await fire(round);
        },
        clock: { now: () => new Date(NOW), sleep: async () => undefined },
        log,
        signal,
        delaysMs: [1000, 1000],
      });
    }

    beforeEach(async () => {
      await journal.files('j').createClaim(aClaim('j'));
    });

    test('goes on once its own token is confirmed, also by a second hook', async () => {
      const answer = await ask(async (round) => {
        await journal.files('j').confirm(round === 1 ? 'another' : 'mine');
      });
      expect(answer).toBeUndefined();
    });

    test('does not take the permission of another worker for its own', async () => {
      expect(await ask(async () => await journal.files('j').confirm('another'))).toContain(
        'not confirmed',
      );
    });

    test('leaves when the job was decided, when asked to stop, or when nobody answers', async () => {
      const gate = { by: 'runner', failure: { code: 'x', message: 'x' }, at: NOW } as const;
      expect(await ask(unreachable)).toContain('no juju-exec');
      expect(await ask(unreachable, AbortSignal.abort())).toContain('asked to stop');
      await journal.files('j').createGate(gate);
      expect(await ask(unreachable)).toContain('decided');
    });
  });
});
