/** What follows from backups and restores for what is known of each database. */
import { describe, expect, test } from '@jest/globals';
import type { HistoryEntry, LastBackup } from '../../../charms/backup-manager/src/history.ts';
import {
  dueForRetention,
  shrunkFrom,
  withRestores,
} from '../../../charms/backup-manager/src/last-backups.ts';
import { planReconcile } from '../../../charms/backup-manager/src/reconcile.ts';
import { anEntry, anInput, aRelation, aStatus, now } from './makers.ts';

const last: LastBackup = {
  relationId: 4,
  database: 'db',
  finishedAt: '2026-11-21T02:00:00.000Z',
  artefactPath: 'm/db/backups/2/',
  size: 1000,
};
const known = new Map([[4, last]]);

function afterBackup(size: number, lastBackups = known) {
  const done = aStatus({ status: 'success', size, artefactPath: 'm/db/backups/3/' });
  return planReconcile(anInput({ lastBackups, relations: [aRelation({ statuses: [done] })] }))
    .lastBackups;
}

describe('a backup much smaller than the one before', () => {
  test.each([
    [1000, 499, 1000],
    [1000, 500, undefined],
    [1000, 5000, undefined],
    [undefined, 5, undefined],
    [1000, undefined, undefined],
  ])('from %s to %s bytes: %s', (before, size, shrunk) => {
    expect(shrunkFrom(before, size)).toBe(shrunk);
  });

  test('is marked until the next one, and retention waits for that', () => {
    const small = afterBackup(10);
    expect(small.get(4)).toMatchObject({ size: 10, shrunkFrom: 1000 });
    expect(dueForRetention(small, { now, isDaily: true }).size).toBe(0);
    const next = afterBackup(11, new Map(small));
    expect(next.get(4)?.shrunkFrom).toBeUndefined();
    expect(dueForRetention(next, { now, isDaily: true }).size).toBe(1);
  });
});

describe('a restore that ended well proves that backups restore, and measures how long it takes', () => {
  const restore = anEntry({
    jobType: 'restore',
    state: 'success',
    artefactPath: 'm/db/backups/1/',
    startedAt: '2026-11-21T02:10:00.000Z',
    finishedAt: '2026-11-21T02:14:12.000Z',
  });
  const proved = {
    restoredAt: restore.finishedAt,
    restoreSeconds: 252,
    verifiedAt: restore.finishedAt,
    verifiedPath: restore.artefactPath,
  };

  test.each<readonly [string, HistoryEntry, boolean]>([
    ['a restore', restore, true],
    ['a dry run', { ...restore, isDryRun: true }, true],
    ['into another application', { ...restore, relationId: 9, database: 'other' }, true],
    ['one that failed', { ...restore, state: 'error' }, false],
    ['one that was forced, perhaps past damage', { ...restore, isForced: true }, false],
    ['an undo', { ...restore, undoOf: 'job-0' }, false],
    ['of what another application made', { ...restore, artefactPath: 'm/x/backups/1/' }, false],
    ['one whose start nobody told', { ...restore, startedAt: undefined }, false],
    ['a backup', { ...restore, jobType: 'backup' }, false],
  ])('%s', (_, entry, counts) => {
    expect(withRestores(known, [entry]).get(4)).toEqual(counts ? { ...last, ...proved } : last);
  });
});
