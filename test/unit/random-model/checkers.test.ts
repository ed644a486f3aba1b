/** What judges the random model test sees what it is there to see. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { identifyProcess } from '#system';
import type { Claim, Outcome } from '../../../lib/backup-runner/job-files.ts';
import { Bounds } from '../../e2e/random-model/bounds.ts';
import { Evidence, type SeenJob } from '../../e2e/random-model/evidence.ts';
import { Reference } from '../../e2e/random-model/reference.ts';

const AT = '2026-11-28T10:00:00.000Z';

function claimOf(jobId: string, jobType: Claim['jobType'] = 'backup'): Claim {
  return { jobId, jobType, compression: true, claimedAt: AT, sequence: 1 };
}

function ended(claim: Claim, outcome: Outcome, finishedAt = AT): SeenJob {
  return { unit: 'db1/0', claim, directory: '', seenAt: 0, result: { claim, outcome, finishedAt } };
}

function success(artefactPath = ''): Outcome {
  return { status: 'success', artefactPath, size: 1 };
}

const FAILURE: Outcome = { status: 'error', failure: { code: 'lost', message: 'lost' } };

describe('the evidence', () => {
  let scratch: string;
  let evidence: Evidence;

  beforeEach(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'evidence-'));
    const units = ['db1/0', 'db1/1', 'jobs'];
    evidence = new Evidence(() =>
      units.map((unit) => ({ unit, directory: join(scratch, unit.replace('/', '-')) })),
    );
  });

  afterEach(async () => {
    await rm(scratch, { recursive: true });
  });

  /** As a worker of this process leaves it. */
  async function leave(unit: string, claim: Claim, token: string): Promise<string> {
    const directory = join(scratch, unit.replace('/', '-'), claim.jobId);
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, 'claim.json'), JSON.stringify(claim));
    const gate = { by: 'worker', token, identity: identifyProcess(process.pid), startedAt: AT };
    await writeFile(join(directory, 'gate.json'), JSON.stringify(gate));
    return directory;
  }

  test('shows a job that runs again, here or on another unit, also when its first record is gone', async () => {
    const directory = await leave('db1/0', claimOf('a'), 'one');
    await leave('db1/0', claimOf('b'), 'two');
    await evidence.look();
    await evidence.look();
    expect(evidence.violations).toEqual([]);
    await leave('db1/0', claimOf('a'), 'three');
    await rm(directory.replace(/a$/, 'b'), { recursive: true });
    await leave('db1/1', claimOf('b'), 'two');
    await evidence.look();
    expect(evidence.violations).toEqual([
      'a ran on db1/0 and again on db1/0',
      'b ran on db1/0 and again on db1/1',
    ]);
  });

  test('shows a restore beside a backup on one unit, not one on another unit', async () => {
    await leave('db1/0', claimOf('a'), 'one');
    await leave('db1/1', claimOf('r', 'restore'), 'two');
    await evidence.look();
    expect(evidence.violations).toEqual([]);
    await leave('db1/1', claimOf('b'), 'three');
    await evidence.look();
    expect(evidence.violations).toEqual(['db1/1 runs together restore r and backup b']);
  });

  test('keeps the end of a job whose record is gone, and calls it open no more', async () => {
    const directory = await leave('db1/0', claimOf('a'), 'one');
    await evidence.look();
    expect(evidence.open('db1/0')).toHaveLength(1);
    const result = { claim: claimOf('a'), outcome: FAILURE, finishedAt: AT };
    await writeFile(join(directory, 'result.json'), JSON.stringify(result));
    await evidence.look();
    await rm(directory, { recursive: true });
    await evidence.look();
    expect(evidence.open('db1/0')).toEqual([]);
    expect(evidence.jobs.get('a')?.result).toMatchObject({ outcome: FAILURE });
  });

  test('calls a job open whose record is lost, and not one that was forgotten before its end was seen', async () => {
    const directory = await leave('jobs', claimOf('a'), 'one');
    await evidence.look();
    await rm(directory, { recursive: true });
    await evidence.look();
    expect(evidence.open('jobs')).toHaveLength(1);
    await mkdir(join(scratch, 'forgotten'));
    await writeFile(join(scratch, 'forgotten', 'a'), '');
    await evidence.look();
    expect(evidence.open('jobs')).toEqual([]);
    expect(evidence.jobs.get('a')).toMatchObject({ isUntold: true });
  });
});

describe('the reference', () => {
  test('knows what each server holds after restores, undos and failures, in the order of their ends', () => {
    const reference = new Reference();
    reference.contents.set('db1/0', 'old');
    reference.apply([ended(claimOf('b'), success('/m/db1/b/'))]);
    expect(reference.artefacts.get('m/db1/b')).toEqual({ database: 'db1', content: 'old' });
    reference.contents.set('db1/0', 'new');
    const restore = { ...claimOf('r', 'restore'), artefactPath: 'm/db1/b/' };
    const failed = ended({ ...restore, jobId: 'f' }, FAILURE);
    reference.apply([failed]);
    expect(reference.contents.get('db1/0')).toBe('new');
    const undo = { ...claimOf('u', 'restore'), undoOf: 'r' };
    const restored = ended(restore, success(), '2026-11-28T10:00:01.000Z');
    reference.apply([restored, failed]);
    expect(reference.contents.get('db1/0')).toBe('old');
    reference.apply([ended(undo, success(), '2026-11-28T10:00:02.000Z'), restored]);
    expect(reference.contents.get('db1/0')).toBe('new');
  });

  test('leaves open what a restore whose end was not seen has done, until that is seen', () => {
    const untold = { ...claimOf('r', 'restore'), artefactPath: 'm/db1/b' };
    const seen: SeenJob = {
      unit: 'db1/0',
      claim: untold,
      directory: '',
      seenAt: 0,
      isUntold: true,
    };
    const known = () => {
      const reference = new Reference();
      reference.contents.set('db1/0', 'old');
      reference.apply([ended(claimOf('b'), success('m/db1/b'))]);
      reference.contents.set('db1/0', 'new');
      reference.apply([seen]);
      return reference;
    };
    expect(known().accepts('db1/0', 'other')).toBe(false);
    const undone = known();
    expect(undone.accepts('db1/0', 'new')).toBe(true);
    expect(undone.accepts('db1/0', 'old')).toBe(false);
    const done = known();
    expect(done.accepts('db1/0', 'old')).toBe(true);
    done.apply([seen]);
    expect(done.accepts('db1/0', 'new')).toBe(false);
  });

  test('does not accept that something unknown was brought back', () => {
    const reference = new Reference();
    reference.contents.set('db1/0', 'old');
    const unknown = { ...claimOf('r', 'restore'), artefactPath: 'x' };
    expect(() => reference.apply([ended(unknown, success())])).toThrow('r succeeded');
  });
});

test('a job without an end is late after its time, one that ended is not', () => {
  let now = 0;
  const bounds = new Bounds(() => now);
  const jobs = new Map<string, SeenJob>([
    ['a', { unit: 'db1/0', claim: claimOf('a'), directory: '', seenAt: 0 }],
    ['b', ended(claimOf('b'), FAILURE)],
  ]);
  bounds.cancelled('a');
  bounds.crashed('b');
  now = 600_000;
  bounds.disturbed();
  expect(bounds.late(jobs)).toEqual([]);
  now += 600_000;
  expect(bounds.late(jobs)).toEqual([expect.stringMatching(/^a has no end \d+ s after a cancel$/)]);
});
