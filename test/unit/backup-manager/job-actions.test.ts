/** cancel-job, undo-restore, dry runs, deadlines, labels: only where the database understands them. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { aJob, anEntry, artefact, aStatus } from './makers.ts';
import { type Scene, Stage } from './stage.ts';

const ALL = ['cancel', 'deadlines', 'dry-run', 'force', 'undo-restore'];
let stage: Stage;

beforeEach(() => {
  stage = new Stage();
  stage.storage.backups = [artefact];
});

function related(features: readonly string[], rest: Partial<Scene> = {}): Scene {
  return { databases: [{ id: 4, name: 'db', features }], ...rest };
}

describe('wishes of a backup', () => {
  test('compression, label and deadlines reach the job and the history', async () => {
    const { requests, history } = await stage.act(
      'create-backup',
      { compression: false, label: 'before 2.0', 'run-deadline': '6h', 'stall-deadline': '15m' },
      related(ALL),
    );
    expect(requests(4)).toMatchObject([
      {
        compression: false,
        label: 'before 2.0',
        deadline: { runSeconds: 21_600, stallSeconds: 900 },
      },
    ]);
    expect(history).toMatchObject([{ label: 'before 2.0' }]);
  });

  test('deadlines are refused where a database would not keep to them', async () => {
    const { action, requests } = await stage.act(
      'create-backup',
      { 'start-deadline': '1h' },
      related(['cancel']),
    );
    expect(action.failure).toContain('the charm of db does not understand deadlines');
    expect(requests(4)).toEqual([]);
  });

  test.each([
    [
      { 'start-deadline': 'soon' },
      'start-deadline must be a whole number above 0 and s, m, h, d or w',
    ],
    [{ label: 'x'.repeat(201) }, 'label must have at most 200 characters'],
  ])('%j is refused', async (params, message) => {
    const { action, requests } = await stage.act('create-backup', params, related(ALL));
    expect(action.failure).toContain(message);
    expect(requests(4)).toEqual([]);
  });

  test('a feature counts when every unit has announced it', async () => {
    const scene = related(ALL, {
      databases: [{ id: 4, name: 'db', features: ALL, units: { 'db/0': [], 'db/1': [] } }],
    });
    const agreed = await stage.act('create-backup', { 'run-deadline': '1h' }, scene);
    expect(agreed.action.failure).toBeUndefined();
    const none = related(ALL, { databases: [{ id: 4, name: 'db', features: ALL, units: {} }] });
    const refused = await stage.act('create-backup', { 'run-deadline': '1h' }, none);
    expect(refused.action.failure).toContain('what db understands is not known');
  });
});

describe('wishes of a restore', () => {
  const path = { 'artefact-path': artefact.artefactPath };

  test('a dry run and force reach the job', async () => {
    const params = { ...path, 'dry-run': true, force: true };
    const { requests, action } = await stage.act('restore', params, related(ALL));
    expect(requests(4)).toMatchObject([{ isDryRun: true, isForced: true }]);
    expect(action.results['jobs']).toContain('restore (dry run)');
  });

  test('a dry run is never asked of a database that would restore in earnest', async () => {
    const params = { ...path, 'dry-run': true };
    const { requests, action } = await stage.act('restore', params, related(['force']));
    expect(action.failure).toContain('would restore in earnest, so nothing was asked');
    expect(requests(4)).toEqual([]);
  });

  test('a damaged backup is refused unless forced', async () => {
    const marks = { damagedAt: '2026-11-20T00:00:00.000Z', isKept: false, isPinned: false };
    stage.storage.backups = [{ ...artefact, marks }];
    const refused = await stage.act('restore', path, related(ALL));
    expect(refused.action.failure).toContain('was found damaged at 2026-11-20');
    const forced = await stage.act('restore', { ...path, force: true }, related(ALL));
    expect(forced.requests(4)).toHaveLength(1);
  });

  test('of several databases of one name, the id of the relation tells which', async () => {
    const scene: Scene = {
      databases: [
        { id: 4, name: 'remote-1' },
        { id: 5, name: 'remote-1' },
      ],
    };
    const refused = await stage.act('restore', { ...path, database: 'remote-1' }, scene);
    expect(refused.action.failure).toContain('several relations lead to a database');
    const chosen = await stage.act('restore', { ...path, database: '5' }, scene);
    expect(chosen.requests(5)).toHaveLength(1);
    expect(chosen.requests(4)).toEqual([]);
  });

  test('a database of another model gets back what it made for this manager', async () => {
    stage.storage.backups = [{ ...artefact, model: 'far', modelUuid: 'far-uuid' }];
    const scene: Scene = {
      databases: [{ id: 7, name: 'remote-9' }],
      history: [
        anEntry({
          relationId: 7,
          database: 'remote-9',
          state: 'success',
          artefactPath: artefact.artefactPath,
        }),
      ],
      lastBackups: [{ relationId: 7, finishedAt: 'x', artefactPath: artefact.artefactPath }],
    };
    const { requests } = await stage.act('restore', path, scene);
    expect(requests(7)).toMatchObject([{ artefactPath: artefact.artefactPath }]);
  });
});

function running(features: readonly string[]): Scene {
  return {
    databases: [{ id: 4, name: 'db', features, requested: [aJob()] }],
    history: [anEntry({ state: 'running', unit: 'db/0' })],
  };
}

describe('cancel-job', () => {
  test('asks where it is understood, and waits for the outcome', async () => {
    const { requests, history, action } = await stage.act(
      'cancel-job',
      { 'job-id': 'job-1' },
      running(['cancel']),
    );
    expect(requests(4)).toMatchObject([{ jobId: 'job-1', isCancelled: true }]);
    expect(history).toMatchObject([{ state: 'running', cancelRequestedAt: expect.any(String) }]);
    expect(action.results).toMatchObject({ 'job-id': 'job-1', status: 'cancelling' });
  });

  test('takes the request back where it is not', async () => {
    const { requests, history, action } = await stage.act(
      'cancel-job',
      { 'job-id': 'job-1' },
      running([]),
    );
    expect(requests(4)).toEqual([]);
    expect(history).toMatchObject([{ state: 'error', errorCode: 'cancelled' }]);
    expect(action.results['status']).toBe('cancelled');
  });

  test('the outcome of a cancel is recorded when it comes, also when it was too late', async () => {
    const scene = running(['cancel']);
    const [database] = scene.databases ?? [];
    const { history } = await stage.changed(4, {
      ...scene,
      databases: [
        {
          ...(database ?? { id: 4, name: 'db' }),
          requested: [aJob({ isCancelled: true })],
          units: { 'db/0': [aStatus({ status: 'success', artefactPath: 'p/' })] },
        },
      ],
    });
    expect(history).toMatchObject([{ state: 'success', artefactPath: 'p/' }]);
  });

  test.each([
    ['job-none', 'no job is called "job-none"'],
    ['job-1', 'has ended already: success'],
  ])('%s fails', async (jobId, message) => {
    const scene = related(ALL, { history: [anEntry({ state: 'success' })] });
    const { action } = await stage.act('cancel-job', { 'job-id': jobId }, scene);
    expect(action.failure).toContain(message);
  });

  test('another unit names the leader', async () => {
    const { action } = await stage.act(
      'cancel-job',
      { 'job-id': 'job-1' },
      { ...running(['cancel']), isLeader: false, leaderName: 'backup-manager/2' },
    );
    expect(action.failure).toContain('run: juju run backup-manager/2 cancel-job');
  });

  test('ends upkeep of this unit', async () => {
    stage.upkeep.known = [
      {
        id: 'verify-1',
        kind: 'verify',
        subject: 'p/',
        state: 'running',
        startedAt: '2026-11-21T02:00:00Z',
      },
    ];
    const { action } = await stage.act('cancel-job', { 'job-id': 'verify-1' }, related(ALL));
    expect(action.results['status']).toBe('cancelling');
    expect(stage.upkeep.cancelled).toEqual(['verify-1']);
  });
});

describe('undo-restore', () => {
  const later = '2026-11-21T20:00:00.000Z';
  const restored = anEntry({
    jobId: 'job-r',
    jobType: 'restore',
    state: 'success',
    artefactPath: 'p/',
    undoableUntil: later,
  });

  test('asks to bring back what the last restore replaced', async () => {
    const { requests, action } = await stage.act(
      'undo-restore',
      {},
      related(ALL, { history: [restored] }),
    );
    expect(requests(4)).toMatchObject([
      { jobType: 'restore', undoOf: 'job-r', artefactPath: 'p/' },
    ]);
    expect(action.results['jobs']).toContain('undo-restore');
  });

  test('is never asked of a database that would restore the backup again', async () => {
    const scene = related(['cancel'], { history: [restored] });
    const { requests, action } = await stage.act('undo-restore', {}, scene);
    expect(action.failure).toContain('would restore the backup again, so nothing was asked');
    expect(requests(4)).toEqual([]);
  });

  test.each([
    ['nothing restored', [], {}, 'no restore is in the history'],
    [
      'the time is over',
      [{ ...restored, undoableUntil: '2026-11-21T02:00:00.000Z' }],
      {},
      'was kept until 2026-11-21T02:00',
    ],
    ['nothing kept', [{ ...restored, undoableUntil: undefined }], {}, 'was not kept'],
    [
      'a later restore',
      [restored, { ...restored, jobId: 'job-s' }],
      { 'job-id': 'job-r' },
      'job-s came later',
    ],
    [
      'a restore that runs',
      [restored, { ...restored, jobId: 'job-s', state: 'running' as const }],
      {},
      'job-s came later',
    ],
    ['a backup', [anEntry({ state: 'success' })], { 'job-id': 'job-1' }, 'is no restore that'],
    [
      'a dry run',
      [{ ...restored, isDryRun: true }],
      { 'job-id': 'job-r' },
      'is no restore that replaced data',
    ],
    ['another database', [restored], { database: 'other' }, 'no related database'],
  ])('%s fails', async (_, history, params, message) => {
    const { action, requests } = await stage.act('undo-restore', params, related(ALL, { history }));
    expect(action.failure).toContain(message);
    expect(requests(4)).toEqual([]);
  });

  test('of several databases one must be named', async () => {
    const scene: Scene = {
      databases: [
        { id: 4, name: 'db', features: ALL },
        { id: 5, name: 'db2', features: ALL },
      ],
      history: [restored, { ...restored, jobId: 'job-q', relationId: 5, database: 'db2' }],
    };
    const { action } = await stage.act('undo-restore', {}, scene);
    expect(action.failure).toContain('database=db or database=db2');
    const named = await stage.act('undo-restore', { database: 'db2' }, scene);
    expect(named.requests(5)).toMatchObject([{ undoOf: 'job-q' }]);
  });

  test('an undo can be undone', async () => {
    const undo = { ...restored, jobId: 'job-u', undoOf: 'job-r' };
    const scene = related(ALL, { history: [restored, undo] });
    const { requests } = await stage.act('undo-restore', {}, scene);
    expect(requests(4)).toMatchObject([{ undoOf: 'job-u' }]);
  });
});

describe('show-job', () => {
  test('shows the place in the queue, what is waited for, and the log of a failure', async () => {
    const queue = { position: 2, waitsFor: ['job-0', 'job-9'] };
    const waiting = await stage.act(
      'show-job',
      { 'job-id': 'job-1' },
      {
        databases: [
          { id: 4, name: 'db', units: { 'db/0': [aStatus({ phase: 'queued', queue })] } },
        ],
        history: [anEntry({ state: 'running' })],
      },
    );
    expect(waiting.action.results).toMatchObject({
      'queue-position': '2',
      'waits-for': 'job-0,job-9',
    });
    const failed = anEntry({ state: 'error', message: 'no', logTail: ['one', 'two\u001b[31m'] });
    const shown = await stage.act(
      'show-job',
      { 'job-id': 'job-1' },
      related(ALL, { history: [failed] }),
    );
    expect(shown.action.results['log']).toBe('one\ntwo [31m');
  });

  describe('by the beginning of its id', () => {
    const history = [
      'job-0190aaaa-1',
      'job-0190aaaa-2',
      'job-0190bbbb-1',
      'job-0190aaaa-3',
      'job-0190aaaa-4',
    ].map((jobId) => anEntry({ jobId, state: 'success' }));
    const show = async (jobId: string) =>
      (await stage.act('show-job', { 'job-id': jobId }, related(ALL, { history }))).action;

    test('where one job begins so', async () => {
      expect((await show('job-0190b')).results['job-id']).toBe('job-0190bbbb-1');
      expect((await show('job-0190aaaa-1')).results['job-id']).toBe('job-0190aaaa-1');
    });

    test('several are named, and too short a text is no beginning', async () => {
      expect((await show('job-0190aaaa')).failure).toBe(
        'several jobs begin with "job-0190aaaa": "job-0190aaaa-1", "job-0190aaaa-2", "job-0190aaaa-3" and others; repeat with more of the id',
      );
      expect((await show('job-')).failure).toMatch(/^no job is called "job-"/);
    });

    test('cancel-job takes it too', async () => {
      const { action } = await stage.act(
        'cancel-job',
        { 'job-id': 'job-0190b' },
        related(ALL, { history }),
      );
      expect(action.failure).toMatch(/^"job-0190bbbb-1" has ended already/);
    });
  });
});
