/** Actions that look or tidy up: state in, one action, state out. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { HintError } from '#system';
import { aJob, anEntry, artefact, aStatus } from './makers.ts';
import { type Scene, Stage, twoDatabases } from './stage.ts';

let stage: Stage;

beforeEach(() => {
  stage = new Stage();
});

describe('list-jobs and show-job', () => {
  const history = [
    anEntry({ jobId: 'job-1', state: 'success', artefactPath: 'p/', size: 2048 }),
    anEntry({ jobId: 'job-2', state: 'running', unit: 'db/0', startedAt: '2026-11-21T02:59:50Z' }),
  ];
  const scene: Scene = {
    databases: [
      {
        id: 4,
        name: 'db',
        units: {
          'db/0': [
            aStatus({ jobId: 'job-2', phase: 'uploading', progress: { bytes: 1, total: 2 } }),
          ],
        },
      },
    ],
    history,
  };

  test('lists the newest first with live progress, and counts', async () => {
    const { action } = await stage.act('list-jobs', {}, scene);
    const lines = action.results['jobs']?.split('\n') ?? [];
    expect(lines[1]).toMatch(/^job-2 .* uploading 50 % .* 10 s /);
    expect(lines[2]).toMatch(/^job-1 .* success .* 2\.0 KiB +p\/$/);
    expect(action.results).toMatchObject({ count: '2', unfinished: '1', failed: '0' });
  });

  test('as JSON for programs', async () => {
    const { action } = await stage.act('list-jobs', { format: 'json' }, scene);
    expect(JSON.parse(action.results['jobs'] ?? '')).toMatchObject([
      { 'job-id': 'job-2', progress: '50%', 'progress-percent': 50 },
      { 'job-id': 'job-1', 'size-bytes': 2048 },
    ]);
  });

  test('shows no more than asked for and says so', async () => {
    const { action } = await stage.act('list-jobs', { limit: 1 }, scene);
    expect(action.results['jobs']?.split('\n')).toHaveLength(2);
    expect(action.results['note']).toBe('1 older ones are not shown; raise limit');
  });

  test('an empty history says how to begin', async () => {
    const { action } = await stage.act('list-jobs', {}, twoDatabases);
    expect(action.results['jobs']).toBe(
      'none yet; run: juju run backup-manager/leader create-backup',
    );
  });

  test('a slip in the name of a database is told', async () => {
    const { action } = await stage.act('list-jobs', { database: 'bd' }, scene);
    expect(action.failure).toContain('no database is called "bd"');
    expect(action.failure).toContain('known: db');
  });

  test('show-job gives flat values', async () => {
    const { action } = await stage.act('show-job', { 'job-id': 'job-1' }, scene);
    expect(action.results).toEqual({
      'job-id': 'job-1',
      database: 'db',
      type: 'backup',
      status: 'success',
      'requested-at': '2026-11-21T02:00:00.000Z',
      size: '2.0 KiB',
      'size-bytes': '2048',
      'artefact-path': 'p/',
    });
  });

  test.each([
    ['../../etc\u001b[31m', 'no job is called "../../etc [31m"'],
    ['', 'job-id is missing'],
  ])('show-job of %j fails and says where to look', async (jobId, message) => {
    const { action } = await stage.act('show-job', { 'job-id': jobId }, scene);
    expect(action.failure).toContain(message);
    expect(action.failure).toContain('run: juju run backup-manager/0 list-jobs');
  });
});

describe('list-backups', () => {
  test('reads the bucket, also in a brand-new model', async () => {
    const older = { ...artefact, artefactPath: 'old/', createdAt: '2026-11-20T02:00:00Z' };
    stage.storage.backups = [older, { ...artefact, model: 'old' }];
    stage.storage.unfinished = [{ artefactPath: 'half/', message: 'no manifest' }];
    const { action } = await stage.act('list-backups', {}, {});
    const lines = action.results['backups']?.split('\n') ?? [];
    expect(lines[1]).toMatch(/db +old +postgresql 15 +2\.0 KiB +1\.0 KiB +- +- +prod\/shop\/db/);
    expect(lines[2]).toMatch(/old\/$/);
    expect(lines).toHaveLength(3);
    expect(action.results).toMatchObject({ count: '2', unfinished: '1' });
  });

  test('of one database', async () => {
    stage.storage.backups = [artefact, { ...artefact, application: 'db2', artefactPath: 'two/' }];
    const { action } = await stage.act('list-backups', { database: 'db2', format: 'json' }, {});
    expect(JSON.parse(action.results['backups'] ?? '')).toMatchObject([
      { 'artefact-path': 'two/' },
    ]);
  });

  test('an empty bucket is said to be empty, by name', async () => {
    const { action } = await stage.act('list-backups', {}, { config: { path: 'prod' } });
    expect(action.results['backups']).toBe('none in bucket "b" below "prod"');
  });

  test('a bucket that fails is a clear failure', async () => {
    stage.storage.failure = new HintError('no such bucket "b"', {
      code: 'no-such-bucket',
      hint: 'create it',
    });
    const { action } = await stage.act('list-backups', {}, {});
    expect(action.failure).toBe('no such bucket "b"; create it');
  });
});

describe('clear-history', () => {
  const history = [
    anEntry({ jobId: 'job-1', state: 'success' }),
    anEntry({ jobId: 'job-2', state: 'error', database: 'db2', relationId: 5 }),
    anEntry({ jobId: 'job-3' }),
    anEntry({ jobId: 'job-4', state: 'success', database: 'gone', relationId: 1 }),
  ];
  const scene: Scene = {
    databases: [
      { id: 4, name: 'db', requested: [aJob({ jobId: 'job-3' })] },
      { id: 5, name: 'db2' },
    ],
    history,
  };

  test('forgets what is finished and keeps what is not', async () => {
    const { action, history: left } = await stage.act('clear-history', {}, scene);
    expect(action.results).toEqual({ cleared: '3', kept: '1' });
    expect(left.map((entry) => entry.jobId)).toEqual(['job-3']);
  });

  test('of one database, also one that is not related any more', async () => {
    const { action, history: left } = await stage.act('clear-history', { database: 'gone' }, scene);
    expect(action.results).toEqual({ cleared: '1', kept: '3' });
    expect(left.map((entry) => entry.jobId)).toEqual(['job-1', 'job-2', 'job-3']);
  });

  test('of an unknown database fails naming the known ones', async () => {
    const { action, history: left } = await stage.act('clear-history', { database: 'x' }, scene);
    expect(action.failure).toContain('known: db, db2, gone');
    expect(left).toHaveLength(4);
  });

  test('of jobs that ended long ago', async () => {
    const old = { state: 'success' as const, finishedAt: '2026-10-01T00:00:00.000Z' };
    const { action, history: left } = await stage.act(
      'clear-history',
      { 'older-than': '30d' },
      {
        ...scene,
        history: [
          anEntry({ jobId: 'job-0', ...old }),
          anEntry({ jobId: 'job-1', ...old, finishedAt: '2026-11-20T00:00:00.000Z' }),
          anEntry({ jobId: 'job-3' }),
        ],
      },
    );
    expect(action.results).toEqual({ cleared: '1', kept: '2' });
    expect(left.map((entry) => entry.jobId)).toEqual(['job-1', 'job-3']);
    const refused = await stage.act('clear-history', { 'older-than': 'old' }, scene);
    expect(refused.action.failure).toContain(
      'older-than must be a whole number above 0 and s, m, h, d',
    );
  });

  test('what is cleared stays cleared though the database still tells of it', async () => {
    const told = { 'db/0': [aStatus({ jobId: 'job-1', status: 'success' })] };
    const { history: left } = await stage.changed(4, {
      databases: [{ id: 4, name: 'db', units: told }],
      history: [],
    });
    expect(left).toEqual([]);
  });
});
