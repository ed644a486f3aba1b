import { describe, expect, test } from '@jest/globals';
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
  expect(status({ lastBackups: protectedMap })).toBe('active: 1 of 2 databases protected');
  const history = [anEntry({ state: 'success' })];
  expect(status({ history })).toBe('active: 0 of 2 databases protected');
  expect(status({ databases: [{ relationId: 4 }], history })).toBe(
    'active: 0 of 1 database protected',
  );
});

test('where nothing was ever asked it says what to type', () => {
  expect(status()).toBe(
    'active: 0 of 2 databases protected; run: juju run backup-manager/leader create-backup',
  );
});

describe('of a long fault the status keeps what is wrong, and the command that tells more', () => {
  const place = 'cannot list bucket "backups" at https://s3.eu-central.example.com:9000';
  const command = 'run: juju run backup-manager/leader check-storage';
  const hint = 'create the bucket, or correct the bucket setting of the application';

  test.each([
    [
      `${place}: there is no such bucket`,
      `blocked: S3 bucket "backups": there is no such bucket; ${command}`,
    ],
    [
      `${place}: connection refused`,
      `blocked: S3 at s3.eu-central.example.com:9000: connection refused; ${command}`,
    ],
    [
      'cannot list bucket "b" at http://127.0.0.1:1: connection refused (ECONNREFUSED)',
      `blocked: S3 bucket "b" at 127.0.0.1:1: connection refused (ECONNREFUSED); ${command}`,
    ],
    [
      `${place}: ${'x'.repeat(100)}`,
      expect.stringMatching(
        /^blocked: S3: x+…; run: juju run backup-manager\/leader check-storage$/,
      ),
    ],
    [`no answer within 8 s from ${'y'.repeat(90)}`, expect.stringContaining(command)],
  ])('%s', (message, shown) => {
    const text = status({ fault: { code: 'x', message, hint } });
    expect(text).toEqual(shown);
    expect(text.replace('blocked: ', '').length).toBeLessThanOrEqual(120);
  });

  test('wrong settings keep the command that ends them', () => {
    const fault = {
      code: 'bad-secret',
      message: 'z'.repeat(90),
      hint: 'run: juju update-secret …',
    };
    expect(status({ fault })).toContain('; run: juju update-secret …');
  });
});

test('it tells what proves that backups restore, and in what time', () => {
  const last = {
    relationId: 4,
    database: 'db',
    finishedAt: '2026-11-21T00:00:00.000Z',
    verifiedAt: '2026-11-20T03:00:00.000Z',
  };
  const databases = [{ relationId: 4 }];
  const text = (parts: object): string =>
    status({ databases, lastBackups: new Map([[4, { ...last, ...parts }]]) });
  const proof = { restoredAt: last.verifiedAt, restoreSeconds: 252 };
  expect(text({})).toContain('db backed up 3 h ago, verified 24 h ago');
  expect(text(proof)).toContain('db backed up 3 h ago, proved restorable 24 h ago in 4 min 12 s');
  expect(text({ ...proof, verifiedAt: '2026-11-21T01:00:00.000Z' })).toContain('verified 2 h ago');
});

test('it says when a backup is much smaller than the one before', () => {
  const last = {
    relationId: 4,
    database: 'db',
    finishedAt: 'x',
    size: 2 * 1024 ** 2,
    shrunkFrom: 3 * 1024 ** 3,
  };
  expect(status({ lastBackups: new Map([[4, last]]) })).toContain(
    'last backup of db has 2.0 MiB, the one before 3.0 GiB',
  );
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
