import { describe, expect, test } from '@jest/globals';
import { parseRetention, planRetention, type RetentionCandidate } from '#snapshots';
import * as fc from '../../../helpers/fast-check.ts';

function backup(createdAt: string, more: Partial<RetentionCandidate> = {}): RetentionCandidate {
  return { artefactPath: `a/${createdAt}/`, createdAt, isKept: false, isPinned: false, ...more };
}

const NOW = new Date('2026-11-22T12:00:00Z');

function kept(
  candidates: readonly RetentionCandidate[],
  rules: string,
): readonly (readonly [string, readonly string[]])[] {
  return planRetention(candidates, parseRetention(rules) ?? {}, NOW)
    .filter(({ keep }) => keep)
    .map(({ createdAt, reasons }) => [createdAt, reasons]);
}

/** One a day at 02:00, newest last. */
const DAILY = Array.from({ length: 500 }, (_, index) =>
  backup(new Date(Date.parse('2025-07-11T02:00:00Z') + index * 86_400_000).toISOString()),
);

describe('retention', () => {
  test('keeps the newest of each period, and says by which rule', () => {
    expect(kept(DAILY, 'last=1,daily=2,weekly=2,monthly=2,yearly=2')).toEqual([
      [
        '2026-11-22T02:00:00.000Z',
        [
          'newest',
          'last 1 of 1',
          'daily 1 of 2',
          'weekly 1 of 2',
          'monthly 1 of 2',
          'yearly 1 of 2',
        ],
      ],
      ['2026-11-21T02:00:00.000Z', ['daily 2 of 2']],
      ['2026-11-15T02:00:00.000Z', ['weekly 2 of 2']],
      ['2026-10-31T02:00:00.000Z', ['monthly 2 of 2']],
      ['2025-12-31T02:00:00.000Z', ['yearly 2 of 2']],
    ]);
  });

  test('hours, and a span of days', () => {
    const list = ['2026-11-22T11:59:00Z', '2026-11-22T11:01:00Z', '2026-11-22T09:30:00Z'].map(
      (at) => backup(at),
    );
    expect(kept(list, 'hourly=2').map(([at]) => at)).toEqual([
      '2026-11-22T11:59:00Z',
      '2026-11-22T09:30:00Z',
    ]);
    expect(kept(DAILY, 'within-days=3')).toHaveLength(3);
  });

  test('a week begins on Monday, also across the turn of a year', () => {
    const list = ['2026-12-31T00:00:00Z', '2027-01-03T23:59:59Z', '2027-01-04T00:00:00Z'].map(
      (at) => backup(at),
    );
    expect(kept(list, 'weekly=5').map(([at]) => at)).toEqual([
      '2027-01-04T00:00:00Z',
      '2027-01-03T23:59:59Z',
    ]);
  });

  test('what is damaged counts for no rule, and goes when a sound one is newer', () => {
    const list = [
      backup('2026-11-20T00:00:00Z'),
      backup('2026-11-21T00:00:00Z', { damagedAt: '2026-11-21T10:00:00Z' }),
    ];
    const [damaged, sound] = planRetention(list, { last: 1 }, NOW);
    expect(sound).toMatchObject({ keep: true, reasons: ['newest', 'last 1 of 1'] });
    expect(damaged).toMatchObject({ keep: false, reasons: ['damaged, and a sound one is newer'] });
  });

  test('never gives up the newest, the newest verified, the marked and those being read', () => {
    const any = fc.record({
      day: fc.integer({ min: 0, max: 400 }),
      verified: fc.boolean(),
      damaged: fc.boolean(),
      isKept: fc.boolean(),
      isPinned: fc.boolean(),
    });
    const rules = fc.record(
      {
        last: fc.integer({ min: 1, max: 3 }),
        hourly: fc.integer({ min: 1, max: 3 }),
        daily: fc.integer({ min: 1, max: 3 }),
        weekly: fc.integer({ min: 1, max: 3 }),
        monthly: fc.integer({ min: 1, max: 3 }),
        yearly: fc.integer({ min: 1, max: 3 }),
        withinDays: fc.integer({ min: 1, max: 30 }),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.array(any, { maxLength: 30 }), rules, (items, applied) => {
        const list = items.map(({ day, verified, damaged, ...rest }, index) => ({
          ...backup(new Date(NOW.getTime() - day * 86_400_000).toISOString(), rest),
          artefactPath: `a/${index}/`,
          verifiedAt: verified && !damaged ? NOW.toISOString() : undefined,
          damagedAt: damaged ? NOW.toISOString() : undefined,
        }));
        const plan = planRetention(list, applied, NOW);
        const keeps = new Set(plan.filter(({ keep }) => keep).map((one) => one.artefactPath));
        expect(plan).toHaveLength(list.length);
        const order = plan.flatMap(
          ({ artefactPath }) => list.find((it) => it.artefactPath === artefactPath) ?? [],
        );
        const newest = order.find(({ damagedAt }) => damagedAt === undefined) ?? order[0];
        const proved = order.find(({ verifiedAt }) => verifiedAt !== undefined);
        for (const one of [newest, proved, ...list.filter((it) => it.isKept || it.isPinned)]) {
          expect(one === undefined || keeps.has(one.artefactPath)).toBe(true);
        }
        // More rules never keep less.
        const more = planRetention(list, { ...applied, last: (applied.last ?? 0) + 1 }, NOW);
        for (const { artefactPath, keep } of more) {
          expect(keep || !keeps.has(artefactPath)).toBe(true);
        }
      }),
    );
  });

  test('nothing at all is kept by no rule but what is never given up', () => {
    expect(kept(DAILY, '')).toEqual([['2026-11-22T02:00:00.000Z', ['newest']]]);
  });
});

describe('retention rules as text', () => {
  test('are read whatever separates them; none means to keep everything', () => {
    expect(parseRetention(' last=3, daily=7\nwithin-days=2')).toEqual({
      last: 3,
      daily: 7,
      withinDays: 2,
    });
    expect(parseRetention(' ')).toBeUndefined();
  });

  test.each([
    ['daly=3', 'there is no rule "daly"'],
    ['daily', '"" is not a whole number'],
    ['daily=0', '"0" is not a whole number'],
    ['daily=-1', '"-1" is not a whole number'],
    ['daily=1.5', '"1.5" is not a whole number'],
    ['daily=99999999', '"99999999" is not a whole number from 1 to 10000'],
    ['daily=1=2', 'there is no rule'],
    ['daily=1,daily=2', 'the rule is given twice'],
    ['__proto__=1', 'there is no rule'],
  ])('%j is refused with the allowed form', (text, reason) => {
    expect(() => parseRetention(text)).toThrow(
      expect.objectContaining({
        code: 'invalid-retention',
        message: expect.stringContaining(reason),
        hint: expect.stringContaining('last=3,daily=7'),
      }),
    );
  });
});
