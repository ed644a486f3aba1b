/** Events of Juju: state in, one event, state out. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { HintError } from '#system';
import { aJob, asking, PEERS_ID, Stage } from './fakes.ts';

let stage: Stage;

beforeEach(() => {
  stage = new Stage();
});

describe('the life of a unit', () => {
  test('install makes the server and keeps its passwords in a secret of the unit', async () => {
    stage.database.kind = 'absent';

    await stage.run((on) => on.install());

    const { latestContent, owner } = stage.now.getSecret({ label: 'database-roles' });
    expect(owner).toBe('unit');
    expect(stage.database.roles?.backup).toEqual({
      name: 'juju_backup',
      password: latestContent['backup-password'],
    });
    expect(latestContent['admin-password']).not.toBe(latestContent['backup-password']);
    expect(stage.now.workloadVersion).toBe('15.20');
    expect(stage.status).toBe('active: PostgreSQL 15 on port 5433');
    expect(stage.context.unitStatusHistory.map(String)).toContain(
      'maintenance: preparing PostgreSQL',
    );
  });

  test('start makes sure that the server runs, after a reboot too, with the same passwords', async () => {
    await stage.run((on) => on.install());
    const before = stage.database.roles;
    stage.database.kind = 'down';

    await stage.run((on) => on.start());

    expect(stage.database.kind).toBe('serving');
    expect(stage.database.roles).toEqual(before);
  });

  test('stop cancels what runs and stops the server; remove takes everything away', async () => {
    await stage.ask(1, [aJob()]);
    await stage.run((on) => on.stop());
    expect(stage.runner.cancelled).toEqual(['job-1']);
    expect(stage.database.kind).toBe('down');

    await stage.run((on) => on.remove());
    expect(stage.database.kind).toBe('absent');
    expect(stage.database.calls).not.toContain('start');
  });

  test('an unknown engine blocks with the allowed values and installs nothing', async () => {
    stage.database.kind = 'absent';
    stage.now = stage.now.with({ config: { engine: 'oracle' } });

    await stage.run((on) => on.install());

    expect(stage.database.calls).toEqual([]);
    expect(stage.status).toBe('blocked: engine="oracle" is unknown: use postgresql');
  });

  test('an unusable number of backups blocks, and the jobs go on', async () => {
    stage.now = stage.now.with({ config: { 'max-concurrent-backups': 99 } });

    await stage.ask(1, [aJob()]);

    expect(stage.status).toBe('blocked: max-concurrent-backups=99 is not usable: use 1 to 8');
    expect(stage.statuses(1)).toMatchObject([{ status: 'running' }]);
  });

  test('a server found down is started; one that does not start blocks with the reason', async () => {
    stage.database.kind = 'down';
    await stage.run((on) => on.updateStatus());
    expect(stage.status).toBe('active: PostgreSQL 15 on port 5433');

    stage.database.kind = 'down';
    stage.database.startFailure = new HintError('cannot start: PANIC', {
      code: 'database-start-failed',
      hint: 'see the log',
    });
    await stage.run((on) => on.updateStatus());
    expect(stage.status).toBe('blocked: cannot start: PANIC; see the log');
  });

  test('nobody starts the server while a restore works on it', async () => {
    stage.database.kind = 'restoring';

    await stage.run((on) => on.updateStatus());

    expect(stage.database.calls).toEqual([]);
  });

  test('an interrupted restore is ended by the runner if it knows it, else by the charm', async () => {
    await stage.ask(1, [aJob({ jobType: 'restore', artefactPath: 'p/' })]);
    stage.database.kind = 'interrupted';
    await stage.progress();
    expect(stage.database.calls).not.toContain('recover');

    stage.runner.end('job-1', { state: 'error', errorCode: 'lost' });
    await stage.progress();
    expect(stage.database.calls).toContain('recover');
    expect(stage.database.kind).toBe('serving');
  });
});

describe('get-connection', () => {
  test('shows how an administrator connects', async () => {
    await stage.run((on) => on.install());

    await stage.run((on) => on.action('get-connection'));

    const secret = stage.now.getSecret({ label: 'database-roles' }).latestContent;
    expect(stage.context.actionResults).toEqual({
      host: stage.database.listenAddress ?? '127.0.0.1',
      port: '5433',
      username: 'juju_admin',
      password: secret['admin-password'],
      database: 'postgres',
      primary: 'db/0',
    });
  });

  test('fails with a sentence before there is a database', async () => {
    stage.database.kind = 'absent';

    await stage.run((on) => on.action('get-connection'));

    expect(stage.context.actionFailure).toMatch(/not installed yet; wait/);
  });
});

describe('a job', () => {
  test('is claimed by the leader, entered in the ledger, and reported as running', async () => {
    await stage.ask(1, [aJob()]);

    expect(stage.ledger()).toMatchObject({ 'job-1': { unit: 'db/0', relation: 1 } });
    expect(stage.statuses(1)).toMatchObject([
      {
        jobId: 'job-1',
        status: 'running',
        artefactPath: 'base/testing/db/backups/20261121T100000Z-job-1/',
      },
    ]);
    expect(stage.runner.specs.get('job-1')).toMatchObject({
      chunkPrefix: 'base/testing/db/chunks/',
      attributes: { model: 'testing', application: 'db', unit: 'db/0', 'job-id': 'job-1' },
    });
    expect(stage.lastEngineConfig).toMatchObject({ engine: 'postgresql', port: 5433 });
  });

  test('runs only when a later hook has read its claim from the committed ledger', async () => {
    await stage.ask(1, [aJob()]);
    expect(stage.runner.started).toEqual([]);

    await stage.progress();
    expect(stage.runner.started).toEqual(['job-1']);
  });

  test('does not run when the hook that claimed it failed, and runs when its repetition succeeds', async () => {
    const before = stage.now;
    await stage.ask(1, [aJob()]);
    // The hook failed: Juju keeps nothing of what it wrote.
    stage.now = before.withRelation(asking(1, [aJob()]));

    await stage.progress();
    expect(stage.runner.started).toEqual([]);
    await stage.progress();
    expect(stage.runner.started).toEqual(['job-1']);
    expect(Object.keys(stage.ledger())).toEqual(['job-1']);
  });

  test('reports progress, then its end, and the same event again changes nothing', async () => {
    await stage.ask(1, [aJob()]);
    await stage.progress();
    stage.runner.end('job-1', { progress: { bytes: 5, total: 10, percent: 50 } });
    await stage.progress();
    expect(stage.statuses(1)).toMatchObject([{ status: 'running', progress: { percent: 50 } }]);
    expect(stage.status).toBe('active: PostgreSQL 15 on port 5433, backing up (50%)');

    stage.runner.end('job-1', { state: 'success', size: 10, message: '10 B backed up' });
    await stage.progress();
    expect(stage.statuses(1)).toMatchObject([{ status: 'success', size: 10 }]);
    expect(stage.ledger()['job-1']?.outcome).toMatchObject({ status: 'success' });

    await stage.progress();
    expect(stage.context.hookToolCalls.filter(({ tool }) => tool === 'relation-set')).toEqual([]);
  });

  test('that was withdrawn after its end is forgotten, and its id never runs again', async () => {
    await stage.ask(1, [aJob()]);
    await stage.progress();
    stage.runner.end('job-1', { state: 'success' });
    await stage.progress();
    await stage.ask(1, []);
    expect(stage.runner.forgotten).toEqual(['job-1']);
    expect(stage.statuses(1)).toEqual([]);

    await stage.ask(1, [aJob()]);
    expect(stage.ledger()['job-1']).toMatchObject({ unit: 'db/0', outcome: { status: 'success' } });
  });

  test('whose relation goes is cancelled, and is not run again from a new relation', async () => {
    await stage.ask(1, [aJob()]);
    await stage.progress();
    await stage.run((on, now) => on.relationBroken(now.getRelation(1)));
    expect(stage.runner.cancelled).toEqual(['job-1']);
    stage.now = stage.now.with({ relations: [stage.now.getRelation(PEERS_ID)] });

    await stage.ask(2, [aJob()]);

    expect(stage.statuses(2)).toMatchObject([{ status: 'error', errorCode: 'duplicate-job-id' }]);
    expect(stage.runner.started).toEqual(['job-1']);
  });

  test('with the id of another relation is answered there, and runs once', async () => {
    await stage.ask(1, [aJob()]);
    await stage.ask(2, [aJob()]);
    await stage.progress();

    expect(stage.statuses(1)).toMatchObject([{ status: 'running' }]);
    expect(stage.statuses(2)).toMatchObject([{ status: 'error', errorCode: 'duplicate-job-id' }]);
    expect(stage.runner.started).toEqual(['job-1']);
  });

  test('of a database that is not set up is refused for good', async () => {
    stage.database.kind = 'absent';
    await stage.ask(1, [aJob()]);
    expect(stage.statuses(1)).toMatchObject([{ errorCode: 'database-not-configured' }]);

    stage.database.kind = 'serving';
    await stage.progress();
    expect(stage.statuses(1)).toMatchObject([{ errorCode: 'database-not-configured' }]);
    expect(stage.runner.records.size).toBe(0);
  });
});

describe('bad requests', () => {
  test('are answered one by one while the good ones run', async () => {
    const good = JSON.parse(
      asking(1, [aJob({ jobId: '../../etc; rm -rf "$HOME" \u0000 ☃' })]).remoteAppData['jobs'] ??
        '',
    ) as unknown[];
    await stage.ask(1, JSON.stringify([...good, { 'job-id': 'bad', 'job-type': 'dance' }, 7]));

    expect(stage.statuses(1)).toMatchObject([
      { status: 'running' },
      { jobId: 'bad', status: 'error', errorCode: 'invalid-job' },
    ]);
    expect(stage.context.jujuLog.map(({ message }) => message).join('\n')).toMatch(
      /manager-1 asks for something that is no job/,
    );
    expect(stage.status).toMatch(/unusable requests from manager-1: see juju debug-log/);
  });

  test.each(['{', 'null', '{"a":1}', '"x"'])('a list that reads %s hurts nothing', async (text) => {
    await stage.ask(1, text);

    expect(stage.statuses(1)).toEqual([]);
    expect(stage.status).toMatch(/^active: .*unusable requests/);
  });

  test('a list that becomes unreadable neither cancels nor forgets what was asked for', async () => {
    await stage.ask(1, [aJob(), aJob({ jobId: 'job-2' })]);
    await stage.progress();
    stage.runner.end('job-2', { state: 'success' });
    await stage.progress();
    const said = stage.statuses(1);
    await stage.ask(1, '{"cut off');
    await stage.progress();

    expect(stage.runner.cancelled).toEqual([]);
    expect(stage.runner.forgotten).toEqual([]);
    expect(stage.statuses(1)).toEqual(said);

    await stage.ask(1, []);
    expect(stage.runner.cancelled).toEqual(['job-1']);
  });

  test('no secret of a request gets into databags of ours or the log', async () => {
    await stage.ask(1, [aJob()]);
    await stage.progress();

    const { localUnitData } = stage.now.getRelation(1);
    const { localAppData, localUnitData: peerData } = stage.now.getRelation(PEERS_ID);
    const said = JSON.stringify([localUnitData, localAppData, peerData, stage.context.jujuLog]);
    expect(said).not.toContain('SK-PLANTED');
    expect(said).not.toContain(
      stage.now.getSecret({ label: 'database-roles' }).latestContent['backup-password'],
    );
  });
});
