/** Actions that ask databases for something: state in, one action, state out. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { HintError } from '#system';
import { aJob, anEntry, artefact } from './makers.ts';
import { type Scene, Stage, twoDatabases } from './stage.ts';

let stage: Stage;

beforeEach(() => {
  stage = new Stage();
});

describe('create-backup', () => {
  test('asks every related database and answers with the job ids at once', async () => {
    const { action, requests, history } = await stage.act('create-backup', {}, twoDatabases);
    expect(action.failure).toBeUndefined();
    expect(action.results).toMatchObject({
      'job-ids': 'job-new-1,job-new-2',
      follow: 'juju run backup-manager/0 list-jobs',
    });
    expect(action.results['jobs']).toContain('job-new-1  db        backup');
    expect(requests(4)).toMatchObject([{ jobId: 'job-new-1', jobType: 'backup' }]);
    expect(requests(5)).toMatchObject([{ jobId: 'job-new-2', jobType: 'backup' }]);
    expect(history).toMatchObject([
      { jobId: 'job-new-1', database: 'db', relationId: 4, state: 'requested' },
      { jobId: 'job-new-2', database: 'db2', relationId: 5, state: 'requested' },
    ]);
  });

  test('asks the one named, beside what is asked already', async () => {
    const { action, requests } = await stage.act(
      'create-backup',
      { database: 'db' },
      {
        databases: [
          { id: 4, name: 'db', requested: [aJob({ jobId: 'job-old' })] },
          { id: 5, name: 'db2' },
        ],
        history: [anEntry({ jobId: 'job-old' })],
      },
    );
    expect(action.results['job-id']).toBe('job-new-1');
    expect(requests(4).map((job) => job.jobId)).toEqual(['job-old', 'job-new-1']);
    expect(requests(5)).toEqual([]);
  });

  test('gives each job the storage, compression and time', async () => {
    const { requests } = await stage.act(
      'create-backup',
      {},
      {
        databases: [{ id: 4, name: 'db' }],
        config: { path: '/prod/', region: 'eu', compression: false },
      },
    );
    expect(requests(4)).toEqual([
      {
        jobId: 'job-new-1',
        jobType: 'backup',
        compression: false,
        requestedAt: '2026-11-21T03:00:00.000Z',
        storageConfig: {
          bucket: 'b',
          'access-key': 'AK-PLANTED',
          'secret-key': 'SK-PLANTED',
          path: 'prod',
          region: 'eu',
        },
      },
    ]);
  });

  test.each<[string, Scene, Record<string, unknown>, string]>([
    [
      'no database',
      {},
      {},
      'no database is related; run: juju integrate <database> backup-manager',
    ],
    [
      'an unknown database',
      twoDatabases,
      { database: 'x"\n' },
      'no related database is called "x\\""; related: db, db2',
    ],
    [
      'S3 not configured',
      { ...twoDatabases, config: { bucket: '' } },
      {},
      'S3 is not configured: bucket missing; run: juju config backup-manager bucket=…',
    ],
    [
      'a secret that is not granted',
      { ...twoDatabases, secret: 'not granted' },
      {},
      'run: juju grant-secret secret:',
    ],
    [
      'a secret that lacks a key',
      { ...twoDatabases, secret: { 'access-key': 'AK-PLANTED' } },
      {},
      'the credentials secret has no secret-key; run: juju update-secret secret:',
    ],
    [
      'a malformed option',
      { ...twoDatabases, config: { endpoint: 'ftp://x' } },
      {},
      'endpoint must be a URL such as https://s3.example.com:9000',
    ],
  ])('fails clearly and asks nothing with %s', async (_, scene, params, message) => {
    const { action, requests, history } = await stage.act('create-backup', params, scene);
    expect(action.failure).toContain(message);
    expect(history).toEqual([]);
    expect(requests(4)).toEqual([]);
    expect(action.failure).not.toContain('PLANTED');
  });

  test('fails with what is wrong with the bucket, and the status says so too', async () => {
    stage.storage.failure = new HintError('cannot use bucket "b": wrong credentials', {
      code: 'wrong-credentials',
      hint: 'check access-key and secret-key',
    });
    const { action, requests, unitStatus } = await stage.act('create-backup', {}, twoDatabases);
    expect(action.failure).toBe(
      'cannot use bucket "b": wrong credentials; check access-key and secret-key',
    );
    expect(unitStatus).toBe(
      'blocked: cannot use bucket "b": wrong credentials; check access-key and secret-key',
    );
    expect(requests(4)).toEqual([]);
  });
});

describe('a unit that is not the leader', () => {
  test.each(['create-backup', 'restore', 'clear-history'])(
    '%s names the leader to ask and does nothing',
    async (name) => {
      const params = name === 'restore' ? { 'artefact-path': 'x' } : {};
      const { action, history } = await stage.act(name, params, {
        ...twoDatabases,
        isLeader: false,
        leaderName: 'backup-manager/1',
        history: [anEntry({ state: 'success' })],
      });
      expect(action.failure).toBe(
        `backup-manager/0 is not the leader, backup-manager/1 is; run: juju run backup-manager/1 ${name} …`,
      );
      expect(history).toHaveLength(1);
      expect(stage.storage.keysSeen).toEqual([]);
    },
  );

  test('that was the leader before points to whoever leads', async () => {
    const { action } = await stage.act(
      'create-backup',
      {},
      {
        ...twoDatabases,
        isLeader: false,
        leaderName: 'backup-manager/0',
      },
    );
    expect(action.failure).toBe(
      'backup-manager/0 is not the leader; run: juju run backup-manager/leader create-backup …',
    );
  });

  test('answers questions all the same', async () => {
    stage.storage.backups = [artefact];
    const scene = { ...twoDatabases, isLeader: false, history: [anEntry()] };
    const jobs = await stage.act('list-jobs', {}, scene);
    expect(jobs.action.results['count']).toBe('1');
    const backups = await stage.act('list-backups', {}, scene);
    expect(backups.action.results['count']).toBe('1');
  });
});

describe('restore', () => {
  const path = `/${artefact.artefactPath.slice(0, -1)}`;

  beforeEach(() => {
    stage.storage.backups = [artefact];
  });

  test('goes to the application that made the artefact', async () => {
    const { action, requests, history } = await stage.act(
      'restore',
      { 'artefact-path': path },
      twoDatabases,
    );
    expect(action.results['job-id']).toBe('job-new-1');
    expect(requests(4)).toMatchObject([
      { jobId: 'job-new-1', jobType: 'restore', artefactPath: artefact.artefactPath },
    ]);
    expect(requests(5)).toEqual([]);
    expect(history).toMatchObject([{ jobType: 'restore', artefactPath: artefact.artefactPath }]);
  });

  test('goes to the application named', async () => {
    const { requests } = await stage.act(
      'restore',
      { 'artefact-path': path, database: 'db2' },
      twoDatabases,
    );
    expect(requests(4)).toEqual([]);
    expect(requests(5)).toHaveLength(1);
  });

  test('never guesses when the artefact comes from another model', async () => {
    stage.storage.backups = [{ ...artefact, model: 'old' }];
    const { action, requests } = await stage.act(
      'restore',
      { 'artefact-path': path },
      twoDatabases,
    );
    expect(action.failure).toContain('was made by application "db" of another model, "old"');
    expect(action.failure).toContain(
      'name the database to restore into with database=… (one of db, db2)',
    );
    expect(requests(4)).toEqual([]);
    const named = await stage.act(
      'restore',
      { 'artefact-path': path, database: 'db' },
      twoDatabases,
    );
    expect(named.requests(4)).toHaveLength(1);
  });

  test('a model of the same name made anew is another model', async () => {
    stage.storage.backups = [{ ...artefact, modelUuid: 'an-older-one' }];
    const { action } = await stage.act('restore', { 'artefact-path': path }, twoDatabases);
    expect(action.failure).toContain('application "db" of another model, "shop"');
  });

  test('trusts the artefact of a provider with a format of its own that reported it', async () => {
    stage.storage.backups = [];
    stage.storage.unfinished = [{ artefactPath: 'their/own', message: 'no manifest' }];
    const made = anEntry({ state: 'success', artefactPath: '/their/own/' });
    const { requests } = await stage.act(
      'restore',
      { 'artefact-path': 'their/own' },
      { ...twoDatabases, history: [made] },
    );
    expect(requests(4)).toMatchObject([{ artefactPath: '/their/own/' }]);
  });

  test.each<[string, Scene, Record<string, unknown>, string]>([
    [
      'no artefact-path',
      twoDatabases,
      { 'artefact-path': ' ' },
      'artefact-path is missing; run: juju run backup-manager/0 list-backups',
    ],
    ['an unknown prefix', twoDatabases, { 'artefact-path': 'a/b' }, 'there is no backup at a/b'],
    ['a half-written artefact', twoDatabases, { 'artefact-path': 'half/' }, 'half/: no manifest'],
    [
      'an unknown database',
      twoDatabases,
      { 'artefact-path': 'x', database: 'y' },
      'no related database is called "y"; related: db, db2',
    ],
    [
      'a maker not related',
      { databases: [{ id: 5, name: 'db2' }] },
      { 'artefact-path': path },
      'was made by application "db", which is not related; name the database to restore into with database=db2',
    ],
    [
      'no database related',
      {},
      { 'artefact-path': path },
      'run: juju integrate <database> backup-manager',
    ],
    [
      'S3 not configured',
      { ...twoDatabases, config: { bucket: '' } },
      { 'artefact-path': path },
      'S3 is not configured',
    ],
  ])('fails clearly and asks nothing with %s', async (_, scene, params, message) => {
    stage.storage.unfinished = [{ artefactPath: 'half/', message: 'no manifest' }];
    const { action, history } = await stage.act('restore', params, scene);
    expect(action.failure).toContain(message);
    expect(history).toEqual([]);
  });
});
