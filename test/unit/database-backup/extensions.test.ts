/** What rides on top of version 0: docs/decisions/0005-protocol-extensions.md */
import { describe, expect, test } from '@jest/globals';
import {
  encodeJobStatuses,
  encodeJobs,
  type Job,
  type JobStatus,
  parseJobStatuses,
  parseJobs,
} from '#database-backup';

const storageConfig = { bucket: 'b', 'access-key': 'a', 'secret-key': 's' };
const wireRestore = {
  'job-id': 'job-2',
  'job-type': 'restore',
  'job-config': { compression: true },
  'storage-interface': 's3',
  'storage-config': storageConfig,
  'artefact-path': 'm/a/backups/x/',
};

const job: Job = {
  jobId: 'job-2',
  jobType: 'restore',
  compression: true,
  storageConfig,
  artefactPath: 'm/a/backups/x/',
  requestedAt: '2026-11-22T00:00:00Z',
  label: 'before the upgrade',
  deadline: { startSeconds: 60, runSeconds: 3600, stallSeconds: 300 },
  isCancelled: true,
  isDryRun: true,
  undoOf: 'job-1',
  isForced: true,
};

function read(more: Readonly<Record<string, unknown>>) {
  return parseJobs(JSON.stringify([{ ...wireRestore, ...more }]));
}

describe('keys of a job', () => {
  test('go over the wire under their own names and come back', () => {
    const text = encodeJobs([job]);
    expect(JSON.parse(text)[0]).toMatchObject({
      label: 'before the upgrade',
      deadline: { 'start-seconds': 60, 'run-seconds': 3600, 'stall-seconds': 300 },
      cancel: true,
      'dry-run': true,
      'undo-of': 'job-1',
      force: true,
    });
    expect(parseJobs(text).jobs).toEqual([job]);
  });

  test('of another form are ignored', () => {
    const { jobs, issues } = read({
      label: 7,
      deadline: { 'start-seconds': 0, 'run-seconds': -1, 'stall-seconds': '5' },
      cancel: 'yes',
      force: 1,
      'dry-run': false,
    });
    expect(issues).toEqual([]);
    expect(Object.keys(jobs[0] ?? {})).toEqual([
      'jobId',
      'jobType',
      'compression',
      'storageConfig',
      'artefactPath',
    ]);
  });

  test('that would replace data if ignored make the job invalid', () => {
    expect(read({ 'dry-run': 'true' }).issues).toEqual([
      expect.objectContaining({ jobId: 'job-2', message: 'jobs/0/dry-run: must be true or false' }),
    ]);
    expect(read({ 'undo-of': 7 }).jobs).toEqual([]);
    expect(read({ 'undo-of': 'job-1', 'job-type': 'backup' }).jobs).toEqual([]);
  });

  test('a label is cut where people stop reading', () => {
    expect(read({ label: 'x'.repeat(1000) }).jobs[0]?.label).toHaveLength(200);
  });
});

describe('keys of a status', () => {
  const status: JobStatus = {
    jobId: 'job-2',
    jobType: 'restore',
    status: 'running',
    storageConfig: { bucket: 'b', 'access-key': 'redacted', 'secret-key': 'redacted' },
    progress: { bytes: 5, total: 10, percent: 50, etaSeconds: 7 },
    queue: { position: 2, waitsFor: ['job-1'] },
    phase: 'queued',
    size: 10,
    storedSize: 3,
    logTail: ['one', 'two'],
    report: 'would restore 10 B',
    undoableUntil: '2026-11-23T00:00:00Z',
    requestedAt: '2026-11-22T00:00:00Z',
  };

  test('go over the wire under their own names and come back', () => {
    const text = encodeJobStatuses([status]);
    expect(JSON.parse(text)[0]).toMatchObject({
      progress: { bytes: 5, total: 10, percent: 50, 'eta-seconds': 7 },
      queue: { position: 2, 'waits-for': ['job-1'] },
      'stored-size': 3,
      'log-tail': ['one', 'two'],
      'undoable-until': '2026-11-23T00:00:00Z',
    });
    expect(parseJobStatuses(text).statuses).toEqual([status]);
  });

  test('of another form are ignored', () => {
    const [wire] = JSON.parse(encodeJobStatuses([status]));
    const spoilt = {
      ...wire,
      queue: { position: 'next' },
      'log-tail': 'no list',
      report: 7,
      'stored-size': -1,
    };
    const [seen] = parseJobStatuses(JSON.stringify([spoilt])).statuses;
    expect(seen).not.toHaveProperty('queue');
    expect(seen).not.toHaveProperty('logTail');
    expect(seen).not.toHaveProperty('report');
    expect(seen).not.toHaveProperty('storedSize');
  });

  test('of a log only the last 20 lines are told', () => {
    const lines = Array.from({ length: 50 }, (_, index) => `line ${index}`);
    const text = encodeJobStatuses([{ ...status, logTail: lines }]);
    expect(parseJobStatuses(text).statuses[0]?.logTail).toEqual(lines.slice(-20));
  });
});
