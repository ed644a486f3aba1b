/** Who runs a job where an application has several units: state in, one event, state out. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { peerRelation } from '#ops/testing';
import { aJob, asking, PEERS_ID, Stage } from './fakes.ts';

let stage: Stage;

function withPeer(ledger: string, peers: Record<number, Record<string, string>>) {
  return peerRelation({
    endpoint: 'database-peers',
    id: PEERS_ID,
    localAppData: { ledger },
    peers,
  });
}

beforeEach(() => {
  stage = new Stage();
});

describe('several units', () => {
  test('only the leader claims', async () => {
    stage = new Stage({ leader: false });

    await stage.ask(1, [aJob()]);

    expect(stage.runner.records.size).toBe(0);
    expect(stage.statuses(1)).toEqual([]);
  });

  test('a unit that leads no more finishes and reports what it claimed', async () => {
    await stage.ask(1, [aJob()]);
    await stage.progress();
    stage.now = stage.now.with({ leader: false });

    stage.runner.end('job-1', { state: 'success', artefactPath: 'p/' });
    await stage.progress();

    expect(stage.statuses(1)).toMatchObject([{ status: 'success' }]);
    expect(stage.now.getRelation(PEERS_ID).localUnitData['outcomes']).toContain('"success"');
    expect(stage.ledger()['job-1']?.outcome).toBeUndefined();
  });

  test('the new leader leaves the jobs of a living unit alone and notes how they end', async () => {
    await stage.ask(1, [aJob()]);
    const ledger = stage.now.getRelation(PEERS_ID).localAppData['ledger'] ?? '';
    const other = new Stage({ unitId: 1 });
    const outcomes = JSON.stringify([['job-1', { status: 'success', artefactPath: 'p/' }]]);
    other.now = other.now.withRelation(withPeer(ledger, { 0: { outcomes } }));

    await other.ask(1, [aJob()]);

    expect(other.runner.records.size).toBe(0);
    expect(other.statuses(1)).toEqual([]);
    expect(other.ledger()['job-1']).toMatchObject({ unit: 'db/0', outcome: { status: 'success' } });
  });

  test('a job whose unit was removed ends as lost and is not run again', async () => {
    await stage.ask(1, [aJob({ jobType: 'restore', artefactPath: 'p/' })]);
    const ledger = stage.now.getRelation(PEERS_ID).localAppData['ledger'] ?? '';
    const other = new Stage({ unitId: 1 });
    other.now = other.now
      .withRelation(withPeer(ledger, { 0: {} }))
      .withRelation(asking(1, [aJob({ jobType: 'restore', artefactPath: 'p/' })]));

    await other.run((on, now) =>
      on.relationDeparted(now.getRelation(PEERS_ID), { remoteUnit: 0, departingUnit: 'db/0' }),
    );
    await other.progress();

    expect(other.statuses(1)).toMatchObject([{ status: 'error', errorCode: 'lost' }]);
    expect(other.runner.records.size).toBe(0);
  });

  describe('a primary the leader does not see', () => {
    let young: Stage;

    beforeEach(async () => {
      await stage.ask(1, [aJob()]);
      const { localAppData } = stage.now.getRelation(PEERS_ID);
      young = new Stage({ unitId: 1, leader: false });
      young.now = young.now
        .withRelation({ ...withPeer('', { 0: {} }), localAppData })
        .withRelation(asking(1, [aJob()]));
    });

    async function leave(): Promise<void> {
      await young.run((on, now) =>
        on.relationDeparted(now.getRelation(PEERS_ID), { remoteUnit: 0, departingUnit: 'db/0' }),
      );
      const { localAppData } = young.now.getRelation(PEERS_ID);
      young.now = young.now.withRelation({ ...withPeer('', {}), localAppData });
    }

    test('lives where the controller knows it: nothing is taken from it, not even at update-status', async () => {
      const { localAppData } = young.now.getRelation(PEERS_ID);
      young.now = young.now
        .withRelation({ ...withPeer('', {}), localAppData })
        .with({ leader: true, plannedUnits: 2 });
      await young.run((on) => on.leaderElected());
      await young.run((on) => on.updateStatus());
      await young.ask(1, [aJob(), aJob({ jobId: 'job-2' })]);

      expect(young.statuses(1)).toEqual([]);
      expect(young.runner.records.size).toBe(0);
      expect(young.ledger()['job-2']).toMatchObject({ unit: 'db/0', epoch: 1 });
    });

    test('that left before this unit led is missed as soon as it leads', async () => {
      await leave();
      expect(young.statuses(1)).toEqual([]);

      young.now = young.now.with({ leader: true });
      await young.run((on) => on.leaderElected());

      expect(young.statuses(1)).toMatchObject([
        { jobId: 'job-1', status: 'error', errorCode: 'lost' },
      ]);
      expect(young.ledger()['job-1']).toMatchObject({ unit: 'db/0', isOrphan: true });
      await young.ask(1, [aJob(), aJob({ jobId: 'job-2' })]);
      await young.progress();
      expect(young.runner.started).toEqual(['job-2']);
      expect(young.ledger()['job-2']).toMatchObject({ unit: 'db/1', epoch: 2, isTaken: true });
      expect(young.statuses(1)).toMatchObject([
        { jobId: 'job-2', status: 'running' },
        { jobId: 'job-1', errorCode: 'lost' },
      ]);
    });
  });

  test('a leader that goes, and is taken out of its relations, leaves what the ledger tells', async () => {
    await stage.ask(1, [aJob()]);
    await stage.progress();
    stage.runner.end('job-1', { state: 'success', artefactPath: 'p/', message: 'done' });
    await stage.progress();
    const told = stage.ledger()['job-1'];
    expect(told?.outcome).toMatchObject({ status: 'success', artefactPath: 'p/' });

    const before = stage.now;
    stage.now = before.with({ plannedUnits: 0 });
    await stage.run((on, now) => on.relationBroken(now.getRelation(1)));
    expect(stage.ledger()['job-1']).toEqual(told);

    // Where the relation goes and the unit stays, only the id is kept.
    stage.now = before;
    await stage.run((on, now) => on.relationBroken(now.getRelation(1)));
    expect(stage.ledger()['job-1']?.outcome).toEqual({ status: 'success' });
  });

  test('the leader assigns a new job to the primary, who claims it, says so, and then runs it', async () => {
    const primary = JSON.stringify({ unit: 'db/0', epoch: 1 });
    const other = new Stage({ unitId: 1 });
    other.now = other.now.withRelation({
      ...withPeer('[]', { 0: {} }),
      localAppData: { ledger: '[]', primary },
    });
    await other.ask(1, [aJob()]);
    expect(other.runner.records.size).toBe(0);
    expect(other.ledger()['job-1']).toMatchObject({ unit: 'db/0', epoch: 1 });
    expect(other.ledger()['job-1']?.isTaken).toBeUndefined();

    const { localAppData } = other.now.getRelation(PEERS_ID);
    stage = new Stage({ leader: false });
    stage.now = stage.now.withRelation({ ...withPeer('', { 1: {} }), localAppData });
    await stage.ask(1, [aJob()]);
    expect(stage.statuses(1)).toMatchObject([{ jobId: 'job-1', status: 'running' }]);
    expect(stage.runner.started).toEqual([]);
    const said = stage.now.getRelation(PEERS_ID).localUnitData;
    expect(said['claims']).toBe('["job-1"]');
    await stage.progress();
    expect(stage.runner.started).toEqual(['job-1']);

    other.now = other.now.withRelation({
      ...withPeer('', { 0: { claims: said['claims'] ?? '' } }),
      localAppData,
    });
    await other.progress();
    expect(other.ledger()['job-1']).toMatchObject({ unit: 'db/0', isTaken: true });
  });

  test('a primary that has claimed a job and lost its journal does not take it up again', async () => {
    const ledger = JSON.stringify([
      ['job-1', { unit: 'db/0', relation: 1, claimedAt: '', epoch: 1 }],
    ]);
    stage.now = stage.now.withRelation({
      ...withPeer(ledger, {}),
      localAppData: { ledger, primary: JSON.stringify({ unit: 'db/0', epoch: 1 }) },
      localUnitData: { claims: '["job-1"]' },
    });
    await stage.ask(1, [aJob()]);
    expect(stage.runner.committed).toEqual(new Set(['job-1']));
  });

  test('a job assigned in an earlier epoch is not taken up any more', async () => {
    const ledger = JSON.stringify([
      ['job-1', { unit: 'db/0', relation: 1, claimedAt: '', epoch: 1 }],
    ]);
    stage.now = stage.now.withRelation({
      ...withPeer(ledger, {}),
      localAppData: { ledger, primary: JSON.stringify({ unit: 'db/0', epoch: 2 }) },
    });
    await stage.ask(1, [aJob()]);
    expect(stage.runner.committed).toEqual(new Set(['job-1']));
  });

  test('a primary that is not set up refuses what it is assigned, for good', async () => {
    const ledger = JSON.stringify([
      ['job-1', { unit: 'db/0', relation: 1, claimedAt: '', epoch: 1 }],
    ]);
    stage.now = stage.now.withRelation({
      ...withPeer(ledger, {}),
      localAppData: { ledger, primary: JSON.stringify({ unit: 'db/0', epoch: 1 }) },
    });
    stage.database.kind = 'absent';
    await stage.ask(1, [aJob()]);
    expect(stage.runner.specs.get('job-1')?.refusal).toMatchObject({
      code: 'database-not-configured',
    });
  });

  test('with a damaged ledger nothing new is claimed, and the status says so', async () => {
    stage.now = stage.now.withRelation(withPeer('{', {}));

    await stage.ask(1, [aJob()]);

    expect(stage.runner.records.size).toBe(0);
    expect(stage.status).toMatch(/^blocked: the job ledger .* is damaged/);
    expect(stage.now.getRelation(PEERS_ID).localAppData['ledger']).toBe('{');
  });
});
