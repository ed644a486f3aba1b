/** Actions about backups in the bucket: state in, one action, state out. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { HintError } from '#system';
import { anEntry, artefact } from './makers.ts';
import { type Scene, Stage } from './stage.ts';

const path = artefact.artefactPath;
const backedUp: Scene = {
  databases: [{ id: 4, name: 'db' }],
  lastBackups: [
    { relationId: 4, database: 'db', finishedAt: '2026-11-21T02:00:00.000Z', artefactPath: path },
  ],
};
let stage: Stage;

beforeEach(() => {
  stage = new Stage();
  stage.storage.backups = [artefact];
});

describe('show-backup and list-backups', () => {
  test('a backup as flat values, numbers among them', async () => {
    const { action } = await stage.act('show-backup', { 'artefact-path': `/${path}` }, {});
    expect(action.results).toMatchObject({
      'artefact-path': path,
      entries: '3',
      files: '2',
      size: '2.0 KiB',
      'size-bytes': '2048',
      'age-seconds': '3600',
      age: '1 h',
      marks: '-',
    });
  });

  test('numbers stay numbers in JSON', async () => {
    const { action } = await stage.act('list-backups', { format: 'json' }, {});
    expect(JSON.parse(action.results['backups'] ?? '')).toMatchObject([
      { 'size-bytes': 2048, 'age-seconds': 3600, kept: false },
    ]);
  });

  test('a database of another model is found by the name it has here', async () => {
    stage.storage.backups = [artefact, { ...artefact, artefactPath: 'x/y/backups/1-j/' }];
    const scene: Scene = {
      databases: [{ id: 4, name: 'remote-1' }],
      lastBackups: [{ relationId: 4, database: 'remote-1', finishedAt: 'x', artefactPath: path }],
    };
    const { action } = await stage.act(
      'list-backups',
      { database: 'remote-1', format: 'json' },
      scene,
    );
    expect(JSON.parse(action.results['backups'] ?? '')).toMatchObject([{ 'artefact-path': path }]);
  });

  test('deleted ones are counted, and listed when asked', async () => {
    stage.storage.deleted = [{ artefactPath: path, deletedAt: '2026-11-20T03:00:00.000Z' }];
    const usual = await stage.act('list-backups', {}, {});
    expect(usual.action.results['deleted']).toBe('1');
    const { action } = await stage.act('list-backups', { deleted: true }, {});
    expect(action.results['backups']).toMatch(/^DELETED .*\n2026-11-20 03:00:00 +24 h +prod/);
  });
});

describe('verify-backup', () => {
  test('reads a sample at once, and the database counts as verified', async () => {
    const { action, lastBackups } = await stage.act(
      'verify-backup',
      { 'artefact-path': path },
      backedUp,
    );
    expect(stage.storage.deeds).toEqual([`verify sample ${path}`]);
    expect(action.results).toMatchObject({
      verdict: 'sound',
      level: 'sample',
      'read-bytes': '512',
    });
    expect(lastBackups).toMatchObject([{ verifiedPath: path }]);
  });

  test('a look at the structure proves too little to count', async () => {
    const params = { 'artefact-path': path, level: 'structure' };
    const { lastBackups } = await stage.act('verify-backup', params, backedUp);
    expect(lastBackups[0]?.verifiedPath).toBeUndefined();
  });

  test('reads all of it in the background', async () => {
    const params = { 'artefact-path': path, level: 'full' };
    const { action, unitStatus } = await stage.act('verify-backup', params, backedUp);
    expect(stage.upkeep.started).toEqual([{ kind: 'verify', subject: path, artefactPath: path }]);
    expect(action.results).toMatchObject({
      'job-id': 'verify-1',
      follow: 'juju run backup-manager/0 show-job job-id=verify-1',
    });
    expect(unitStatus).toContain('verifying a backup');
    const shown = await stage.act('show-job', { 'job-id': 'verify-1' }, backedUp);
    expect(shown.action.results).toMatchObject({ type: 'verify', status: 'running' });
    const listed = await stage.act('list-jobs', {}, backedUp);
    expect(listed.action.results['upkeep']).toMatch(/^ID .*\nverify-1 +verify +running/);
  });

  test('a slip in the path is told at once', async () => {
    const params = { 'artefact-path': 'nowhere', level: 'full' };
    const { action } = await stage.act('verify-backup', params, backedUp);
    expect(action.failure).toContain('there is no backup at nowhere');
    expect(stage.upkeep.started).toEqual([]);
  });

  test('too much for an action points to the background', async () => {
    stage.storage.failure = new HintError('no answer', { code: 'unreachable', hint: 'x' });
    const { action } = await stage.act('verify-backup', { 'artefact-path': path }, backedUp);
    expect(action.failure).toContain(`verify-backup artefact-path=${path} level=full`);
  });
});

describe('delete-backup and keep-backup', () => {
  test.each([
    [{}, `delete ${path}`],
    [{ force: true }, `delete ${path} by force`],
    [{ undelete: true }, `undelete ${path}`],
  ])('delete-backup with %j', async (params, deed) => {
    await stage.act('delete-backup', { 'artefact-path': path, ...params }, backedUp);
    expect(stage.storage.deeds).toEqual([deed]);
  });

  test('deleting says how to bring it back', async () => {
    const { action } = await stage.act('delete-backup', { 'artefact-path': path }, backedUp);
    expect(action.results['bring-back']).toContain('undelete=true');
  });

  test.each([
    [{}, `keep ${path}`],
    [{ keep: false }, `let go ${path}`],
  ])('keep-backup with %j', async (params, deed) => {
    await stage.act('keep-backup', { 'artefact-path': path, ...params }, backedUp);
    expect(stage.storage.deeds).toEqual([deed]);
  });

  test.each(['verify-backup', 'delete-backup', 'keep-backup'])(
    '%s on another unit names the leader and does nothing',
    async (name) => {
      const scene = { ...backedUp, isLeader: false, leaderName: 'backup-manager/3' };
      const { action } = await stage.act(name, { 'artefact-path': path }, scene);
      expect(action.failure).toContain('backup-manager/3 is');
      expect(stage.storage.deeds).toEqual([]);
    },
  );
});

describe('check-storage', () => {
  const finding = { name: 'list', outcome: 'ok', permission: 's3:ListBucket', ms: 3 } as const;

  test('shows what was found, and uses what works', async () => {
    const { profile } = stage.storage.report;
    stage.storage.report = {
      ...stage.storage.report,
      usable: true,
      findings: [finding],
      profile: { ...profile, region: 'eu-1' },
    };
    const checked = await stage.act('check-storage', {}, backedUp);
    expect(checked.action.results).toMatchObject({ usable: 'true', region: 'eu-1' });
    expect(checked.action.results['findings']).toMatch(
      /^CHECK +OUTCOME +PERMISSION +DETAIL\nlist +ok +s3:ListBucket +-$/,
    );
    const { requests } = await stage.act(
      'create-backup',
      {},
      { ...backedUp, storageProfile: checked.profile ?? '' },
    );
    expect(requests(4)[0]?.storageConfig).toMatchObject({ region: 'eu-1' });
  });

  test('names the missing permission, and fails', async () => {
    stage.storage.report = {
      ...stage.storage.report,
      findings: [
        finding,
        {
          name: 'write',
          outcome: 'failed',
          detail: 'access denied',
          permission: 's3:PutObject',
          code: 'access-denied',
          hint: 'allow it',
          ms: 1,
        },
      ],
    };
    const { action, profile } = await stage.act('check-storage', {}, backedUp);
    expect(action.failure).toBe(
      'backups cannot be stored: write: access denied; missing permission s3:PutObject; allow it',
    );
    expect(profile).toBeUndefined();
  });

  test('without settings says what to set', async () => {
    const { action } = await stage.act('check-storage', {}, { config: { bucket: '' } });
    expect(action.failure).toContain('S3 is not configured: bucket missing');
  });
});

describe('list-databases', () => {
  test('tells age, verification, failure and features of each', async () => {
    const scene: Scene = {
      databases: [
        { id: 4, name: 'db', features: ['cancel', 'deadlines'] },
        { id: 5, name: 'db2' },
      ],
      lastBackups: [
        {
          relationId: 4,
          finishedAt: '2026-11-20T03:00:00.000Z',
          size: 2048,
          verifiedAt: '2026-11-18T03:00:00.000Z',
        },
      ],
      history: [anEntry({ relationId: 5, database: 'db2', state: 'error', message: 'disk full' })],
    };
    const { action } = await stage.act('list-databases', {}, scene);
    const [, first, second] = action.results['databases']?.split('\n') ?? [];
    expect(first).toMatch(/^db +4 +24 h ago +2\.0 KiB +- +3 d ago +- +- +-$/);
    expect(second).toMatch(/^db2 +5 +never +- +- +never +- +- +backup: disk full$/);
    const json = await stage.act('list-databases', { format: 'json' }, scene);
    expect(JSON.parse(json.action.results['databases'] ?? '')).toMatchObject([
      { database: 'db', 'age-seconds': 86_400, features: 'cancel,deadlines' },
      { database: 'db2', features: 'none' },
    ]);
  });
});
