import { describe, expect, test } from '@jest/globals';
import {
  encodeJobStatuses,
  encodeJobs,
  type Job,
  type JobStatus,
  newJobId,
  parseJobStatuses,
  parseJobs,
  REDACTED,
  rejectionOf,
  statusOf,
} from '#database-backup';
import * as fc from '../../helpers/fast-check.ts';

const storage = { bucket: 'b', 'access-key': 'AK-PLANTED', 'secret-key': 'SK-PLANTED' };

const wireJob = {
  'job-id': 'job-1',
  'job-type': 'backup',
  'job-config': { compression: true },
  'storage-interface': 's3',
  'storage-config': storage,
};

const job: Job = { jobId: 'job-1', jobType: 'backup', compression: true, storageConfig: storage };

describe('reading requested jobs', () => {
  test('no text and empty text are no jobs', () => {
    expect(parseJobs(undefined)).toEqual({ jobs: [], issues: [], isReadable: true });
    expect(parseJobs('')).toEqual({ jobs: [], issues: [], isReadable: true });
  });

  test('a job of v0 becomes a typed job', () => {
    expect(parseJobs(JSON.stringify([wireJob]))).toEqual({
      jobs: [job],
      issues: [],
      isReadable: true,
    });
  });

  test('text that is not JSON is one issue that does not quote the text', () => {
    expect(parseJobs('{"secret-key": SK-PLANTED')).toEqual({
      jobs: [],
      issues: [{ message: 'jobs: is not JSON' }],
      isReadable: false,
    });
  });

  test.each(['{}', '"jobs"', '7', 'null', 'true'])('%s is not a list', (text) => {
    expect(parseJobs(text).issues).toEqual([{ message: 'jobs: must be a list' }]);
  });

  test.each([
    ['null', null, 'jobs/1: must be of type object'],
    ['a list', [], 'jobs/1: must be of type object'],
    ['a string', 'job', 'jobs/1: must be of type object'],
    ['a job-id of the wrong type', { ...wireJob, 'job-id': 7 }, 'jobs/1/job-id: must be of type'],
    ['an unknown type', { ...wireJob, 'job-type': 'x' }, 'jobs/1/job-type: must be one of'],
    [
      'a closed map with another key',
      { ...wireJob, 'job-config': { compression: true, level: 1 } },
      'jobs/1/job-config: has the key "level"',
    ],
    [
      'a missing nested key',
      { ...wireJob, 'storage-config': { bucket: 'b', 'access-key': 'AK-PLANTED' } },
      'jobs/1/storage-config/secret-key: is missing',
    ],
    ['another storage', { ...wireJob, 'storage-interface': 'nfs' }, 'must be "s3"'],
    [
      'a restore of nothing',
      { ...wireJob, 'job-id': 'job-2', 'job-type': 'restore' },
      'jobs/1/artefact-path: is missing, and a restore needs it',
    ],
    ['a job-id without end', { ...wireJob, 'job-id': 'x'.repeat(2000) }, 'is longer than 1024'],
    ['a bottomless item', { ...wireJob, x: nested(100) }, 'is nested deeper than 64 levels'],
  ])('%s is an issue with path and reason, and the good job beside it stays', (_, bad, reason) => {
    const { jobs, issues } = parseJobs(JSON.stringify([wireJob, bad]));
    expect(jobs).toEqual([job]);
    expect(issues).toHaveLength(1);
    expect(issues[0]?.message).toContain(reason);
    expect(issues[0]?.message).not.toContain('PLANTED');
  });

  test('an issue names the job-id an answer can be published under', () => {
    const bad = { ...wireJob, 'job-id': 'job-2', 'job-type': 'x' };
    expect(parseJobs(JSON.stringify([bad])).issues[0]?.jobId).toBe('job-2');
  });

  test('of two items with one job-id the first counts, and the issue cannot overrule it', () => {
    const { jobs, issues } = parseJobs(
      JSON.stringify([wireJob, { ...wireJob, 'job-type': 'restore', 'artefact-path': 'x' }]),
    );
    expect(jobs).toEqual([job]);
    expect(issues).toMatchObject([{ message: 'jobs/1/job-id: is the job-id of an earlier item' }]);
    expect(issues[0]).not.toHaveProperty('jobId');
  });

  test('an invalid item does not take the job-id of a valid one after it', () => {
    const { jobs, issues } = parseJobs(JSON.stringify([{ 'job-id': 'job-1' }, wireJob]));
    expect(jobs).toEqual([job]);
    expect(issues[0]).not.toHaveProperty('jobId');
  });

  test.each(['', '../../etc/passwd', '$(reboot)', '__proto__', 'a\nb\0c', '\ud800'])(
    'the hostile job-id %j comes through unchanged',
    (jobId) => {
      const { jobs } = parseJobs(encodeJobs([{ ...job, jobId }]));
      expect(jobs).toEqual([{ ...job, jobId }]);
    },
  );

  test('extensions are read, those of another type are ignored, unknown keys are kept', () => {
    const { jobs } = parseJobs(
      JSON.stringify([
        { ...wireJob, 'requested-at': '2026-11-21T02:00:00Z', colour: { a: 1 } },
        { ...wireJob, 'job-id': 'job-2', 'requested-at': 5 },
      ]),
    );
    expect(jobs).toEqual([
      { ...job, requestedAt: '2026-11-21T02:00:00Z', extra: { colour: { a: 1 } } },
      { ...job, jobId: 'job-2' },
    ]);
  });

  test('never throws and never loses a good job, whatever surrounds it', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), fc.array(fc.jsonValue()), (before, after) => {
        const { jobs } = parseJobs(JSON.stringify([...before, wireJob, ...after]));
        expect(jobs.map((one) => one.jobId)).toEqual(['job-1']);
      }),
    );
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(parseJobs(text).jobs).toEqual([]);
      }),
    );
  });
});

describe('writing requested jobs', () => {
  test('equal jobs give equal text, whatever the order of their keys', () => {
    const turned = {
      storageConfig: { 'secret-key': 'SK-PLANTED', 'access-key': 'AK-PLANTED', bucket: 'b' },
      compression: true,
      jobType: 'backup',
      jobId: 'job-1',
    } as const;
    expect(encodeJobs([turned])).toBe(encodeJobs([job]));
  });

  test('a job the schema does not accept is refused before it is written', () => {
    const wrong = { ...job, jobType: 'verify' } as unknown as Job;
    expect(() => encodeJobs([wrong])).toThrow('jobs/0/job-type: must be one of');
  });
});

describe('statuses', () => {
  const status: JobStatus = {
    jobId: 'job-1',
    jobType: 'backup',
    status: 'running',
    compression: true,
    storageConfig: { bucket: 'b', 'access-key': REDACTED, 'secret-key': REDACTED },
    message: 'reading',
    artefactPath: 'p/',
    progress: { bytes: 5, total: 10, percent: 50 },
    phase: 'running',
    errorCode: 'lost',
    hint: 'ask again',
    size: 10,
    startedAt: '2026-11-21T02:00:00Z',
    finishedAt: '2026-11-21T02:00:01Z',
    extra: { label: 'x' },
  };

  test('everything but the secrets survives the way over the wire', () => {
    const { statuses, issues } = parseJobStatuses(encodeJobStatuses([status]));
    expect(issues).toEqual([]);
    expect(statuses).toEqual([status]);
  });

  test('no secret of the storage configuration is echoed', () => {
    const text = encodeJobStatuses([
      {
        ...status,
        storageConfig: {
          ...storage,
          endpoint: 'https://user:PLANTED@s3.example.org',
          attributes: ['X-Amz-Server-Side-Encryption-Customer-Key=PLANTED'],
          'session-token': 'PLANTED',
        },
      },
    ]);
    expect(text).not.toContain('PLANTED');
    expect(text).toContain('https://s3.example.org');
  });

  test('the status of a job repeats the job and its unknown keys', () => {
    const { statuses } = parseJobStatuses(
      encodeJobStatuses([
        statusOf({ ...job, extra: { label: 'x', status: 5 } }, { status: 'success' }),
      ]),
    );
    expect(statuses).toMatchObject([
      { jobId: 'job-1', status: 'success', compression: true, extra: { label: 'x' } },
    ]);
  });

  test.each([25, null, { bytes: -1 }, { percent: 5 }])(
    'progress %j of a stranger is ignored, the status stays',
    (progress) => {
      const { statuses } = parseJobStatuses(
        JSON.stringify([{ ...wireJob, status: 'running', progress }]),
      );
      expect(statuses).toHaveLength(1);
      expect(statuses[0]).not.toHaveProperty('progress');
    },
  );

  test('every issue with a job-id can be answered in a form the interface accepts', () => {
    const items = [
      { 'job-id': 'a' },
      { ...wireJob, 'job-id': 'b', 'storage-config': 5 },
      { ...wireJob, 'job-id': 'c', 'job-type': 'x' },
      7,
    ];
    const { issues } = parseJobs(JSON.stringify(items));
    const answers = issues.map(rejectionOf).filter((one) => one !== undefined);
    const { statuses } = parseJobStatuses(encodeJobStatuses(answers));
    expect(statuses.map((one) => [one.jobId, one.status, one.errorCode])).toEqual([
      ['a', 'error', 'invalid-job'],
      ['b', 'error', 'invalid-job'],
      ['c', 'error', 'invalid-job'],
    ]);
    expect(statuses[2]?.message).toContain('jobs/2/job-type: must be one of "backup", "restore"');
  });
});

describe('job ids', () => {
  test('are unlike each other and sort by time', () => {
    const ids = [newJobId(), newJobId(), newJobId()];
    expect(new Set(ids).size).toBe(3);
    expect(ids.toSorted()).toEqual(ids);
    expect(ids[0]).toMatch(/^job-[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-/);
  });
});

function nested(levels: number): unknown {
  return levels === 0 ? 1 : [nested(levels - 1)];
}
