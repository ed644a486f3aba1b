import { describe, expect, test } from '@jest/globals';
import {
  backupRecord,
  backupsTable,
} from '../../../charms/backup-manager/src/backup-presentation.ts';
import {
  jobRecord,
  jobsTable,
  outcomeText,
  percentOf,
} from '../../../charms/backup-manager/src/presentation.ts';
import { oneLine, textTable } from '../../../charms/backup-manager/src/table.ts';
import { anEntry, aStatus, now } from './makers.ts';

describe('tables', () => {
  test('columns are aligned and nothing trails', () => {
    expect(textTable(['A', 'LONG'], [['aaa', 'b']])).toBe('A    LONG\naaa  b');
  });

  test('control characters of strangers cannot break a line or reach the terminal', () => {
    expect(oneLine('a\r\n\u001b[31mb\u2028c\u0000')).toBe('a [31mb c ');
    expect(oneLine('x'.repeat(500)).length).toBe(201);
  });
});

describe('jobs', () => {
  test('a running job shows phase, percent and how long it has been at it', () => {
    const entry = anEntry({ state: 'running', startedAt: '2026-11-21T02:59:00Z' });
    const status = aStatus({
      phase: 'uploading',
      progress: { bytes: 1, total: 4 },
      message: 'base',
    });
    const lines = jobsTable([entry], new Map([['job-1', status]]), now).split('\n');
    expect(lines[0]).toMatch(/^JOB +DATABASE +TYPE +STATUS +REQUESTED +TIME +SIZE +DETAILS$/);
    expect(lines[1]).toBe(
      'job-1  db        backup  uploading 25 %  2026-11-21 02:00:00  1 min 0 s  -     base',
    );
  });

  test('labels have a column where there are any', () => {
    const [header, first, second] = jobsTable(
      [anEntry({ label: 'before\nthe move' }), anEntry({ jobId: 'job-2' })],
      new Map(),
      now,
    ).split('\n');
    expect(header).toMatch(/ SIZE +LABEL +DETAILS$/);
    expect(first).toMatch(/ - +before the move +-$/);
    expect(second).toMatch(/ - +- +-$/);
  });

  test('a finished job shows its artefact or its error', () => {
    const done = anEntry({ state: 'success', artefactPath: 'p/', size: 2048 });
    const failed = anEntry({ state: 'error', message: 'no\nway' });
    const [, first, second] = jobsTable([done, failed], new Map(), now).split('\n');
    expect(first).toMatch(/success .* 2\.0 KiB {2}p\/$/);
    expect(second).toMatch(/error .* no way$/);
  });

  test('the flat record has the keys Juju allows and only what is known', () => {
    const record = jobRecord(
      anEntry({ state: 'running' }),
      aStatus({ phase: 'queued', progress: { bytes: 5 } }),
    );
    expect(record).toEqual({
      'job-id': 'job-1',
      database: 'db',
      type: 'backup',
      status: 'running',
      'requested-at': '2026-11-21T02:00:00.000Z',
      phase: 'queued',
      progress: '5 B',
      'progress-bytes': 5,
    });
  });

  test('a finished record does not show what a unit still says about progress', () => {
    const record = jobRecord(
      anEntry({ state: 'success' }),
      aStatus({ phase: 'x', progress: { bytes: 5 } }),
    );
    expect(Object.keys(record)).toEqual(['job-id', 'database', 'type', 'status', 'requested-at']);
  });

  test.each([
    [{ bytes: 1, percent: 12.9 }, 12],
    [{ bytes: 1, percent: 250 }, 100],
    [{ bytes: 1, total: 0 }, undefined],
    [{ bytes: 1, total: 3 }, 33],
    [{ bytes: 1 }, undefined],
  ])('progress %j is %s percent', (progress, percent) => {
    expect(percentOf(aStatus({ progress }))).toBe(percent);
  });

  test('an outcome is one line for the log', () => {
    expect(outcomeText(anEntry({ state: 'success', size: 1024, artefactPath: 'p/' }))).toBe(
      'backup of db (job-1) succeeded, 1.0 KiB, artefact p/',
    );
    expect(outcomeText(anEntry({ state: 'error', message: 'full', hint: 'make room' }))).toBe(
      'backup of db (job-1) failed: full; make room',
    );
    expect(outcomeText(anEntry({ state: 'error' }))).toContain('the database gave no reason');
  });
});

test('backups are listed with what made them, their age and marks, as far as known', () => {
  const backup = {
    artefactPath: 'p/',
    createdAt: '2026-11-21T02:00:00Z',
    bytes: 1024,
    storedBytes: 0,
    marks: { isKept: false, isPinned: false },
  };
  const engine = { engine: 'postgresql', engineVersion: '15' };
  expect(backupsTable([{ ...backup, ...engine }], now)).toContain(
    '2026-11-21 02:00:00  1 h  -         -      postgresql 15  1.0 KiB  0 B     -    -      p/',
  );
  const marks = { verifiedAt: '2026-11-18T02:00:00Z', isKept: true, isPinned: true };
  expect(backupsTable([{ ...backup, marks }], now)).toContain('verified 3 d ago, kept, in use');
  const damaged = { damagedAt: '2026-11-18T02:00:00Z', isKept: false, isPinned: false };
  expect(backupsTable([{ ...backup, marks: damaged }], now)).toContain('DAMAGED');
  expect(backupRecord(backup, now)).toEqual({
    'artefact-path': 'p/',
    'created-at': '2026-11-21T02:00:00Z',
    'age-seconds': 3600,
    'size-bytes': 1024,
    'stored-bytes': 0,
    kept: false,
    encrypted: false,
    'in-use': false,
  });
});
