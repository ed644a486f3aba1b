import { expect, test } from '@jest/globals';
import { describeStatus, type StatusInput } from '../../../charms/backup-manager/src/status.ts';
import { anEntry, aStatus, now } from './makers.ts';

const protectedMap = new Map([[4, { relationId: 4, finishedAt: 'x' }]]);

function status(parts: Partial<StatusInput> = {}): string {
  const { kind, message } = describeStatus({
    application: 'backup-manager',
    fault: undefined,
    databases: [{ relationId: 4 }, { relationId: 5 }],
    history: [],
    lastBackups: new Map(),
    live: new Map(),
    upkeep: [],
    now,
    ...parts,
  });
  return `${kind}: ${message}`;
}

test('a fault blocks and says what to type', () => {
  expect(status({ fault: { code: 'x', message: 'no bucket', hint: 'run: juju config …' } })).toBe(
    'blocked: no bucket; run: juju config …',
  );
});

test('without a database it says how to relate one', () => {
  expect(status({ databases: [] })).toBe(
    'blocked: no database is related; run: juju integrate <database> backup-manager',
  );
});

test('it counts the protected databases', () => {
  expect(status()).toBe('active: 0 of 2 databases protected');
  expect(status({ lastBackups: protectedMap })).toBe('active: 1 of 2 databases protected');
  expect(status({ databases: [{ relationId: 4 }] })).toBe('active: 0 of 1 database protected');
});

test('it says what is requested and what runs, with percent where known', () => {
  expect(
    status({
      history: [
        anEntry(),
        anEntry({ jobId: 'job-2', state: 'running', jobType: 'restore', database: 'db2' }),
      ],
      live: new Map([['job-2', aStatus({ progress: { bytes: 1, percent: 42, etaSeconds: 200 } })]]),
    }),
  ).toBe(
    'active: 0 of 2 databases protected; backing up db (requested); restoring db2 (42 %, 3 min 20 s left)',
  );
});

test('a failure is shown on one line until a later job of that kind succeeds', () => {
  const failed = anEntry({ state: 'error', message: `disk\nfull ${'!'.repeat(200)}` });
  const shown = status({ history: [failed] });
  expect(shown).toContain('; last backup of db failed: disk full !!!');
  expect(shown).not.toContain('\n');
  expect(shown.length).toBeLessThan(150);
  const better = anEntry({ jobId: 'job-2', state: 'success' });
  expect(status({ history: [failed, better] })).toBe('active: 0 of 2 databases protected');
  const otherKind = anEntry({ jobId: 'job-2', state: 'success', jobType: 'restore' });
  expect(status({ history: [failed, otherKind] })).toContain('last backup of db failed');
});

test('failures of databases no longer related are history', () => {
  expect(status({ history: [anEntry({ state: 'error', relationId: 99 })] })).toBe(
    'active: 0 of 2 databases protected',
  );
});
