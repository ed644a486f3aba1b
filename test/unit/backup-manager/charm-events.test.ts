/** Events of Juju: state in, one event, state out. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { HintError } from '#system';
import { aJob, anEntry, aStatus } from './makers.ts';
import { type Scene, Stage } from './stage.ts';

let stage: Stage;

beforeEach(() => {
  stage = new Stage();
});

describe('events of the relation', () => {
  const asked: Scene = {
    databases: [{ id: 4, name: 'db', requested: [aJob()], units: { 'db/0': [] } }],
    history: [anEntry()],
  };
  const telling = (...statuses: ReturnType<typeof aStatus>[]): Scene => ({
    ...asked,
    databases: [{ id: 4, name: 'db', requested: [aJob()], units: { 'db/0': statuses } }],
  });

  test('progress is in the status, and the request stays', async () => {
    const { unitStatus, appStatus, requests } = await stage.changed(
      4,
      telling(aStatus({ progress: { bytes: 3, total: 4 } })),
    );
    expect(unitStatus).toBe('active: 0 of 1 database protected; backing up db (75 %)');
    expect(appStatus).toBe(unitStatus);
    expect(requests(4)).toHaveLength(1);
  });

  test('success is recorded, logged and protects; the request and its keys are withdrawn', async () => {
    const { history, log, requests, unitStatus, databags } = await stage.changed(
      4,
      telling(aStatus({ status: 'success', artefactPath: 'p/', size: 1024 })),
    );
    expect(history).toMatchObject([{ state: 'success', artefactPath: 'p/' }]);
    expect(log).toContain('INFO backup of db (job-1) succeeded, 1.0 KiB, artefact p/');
    expect(unitStatus).toBe('active: 1 of 1 database protected; db backed up under 1 h ago');
    expect(requests(4)).toEqual([]);
    expect(databags()).not.toContain('PLANTED');
  });

  test('an error is recorded, logged and in the status', async () => {
    const { history, log, unitStatus } = await stage.changed(
      4,
      telling(aStatus({ status: 'error', message: 'disk full', hint: 'make room' })),
    );
    expect(history).toMatchObject([{ state: 'error', message: 'disk full' }]);
    expect(log).toContain('ERROR backup of db (job-1) failed: disk full; make room');
    expect(unitStatus).toBe(
      'active: 0 of 1 database protected; last backup of db failed: disk full; see show-job',
    );
  });

  test('the same event again changes and logs nothing', async () => {
    const first = await stage.changed(4, telling(aStatus({ status: 'success' })));
    const again = await stage.changed(4, {
      databases: [
        { id: 4, name: 'db', requested: [], units: { 'db/0': [aStatus({ status: 'success' })] } },
      ],
      history: first.history,
    });
    expect(again.history).toEqual(first.history);
    expect(again.log.filter((line) => line.includes('succeeded'))).toEqual([]);
  });

  test('nonsense from a database is logged without its values and hurts nothing', async () => {
    const { log, history } = await stage.changed(4, {
      ...asked,
      databases: [
        {
          id: 4,
          name: 'db',
          requested: [aJob()],
          units: { 'db/0': '[{"job-id":"job-1","secret-key":"SK-PLANTED"}]', 'db/1': '}{' },
        },
      ],
    });
    expect(log.join('\n')).toContain(
      'WARNING db says something that is no job status: db/0: jobs/0',
    );
    expect(log.join('\n')).toContain('db/1: jobs: is not JSON');
    expect(log.join('\n')).not.toContain('PLANTED');
    expect(history).toMatchObject([{ state: 'requested' }]);
  });

  test('a relation removed while a job runs ends it as lost', async () => {
    const { history, log, unitStatus } = await stage.broken(4, {
      ...asked,
      history: [anEntry({ state: 'running', unit: 'db/0' })],
    });
    expect(history).toMatchObject([
      { state: 'error', errorCode: 'lost', message: 'lost: relation to db removed' },
    ]);
    expect(log).toContain('ERROR backup of db (job-1) failed: lost: relation to db removed');
    expect(unitStatus).toBe(
      'blocked: no database is related; run: juju integrate <database> backup-manager',
    );
  });

  test('a leader that goes, and is taken out of its relations, leaves the jobs to the next one', async () => {
    const running = [anEntry({ state: 'running', unit: 'db/0' })];
    const lastBackups = [{ relationId: 4, finishedAt: '2026-11-20T00:00:00.000Z' }];
    const going = { ...asked, history: running, lastBackups, isGoing: true };
    const { history, log, ...after } = await stage.broken(4, going);
    expect(history).toMatchObject(running);
    expect(after.lastBackups).toEqual(lastBackups);
    expect(log.filter((line) => line.startsWith('ERROR'))).toEqual([]);
    // Nor at an event between its last hooks, when the relation is not there any more.
    const later = await stage.upkeepChanged({ ...going, databases: [] });
    expect(later.history).toMatchObject(running);
    expect(later.lastBackups).toEqual(lastBackups);
  });

  test('many idle databases are not asked anything', async () => {
    const idle = Array.from({ length: 50 }, (_, n) => ({ id: 100 + n, name: `idle-${n}` }));
    const { databases = [] } = telling(aStatus());
    const few = await stage.changed(4, telling(aStatus()));
    const many = await stage.changed(4, { ...asked, databases: [...databases, ...idle] });
    expect(many.history).toMatchObject([{ state: 'running' }]);
    expect(many.calls).toBe(few.calls);
  });

  test('a request the history has lost is taken in at the next quiet moment', async () => {
    const { history } = await stage.hook('updateStatus', { ...asked, history: [] });
    expect(history).toMatchObject([{ jobId: 'job-1', state: 'requested' }]);
  });

  test('a unit that leaves while others stay ends its job as lost', async () => {
    const { history } = await stage.departed(4, 0, {
      databases: [{ id: 4, name: 'db', requested: [aJob()], units: { 'db/0': [], 'db/1': [] } }],
      history: [anEntry({ state: 'running', unit: 'db/0' })],
    });
    expect(history).toMatchObject([{ state: 'error', message: 'lost: unit db/0 is gone' }]);
  });

  test('the last unit to leave decides nothing yet', async () => {
    const running = anEntry({ state: 'running', unit: 'db/0' });
    const { history } = await stage.departed(4, 0, { ...asked, history: [running] });
    expect(history).toEqual([running]);
  });

  test('a unit that does not lead changes nothing', async () => {
    const { history, log } = await stage.changed(4, {
      ...telling(aStatus({ status: 'success' })),
      isLeader: false,
    });
    expect(history).toEqual([anEntry()]);
    expect(log).toEqual([]);
  });
});

describe('storage and leadership', () => {
  const scene: Scene = { databases: [{ id: 4, name: 'db' }] };

  test('a new leader leaves its name', async () => {
    const { leaderName } = await stage.hook('leaderElected', scene);
    expect(leaderName).toBe('backup-manager/0');
  });

  test('incomplete settings block with what to type', async () => {
    const { unitStatus } = await stage.hook('configChanged', { ...scene, config: { bucket: '' } });
    expect(unitStatus).toBe(
      'blocked: S3 is not configured: bucket missing; run: juju config backup-manager bucket=…',
    );
    expect(stage.storage.keysSeen).toEqual([]);
  });

  test('a bucket that fails blocks, and clears itself at a later update-status', async () => {
    stage.storage.failure = new HintError('bucket "b" does not answer', {
      code: 'unreachable',
      hint: 'check endpoint',
    });
    const blocked = await stage.hook('configChanged', scene);
    expect(blocked.unitStatus).toBe('blocked: bucket "b" does not answer; check endpoint');
    stage.storage.failure = undefined;
    const cleared = await stage.hook('updateStatus', { ...scene, before: blocked });
    expect(cleared.unitStatus).toBe(
      'active: 0 of 1 database protected; run: juju run backup-manager/leader create-backup',
    );
  });

  test('changed credentials are used from the next job on', async () => {
    const { requests } = await stage.act(
      'create-backup',
      {},
      {
        ...scene,
        secret: { 'access-key': 'AK-OLD', 'secret-key': 'SK-OLD' },
        newSecret: { 'access-key': 'AK-NEW', 'secret-key': 'SK-NEW' },
      },
    );
    expect(requests(4)[0]?.storageConfig).toMatchObject({ 'access-key': 'AK-NEW' });
    expect(stage.storage.keysSeen).toEqual(['AK-NEW']);
  });

  test.each([0, 10_001])('a history-limit of %s blocks and loses nothing', async (limit) => {
    const finished = [anEntry({ state: 'success' }), anEntry({ jobId: 'job-2', state: 'success' })];
    const { unitStatus, history } = await stage.hook('configChanged', {
      ...scene,
      history: finished,
      config: { 'history-limit': limit },
    });
    expect(unitStatus).toBe(
      `blocked: history-limit must be a whole number from 1 to 10000, not ${limit}; run: juju config backup-manager history-limit=1000`,
    );
    expect(history).toEqual(finished);
  });

  test('a lower history-limit drops the oldest at once', async () => {
    const finished = [anEntry({ state: 'success' }), anEntry({ jobId: 'job-2', state: 'success' })];
    const { history } = await stage.hook('configChanged', {
      ...scene,
      history: finished,
      config: { 'history-limit': 1 },
    });
    expect(history.map(({ jobId }) => jobId)).toEqual(['job-2']);
  });

  test('what works is adopted on the way, and kept', async () => {
    stage.storage.failure = new HintError('wrong region', { code: 'wrong-region', hint: 'x' });
    const { profile } = stage.storage.report;
    stage.storage.report = {
      ...stage.storage.report,
      usable: true,
      profile: { ...profile, region: 'eu' },
    };
    const adopted = await stage.hook('configChanged', scene);
    expect(JSON.parse(adopted.profile ?? '')).toMatchObject({ region: 'eu' });
  });
});
