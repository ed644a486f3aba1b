/** The pure parts of the charm: ledger, settings, names, status. */
import { describe, expect, test } from '@jest/globals';
import type { JobRecord } from '#backup-runner';
import {
  advanceLedger,
  encodeLedger,
  encodeOutcomes,
  type Ledger,
  type LedgerChange,
  parseLedger,
  parseOutcomes,
  takeIn,
} from '../../../charms/database/src/ledger.ts';
import {
  type Election,
  electPrimary,
  encodePrimary,
  parsePrimary,
} from '../../../charms/database/src/primary.ts';
import { parseSettings, type RawSettings } from '../../../charms/database/src/settings.ts';
import { describeUnit } from '../../../charms/database/src/status.ts';
import { unitHome } from '../../../charms/database/src/unit-home.ts';
import {
  array,
  assert as holds,
  property,
  string,
  uniqueArray,
  webUrl,
} from '../../helpers/fast-check.ts';
import { NOW } from './fakes.ts';

function aChange(fields: Partial<LedgerChange> = {}): LedgerChange {
  return {
    claimed: [],
    assigned: [],
    refused: [],
    claims: new Map(),
    outcomes: new Map(),
    requested: new Set(),
    unit: 'db/0',
    now: NOW,
    ...fields,
  };
}

const claim = (...jobIds: string[]): LedgerChange =>
  aChange({
    claimed: jobIds.map((jobId) => ({ jobId, relation: 1 })),
    requested: new Set(jobIds),
  });

const raw = (fields: Partial<RawSettings>): RawSettings => ({
  engine: 'postgresql',
  maxConcurrentBackups: 2,
  'job-start-deadline': 0,
  'job-run-deadline': 0,
  'job-stall-deadline': 3600,
  'restore-keep-hours': 24,
  'network-limit': '',
  'disk-limit': '',
  'backup-priority': 'normal',
  ...fields,
});

const aRecord = (fields: Partial<JobRecord>): JobRecord => ({
  jobId: 'j',
  jobType: 'backup',
  compression: true,
  state: 'running',
  claimedAt: NOW.toISOString(),
  ...fields,
});

describe('the ledger', () => {
  test('survives its text, whatever the job ids are', () => {
    holds(
      property(uniqueArray(string()), (jobIds) => {
        const ledger = advanceLedger(new Map(), claim(...jobIds));

        expect(parseLedger(encodeLedger(ledger))).toEqual(ledger);
        expect([...ledger.keys()]).toEqual(jobIds);
      }),
    );
  });

  test('never changes the unit or the outcome of a job', () => {
    const first = advanceLedger(new Map(), claim('j'));
    const ended = advanceLedger(
      first,
      aChange({
        outcomes: new Map([['db/0', new Map([['j', { status: 'success' }]])]]),
        requested: new Set(['j']),
      }),
    );
    const outcomes = new Map([
      ['db/0', new Map([['j', { status: 'error' as const }]])],
      ['db/1', new Map([['j', { status: 'error' as const }]])],
    ]);
    const heard = takeIn(ended, { outcomes, claims: new Map(), goneUnits: ['db/0'] });
    const later = advanceLedger(heard, aChange({ ...claim('j'), unit: 'db/1', outcomes }));

    expect(later.get('j')).toMatchObject({
      unit: 'db/0',
      outcome: { status: 'success' },
      isOrphan: true,
    });
  });

  test('takes what a unit that is gone had not ended for lost, by its last word', () => {
    const before = advanceLedger(new Map(), claim('told', 'open'));
    const outcomes = new Map([['db/0', new Map([['told', { status: 'success' as const }]])]]);
    const heard = takeIn(before, { outcomes, claims: new Map(), goneUnits: ['db/0'] });

    expect(heard.get('told')?.outcome).toEqual({ status: 'success' });
    expect(heard.get('open')?.outcome).toMatchObject({ status: 'error', errorCode: 'lost' });
    expect(takeIn(heard, { outcomes, claims: new Map(), goneUnits: ['db/0'] })).toEqual(heard);
  });

  test('believes a unit about its own jobs only', () => {
    const ledger = advanceLedger(
      advanceLedger(new Map(), claim('j')),
      aChange({
        outcomes: new Map([['db/7', new Map([['j', { status: 'success' }]])]]),
        requested: new Set(['j']),
      }),
    );

    expect(ledger.get('j')?.outcome).toBeUndefined();
  });

  test('keeps withdrawn ids without their words, and only the newest when there are many', () => {
    let ledger: Ledger = advanceLedger(new Map(), {
      ...claim('old'),
      outcomes: new Map([
        ['db/0', new Map([['old', { status: 'error', message: 'm'.repeat(5_000) }]])],
      ]),
    });
    expect(ledger.get('old')?.outcome?.message?.length).toBeLessThan(400);
    ledger = advanceLedger(ledger, aChange());
    expect(ledger.get('old')?.outcome).toEqual({ status: 'error' });

    const many = Array.from({ length: 700 }, (_, index) => `job-${index}`);
    ledger = advanceLedger(advanceLedger(ledger, claim(...many)), aChange());
    expect(ledger.size).toBe(500);
    expect(ledger.has('job-699')).toBe(true);
    expect(ledger.has('old')).toBe(false);
  });

  test('never drops an id that is still asked for', () => {
    const many = Array.from({ length: 700 }, (_, index) => `job-${index}`);

    expect(advanceLedger(new Map(), claim(...many)).size).toBe(700);
  });

  test.each(['', '{', 'null', '{}', '[1]', '[["a"]]', '[["a",{}]]'])(
    'that reads %s is damaged, not empty',
    (text) => {
      expect(parseLedger(text)).toBeUndefined();
    },
  );

  test('outcomes survive their text, and damaged text says nothing', () => {
    const outcomes = new Map([['j', { status: 'success' as const, artefactPath: 'p/' }]]);

    expect(parseOutcomes(encodeOutcomes(outcomes))).toEqual(outcomes);
    for (const text of [undefined, '', '{', 'null', '{}', '[["a"]]', '[["a",{"status":"x"}]]']) {
      expect(parseOutcomes(text).size).toBe(0);
    }
  });
});

const elect = (fields: Partial<Election> = {}) =>
  electPrimary({
    recorded: undefined,
    ledger: new Map(),
    self: 'db/1',
    living: new Set(['db/0', 'db/1']),
    gone: new Set(),
    ...fields,
  });

describe('the primary', () => {
  const recorded = { unit: 'db/0', epoch: 3 };
  const former = advanceLedger(new Map(), claim('j'));

  test('is the first leader, and stays whoever leads', () => {
    expect(elect()).toEqual({ unit: 'db/1', epoch: 1 });
    expect(elect({ recorded })).toEqual(recorded);
    expect(elect({ recorded, living: new Set(['db/1']) })).toEqual(recorded);
  });

  test('is replaced by the leader when it is gone, in a new epoch', () => {
    expect(elect({ recorded, gone: new Set(['db/0']) })).toEqual({ unit: 'db/1', epoch: 4 });
  });

  test('of a version without a record is the unit that ran the last job, once it is seen', () => {
    expect(elect({ ledger: former })).toEqual({ unit: 'db/0', epoch: 1 });
    expect(elect({ ledger: former, living: new Set(['db/1']) })).toBeUndefined();
    expect(elect({ ledger: former, gone: new Set(['db/0']) })).toEqual({ unit: 'db/1', epoch: 1 });
  });

  test('survives its text; damaged text is no record', () => {
    expect(parsePrimary(encodePrimary(recorded))).toEqual(recorded);
    for (const text of [undefined, '', '{', 'null', '[]', '{"unit":"db/0"}', '{"epoch":1}']) {
      expect(parsePrimary(text)).toBeUndefined();
    }
  });
});

describe('settings', () => {
  test('that are right have no issues', () => {
    expect(parseSettings(raw({ maxConcurrentBackups: 3 }))).toEqual({
      hasEngine: true,
      maxConcurrentBackups: 3,
      rates: {},
      backupPriority: 'normal',
      restoreKeepHours: 24,
      deadlines: { stallSeconds: 3600 },
      issues: [],
    });
  });

  test.each([0, 9, -1, 1.5, Number.NaN])('%s concurrent backups are named', (count) => {
    const { issues, maxConcurrentBackups } = parseSettings(raw({ maxConcurrentBackups: count }));

    expect(issues).toEqual([`max-concurrent-backups=${count} is not usable: use 1 to 8`]);
    expect(maxConcurrentBackups).toBe(1);
  });

  test.each([-1, 8761, Number.NaN])(
    '%s hours to keep replaced data are named, and drop none',
    (hours) => {
      expect(parseSettings(raw({ 'restore-keep-hours': hours }))).toMatchObject({
        restoreKeepHours: 24,
        issues: [`restore-keep-hours=${hours} is not usable: use 0 to 8760`],
      });
    },
  );

  test('a limit below zero is named and sets none', () => {
    expect(parseSettings(raw({ 'job-run-deadline': -5, 'job-start-deadline': 60 }))).toMatchObject({
      deadlines: { startSeconds: 60, stallSeconds: 3600 },
      issues: ['job-run-deadline=-5 is not usable: use seconds, or 0'],
    });
  });
});

describe('the home of a unit', () => {
  test('differs between units and models, and is safe as a path', () => {
    const identities = ['db/0', 'db/1', 'my-db/0'].flatMap((unitName) =>
      ['m1', 'm2'].map((modelUuid) => unitHome({ unitName, modelUuid }, '/state')),
    );

    expect(new Set(identities.map((home) => home.cluster)).size).toBe(6);
    for (const { cluster, stateDirectory } of identities) {
      expect(cluster).toMatch(/^[a-z0-9_]+$/);
      expect(stateDirectory).toBe(`/state/${cluster}`);
    }
  });

  test('stays the same', () => {
    expect(unitHome({ unitName: 'db/0', modelUuid: 'm' }, '/s')).toEqual(
      unitHome({ unitName: 'db/0', modelUuid: 'm' }, '/s'),
    );
  });
});

describe('the status', () => {
  const serving = { kind: 'serving', major: '15', port: 5433 } as const;
  const say = (fields: Partial<Parameters<typeof describeUnit>[0]>): string =>
    describeUnit({ issues: [], state: serving, jobs: [], ...fields })
      .map(String)
      .join(' | ');

  test('says what serves, what runs and how far it is', () => {
    expect(say({})).toBe('active: PostgreSQL 15 on port 5433');
    expect(say({ jobs: [aRecord({ state: 'success' })] })).toBe(
      'active: PostgreSQL 15 on port 5433',
    );
    expect(say({ jobs: [aRecord({}), aRecord({})] })).toContain('2 backups running');
    expect(
      say({ jobs: [aRecord({ jobType: 'restore', progress: { bytes: 1, percent: 33.9 } })] }),
    ).toBe('maintenance: restoring (33%)…');
  });

  test('says which of several units is backed up', () => {
    expect(say({ role: 'primary', primary: 'db/0' })).toBe(
      'active: PostgreSQL 15 on port 5433, primary',
    );
    expect(say({ role: 'other', primary: 'db/0' })).toBe(
      'active: PostgreSQL 15 on port 5433, not backed up: db/0 is the primary',
    );
  });

  test('says why it does not serve', () => {
    expect(say({ state: { kind: 'absent' } })).toBe('maintenance: installing PostgreSQL');
    expect(say({ state: { ...serving, kind: 'down' } })).toBe(
      'maintenance: starting PostgreSQL 15',
    );
    expect(say({ state: { ...serving, kind: 'interrupted' } })).toMatch(/back to order/);
    expect(say({ problem: 'no disk' })).toMatch(/^blocked: no disk/);
  });

  test('names any requirer whose requests cannot be used', () => {
    holds(
      property(array(webUrl(), { minLength: 1 }), (unreadable) => {
        expect(say({ unreadable })).toContain(unreadable.join(', '));
      }),
    );
  });
});
