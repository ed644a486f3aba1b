/** What retention may touch, when it begins, and what it would do. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { LastBackup } from '../../../charms/backup-manager/src/history.ts';
import { dueForRetention, withProofs } from '../../../charms/backup-manager/src/last-backups.ts';
import {
  candidatesFor,
  retentionTargets,
} from '../../../charms/backup-manager/src/retention-targets.ts';
import * as fc from '../../helpers/fast-check.ts';
import { aJob, anEntry, artefact, aStatus, now } from './makers.ts';
import { type Scene, Stage } from './stage.ts';

const path = 'prod/shop/db/backups/20261121T020000Z-job-9/';
const last = { relationId: 4, database: 'db', finishedAt: '2026-11-21T02:00:00.000Z' };
const withPath = { ...last, artefactPath: path };
const target = { database: 'db', prefix: 'prod/shop/db/', anchor: path.slice(0, -1) };

describe('what it may touch', () => {
  test('one target for each application, however many relations lead to it', () => {
    const second = { ...withPath, relationId: 5, finishedAt: '2026-11-21T02:30:00.000Z' };
    const stranger = { ...last, relationId: 6, artefactPath: 'their/own/form' };
    expect(
      retentionTargets(
        new Map<number, LastBackup>([
          [4, withPath],
          [5, second],
          [6, stranger],
          [7, { ...last, relationId: 7 }],
        ]),
      ),
    ).toEqual([target]);
  });

  test('only backups of the model that made the last one', () => {
    const mine = { artefactPath: path, modelUuid: 'new' };
    const older = { artefactPath: 'prod/shop/db/backups/1/', modelUuid: 'new' };
    const dead = { artefactPath: 'prod/shop/db/backups/0/', modelUuid: 'old' };
    const other = { artefactPath: 'prod/shop/db2/backups/0/', modelUuid: 'new' };
    expect(candidatesFor(target, [dead, older, mine, other])).toEqual([older, mine]);
    expect(candidatesFor(target, [older, dead])).toBeUndefined();
  });

  test('never one of another prefix or model, whatever lies there', () => {
    const backup = fc.record({
      artefactPath: fc.constantFrom(
        path,
        'prod/shop/db/backups/1/',
        'prod/shop/db2/backups/1/',
        'x',
      ),
      modelUuid: fc.constantFrom('a', 'b', undefined),
    });
    fc.assert(
      fc.property(fc.array(backup), (backups) => {
        const anchor = backups.find((one) => one.artefactPath === path);
        for (const one of candidatesFor(target, backups) ?? []) {
          expect(one.artefactPath.startsWith(target.prefix)).toBe(true);
          expect(one.modelUuid).toBe(anchor?.modelUuid);
        }
      }),
    );
  });
});

function due(parts: object, isDaily: boolean): boolean {
  return dueForRetention(new Map([[4, { ...withPath, ...parts }]]), { now, isDaily }).size === 1;
}

describe('when it is due', () => {
  test.each([
    [{}, false, true],
    [{ retainedAt: '2026-11-21T02:30:00.000Z' }, false, false],
    [{ retainedAt: '2026-11-21T01:30:00.000Z' }, false, true],
    [{ retainedAt: '2026-11-21T02:30:00.000Z' }, true, false],
    [
      { finishedAt: '2026-11-01T00:00:00.000Z', retainedAt: '2026-11-20T03:00:00.000Z' },
      true,
      true,
    ],
    [
      { finishedAt: '2026-11-01T00:00:00.000Z', retainedAt: '2026-11-20T03:00:00.000Z' },
      false,
      false,
    ],
  ])('%j, daily %s: %s', (parts, isDaily, isDue) => {
    expect(due(parts, isDaily)).toBe(isDue);
  });
});

test('a proof counts for the application it is of, and a newer one more', () => {
  const before = new Map([[4, withPath]]);
  const proof = { artefactPath: path, verifiedAt: '2026-11-20T00:00:00.000Z' };
  const after = withProofs(before, [
    { artefactPath: 'prod/shop/db2/backups/1/', verifiedAt: '2026-11-21T00:00:00.000Z' },
    proof,
  ]);
  expect(after.get(4)).toMatchObject({ verifiedAt: proof.verifiedAt, verifiedPath: path });
  expect(withProofs(after, [proof])).toBe(after);
});

describe('the charm', () => {
  let stage: Stage;
  const rules = { retention: 'last=3' };
  const succeeding: Scene = {
    databases: [
      {
        id: 4,
        name: 'db',
        requested: [aJob()],
        units: { 'db/0': [aStatus({ status: 'success', artefactPath: path })] },
      },
    ],
    history: [anEntry()],
    config: rules,
  };
  const quiet: Scene = { databases: [{ id: 4, name: 'db' }], config: rules };

  beforeEach(() => {
    stage = new Stage();
    stage.storage.backups = [{ ...artefact, artefactPath: path }];
  });

  test('applies it once after each successful backup, without a sweep', async () => {
    const { lastBackups } = await stage.changed(4, succeeding);
    expect(stage.upkeep.started).toEqual([
      { kind: 'retention', subject: 'db', rules: 'last=3', targets: [target], sweeps: false },
    ]);
    stage.upkeep.known = [];
    await stage.changed(4, { ...quiet, lastBackups });
    expect(stage.upkeep.started).toHaveLength(1);
  });

  test('begins no second one beside one that runs, but after it', async () => {
    const running = { id: 'retention-0', kind: 'retention', subject: 'db2' } as const;
    stage.upkeep.known = [{ ...running, state: 'running', startedAt: '2026-11-21T02:00:00Z' }];
    const { lastBackups } = await stage.changed(4, succeeding);
    expect(stage.upkeep.started).toEqual([]);
    stage.upkeep.known = [];
    await stage.upkeepChanged({ ...quiet, lastBackups });
    expect(stage.upkeep.started).toHaveLength(1);
  });

  test('applies it daily, with a sweep', async () => {
    const old = { ...withPath, retainedAt: '2026-11-20T02:59:00.000Z', finishedAt: '2026-11-01' };
    await stage.hook('updateStatus', { ...quiet, lastBackups: [old] });
    expect(stage.upkeep.started).toMatchObject([{ sweeps: true }]);
  });

  test('does not after a failure, without rules, or with a storage that fails', async () => {
    const [database] = succeeding.databases ?? [];
    const failing = { 'db/0': [aStatus({ status: 'error' })] };
    await stage.changed(4, {
      ...succeeding,
      databases: [{ ...(database ?? { id: 4, name: 'db' }), units: failing }],
    });
    await stage.changed(4, { ...succeeding, config: {} });
    await stage.changed(4, { ...succeeding, config: { ...rules, bucket: '' } });
    expect(stage.upkeep.started).toEqual([]);
  });

  test('what cannot begin now begins at a later event', async () => {
    stage.upkeep.isBusy = true;
    const { lastBackups, log } = await stage.changed(4, succeeding);
    expect(log.join()).toContain('retention cannot begin: cannot begin now');
    stage.upkeep.isBusy = false;
    await stage.upkeepChanged({ ...quiet, lastBackups });
    expect(stage.upkeep.started).toHaveLength(1);
  });

  test('rules that are wrong block with the allowed form, and delete nothing; backups go on', async () => {
    const scene: Scene = { ...succeeding, config: { retention: 'keep=3' } };
    const { unitStatus, history } = await stage.changed(4, scene);
    expect(unitStatus).toMatch(/^blocked: cannot use retention rule "keep=3": there is no rule/);
    expect(unitStatus).toContain('for example "last=3,daily=7,weekly=4,monthly=12"');
    expect(unitStatus).toContain('juju config backup-manager retention=…');
    expect(history).toMatchObject([{ state: 'success' }]);
    expect(stage.upkeep.started).toEqual([]);
    const { requests } = await stage.act('create-backup', {}, { ...quiet, ...scene, history: [] });
    expect(requests(4)).not.toEqual([]);
  });

  test('its end is logged once, noted, and told to the other units', async () => {
    const task = { kind: 'retention', subject: 'db', startedAt: '2026-11-21T02:00:00Z' } as const;
    const proofs = [{ artefactPath: path, verifiedAt: '2026-11-20T00:00:00.000Z' }];
    const lastBackups = [{ ...withPath, retainedAt: '2026-11-21T02:30:00.000Z' }];
    const scene: Scene = { ...quiet, lastBackups };
    stage.upkeep.known = [{ ...task, id: 'r-1', state: 'running' }];
    const before = await stage.upkeepChanged(scene);
    stage.upkeep.known = [
      { ...task, id: 'r-1', state: 'success', message: 'db: 3 kept, 1 deleted', proofs },
    ];
    const after = await stage.upkeepChanged({ ...scene, before });
    expect(after.log).toContain('INFO retention of db: db: 3 kept, 1 deleted');
    expect(after.lastBackups).toMatchObject([{ verifiedAt: '2026-11-20T00:00:00.000Z' }]);
    expect(after.unitStatus).toContain('verified 27 h ago');
    expect(after.ownData['upkeep']).toContain('3 kept');
    const again = await stage.upkeepChanged({ ...scene, before: after });
    expect(again.log.join()).not.toContain('3 kept');
  });

  test('a leader takes in what another unit verified', async () => {
    const verifiedAt = '2026-11-20T00:00:00.000Z';
    const record = {
      id: 'verify-9',
      kind: 'verify',
      subject: path,
      state: 'success',
      startedAt: verifiedAt,
      proofs: [{ artefactPath: path, verifiedAt }],
    };
    const { lastBackups } = await stage.hook('updateStatus', {
      ...quiet,
      config: {},
      lastBackups: [withPath],
      upkeepOfPeer: JSON.stringify([record, 'nonsense', { id: 5 }]),
    });
    expect(lastBackups).toMatchObject([{ verifiedAt }]);
  });
});

/** A backup that gave its last sign of life so many hours ago. */
function attemptOf(hours: number, app = 'db') {
  const at = new Date(now.getTime() - hours * 3_600_000).toISOString();
  const artefactPath = `prod/shop/${app}/backups/${hours}/`;
  return {
    artefactPath,
    message: 'never completed',
    attempt: { artefactPath, startedAt: at, lastSignAt: at },
  };
}

describe('plan-retention and sweep', () => {
  let stage: Stage;
  const scene: Scene = {
    databases: [{ id: 4, name: 'db' }],
    lastBackups: [withPath],
    config: { retention: 'last=1' },
  };

  beforeEach(() => {
    stage = new Stage();
    const older = {
      ...artefact,
      artefactPath: 'prod/shop/db/backups/20261101T020000Z-job-1/',
      createdAt: '2026-11-01T02:00:00.000Z',
    };
    const foreign = { ...older, artefactPath: 'prod/other/db/backups/20261101T020000Z-job-1/' };
    stage.storage.backups = [older, { ...artefact, artefactPath: path }, foreign];
  });

  test('explains each decision and deletes nothing', async () => {
    const { action } = await stage.act('plan-retention', {}, scene);
    const [, first, second] = action.results['plan']?.split('\n') ?? [];
    expect(first).toMatch(/^keep .* newest, last 1 of 1$/);
    expect(second).toMatch(/^delete .* 20 d .* no rule keeps it$/);
    expect(action.results).toMatchObject({ keep: '1', delete: '1', untouched: '1' });
    expect(stage.storage.deeds).toEqual([]);
  });

  test('tries other rules', async () => {
    const { action } = await stage.act('plan-retention', { retention: 'last=5' }, scene);
    expect(action.results).toMatchObject({ keep: '2', delete: '0', rules: 'last=5' });
  });

  test.each([
    [{ retention: 'last=x' }, {}, 'cannot use retention rule "last=x"'],
    [{}, { config: {} }, 'retention is off: all backups are kept'],
    [{}, { lastBackups: [] }, 'no backup was made over a present relation'],
    [{ database: 'other' }, {}, 'no backup was made of "other"'],
  ])('with %j and %j fails', async (params, parts, message) => {
    const { action } = await stage.act('plan-retention', params, { ...scene, ...parts });
    expect(action.failure).toContain(message);
  });

  test('a sweep begins in the background', async () => {
    const { action } = await stage.act('sweep', { 'dry-run': true }, scene);
    expect(stage.upkeep.started).toEqual([
      {
        kind: 'sweep',
        subject: 'db',
        prefixes: ['prod/shop/db/'],
        isDryRun: true,
        rules: 'last=1',
      },
    ]);
    expect(action.results['job-id']).toBe('sweep-1');
  });

  test('a sweep does not begin with rules nobody can read', async () => {
    const { action } = await stage.act('sweep', {}, { ...scene, config: { retention: 'fail=2' } });
    expect(action.failure).toContain('there is no rule "fail"');
    expect(stage.upkeep.started).toEqual([]);
  });

  test('says of each backup that was never completed whether its remains stay', async () => {
    stage.storage.unfinished = [
      attemptOf(1),
      attemptOf(80),
      attemptOf(90),
      attemptOf(99, 'other'),
      { artefactPath: 'prod/shop/db/backups/x/', message: 'damaged' },
    ];
    const params = { retention: 'failed=1' };
    const { action } = await stage.act('plan-retention', params, scene);
    const [, ...rows] = action.results['failed']?.split('\n') ?? [];
    expect(rows).toHaveLength(3);
    expect(rows[0]).toMatch(/^keep .* younger than 72 h, so that it may still run$/);
    expect(rows[1]).toMatch(/^keep .*backups\/80\/.* failed 1 of 1$/);
    expect(rows[2]).toMatch(/^delete .*backups\/90\/.* failed, and no rule keeps it$/);
    // And nothing that is complete goes by a rule about what failed.
    expect(action.results).toMatchObject({ keep: '2', delete: '0' });
    const { action: asJson } = await stage.act(
      'plan-retention',
      { ...params, format: 'json' },
      scene,
    );
    expect(JSON.parse(asJson.results['failed'] ?? '')).toMatchObject([
      { decision: 'keep' },
      { decision: 'keep', reasons: ['failed 1 of 1'] },
      { decision: 'delete' },
    ]);
  });
});
