/** How long what backups left that were never completed stays, and with it what was stored for them. */
import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { createMemoryObjectStore } from '#object-store';
import {
  artefactPathFor,
  deleteSnapshot,
  type FailedAttempt,
  listSnapshots,
  parseRetention,
  planFailed,
  planRetention,
  type RetentionCandidate,
  type RetentionRules,
  sweep,
} from '#snapshots';
import { allKeys, aSnapshot, someBytes } from '../../../helpers/snapshots.ts';

const HOUR = 3_600_000;
const NOW = new Date('2026-11-22T12:00:00Z');
const APP = 'some/path/prod/db/';

/** Both times so many hours ago. */
function attempt(hours: number, name = `${hours}`): FailedAttempt {
  const at = new Date(NOW.getTime() - hours * HOUR).toISOString();
  return { artefactPath: `${APP}backups/${name}/`, startedAt: at, lastSignAt: at };
}

function complete(day: number): RetentionCandidate {
  const createdAt = `2026-11-0${day}T00:00:00Z`;
  return { artefactPath: `a/${day}/`, createdAt, isKept: false, isPinned: false };
}

/** Whether it gave a sign of life in the last so many hours. */
function isYoung({ lastSignAt }: FailedAttempt, hours: number): boolean {
  return NOW.getTime() - Date.parse(lastSignAt) <= hours * HOUR;
}

function plan(ages: readonly number[], rules: RetentionRules): Record<string, string> {
  const decisions = planFailed(
    ages.map((age) => attempt(age)),
    { rules, now: NOW },
  );
  return Object.fromEntries(
    decisions.map(({ artefactPath, keep, reasons }) => [
      artefactPath.split('/').at(-2) ?? '',
      `${keep ? 'keep' : 'delete'}: ${reasons.join(', ')}`,
    ]),
  );
}

describe('the decision', () => {
  const young = 'keep: not completed; younger than 72 h, so that it may still run';

  test('without a rule they go after the grace', () => {
    expect(plan([1, 72, 73], {})).toEqual({
      1: young,
      72: young,
      73: 'delete: failed, and no rule keeps it',
    });
  });

  test('says by which rule one stays; what may still run counts for none', () => {
    expect(plan([1, 100, 200, 300, 400], { failed: 2, failedDays: 10 })).toEqual({
      1: young,
      100: 'keep: failed 1 of 2, failed, and younger than 10 days',
      200: 'keep: failed 2 of 2, failed, and younger than 10 days',
      300: 'delete: failed, and no rule keeps it',
      400: 'delete: failed, and no rule keeps it',
    });
  });

  test('a long backup is judged by its last sign of life', () => {
    const long = { ...attempt(500), lastSignAt: attempt(10).startedAt };
    expect(planFailed([long], { rules: {}, now: NOW })).toMatchObject([
      { keep: true, createdAt: long.startedAt },
    ]);
  });

  test('nothing within the grace ever goes, more rules never keep less, and no more stay than ruled', () => {
    const ages = fc.array(fc.integer({ min: 0, max: 1000 }), { maxLength: 30 });
    const rules = fc.record(
      { failed: fc.integer({ min: 1, max: 5 }), failedDays: fc.integer({ min: 4, max: 30 }) },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(ages, rules, (list, applied) => {
        const attempts = list.map((age, index) => attempt(age, `${age}-${index}`));
        const decide = (some: typeof applied) =>
          new Map(
            planFailed(attempts, { rules: some, now: NOW }).map((one) => [one.artefactPath, one]),
          );
        const decisions = decide(applied);
        const more = decide({ ...applied, failed: (applied.failed ?? 0) + 1 });
        expect(decisions.size).toBe(attempts.length);
        const kept = attempts.filter((one) => decisions.get(one.artefactPath)?.keep === true);
        expect(kept).toEqual(expect.arrayContaining(attempts.filter((one) => isYoung(one, 72))));
        expect(kept.every((one) => more.get(one.artefactPath)?.keep === true)).toBe(true);
        expect([...decisions.values()].every(({ reasons }) => reasons.length > 0)).toBe(true);
        const days = applied.failedDays ?? 3;
        const byCount = kept.filter((one) => !isYoung(one, days * 24));
        expect(byCount.length).toBeLessThanOrEqual(applied.failed ?? 0);
      }),
    );
  });
});

describe('as text', () => {
  test('stands beside the other rules', () => {
    expect(parseRetention('last=3,failed=2,failed-days=14')).toEqual({
      last: 3,
      failed: 2,
      failedDays: 14,
    });
  });

  test.each([
    ['failed=0', 'whole number', 'last=3'],
    ['failed-days=2', 'they stay for 3 days anyway', 'failed-days=4 or more'],
    ['failed-days=3', 'they stay for 3 days anyway', 'failed-days=4 or more'],
    ['failed=1,failed=2', 'given twice', 'last=3'],
    ['failed-hours=90', 'there is no rule "failed-hours"', 'last=3'],
  ])('%j is refused with the allowed form', (text, message, hint) => {
    expect(() => parseRetention(text)).toThrow(
      expect.objectContaining({
        code: 'invalid-retention',
        message: expect.stringContaining(message),
        hint: expect.stringContaining(hint),
      }),
    );
  });

  test('alone it costs no complete backup', () => {
    const rules = parseRetention('failed-days=14') ?? {};
    const decisions = planRetention([complete(1), complete(2), complete(3)], rules, NOW);
    expect(decisions.map(({ keep }) => keep)).toEqual([true, true, true]);
    expect(decisions[2]?.reasons).toEqual(['there are only rules about failed ones']);
  });
});

/** Two interrupted backups, ten days apart, and a complete one after each. */
async function aWorld() {
  let now = NOW.getTime();
  const clock = { now: () => new Date(now), sleep: async () => undefined };
  const store = createMemoryObjectStore({ now: () => new Date(now) });
  let jobs = 0;
  const backUp = async (seed: number, isInterrupted: boolean): Promise<string> => {
    jobs += 1;
    now += HOUR;
    const { artefactPath } = await aSnapshot({
      store,
      entries: [{ kind: 'file', path: `f${seed}`, content: someBytes(600_000, seed) }],
      jobId: `job-${jobs}`,
      time: new Date(now),
      clock,
    });
    // As a killed process leaves it.
    await (isInterrupted ? store.delete([`${artefactPath}manifest.json`]) : undefined);
    return artefactPath;
  };
  const failed = [await backUp(1, true)];
  await backUp(2, false);
  now += 10 * 24 * HOUR;
  failed.push(await backUp(3, true));
  await backUp(4, false);
  now += 5 * 24 * HOUR;
  const packs = async (): Promise<number> => (await allKeys(store, `${APP}chunks/`)).length;
  return { store, clock, failed, packs };
}

describe('the sweep', () => {
  test('takes what failed with the first one after the grace, unless told otherwise', async () => {
    const { store, clock, failed, packs } = await aWorld();
    expect(await packs()).toBe(4);
    const report = await sweep(store, APP, { clock });
    expect(report.removedArtefacts.toSorted()).toEqual(failed.toSorted());
    expect(report.attempts.map(({ keep }) => keep)).toEqual([false, false]);
    expect(await packs()).toBe(2);
  });

  test.each([
    ['failed=1', 1],
    ['failed-days=6', 1],
    ['failed-days=30', 2],
    ['failed=2', 2],
  ])('with %s leaves %d of them, with what was stored for them', async (rules, kept) => {
    const { store, clock, failed, packs } = await aWorld();
    const options = { clock, failed: parseRetention(rules) };
    const told = await sweep(store, APP, { ...options, dryRun: true });
    expect(await packs()).toBe(4);
    expect(told.attempts.filter(({ keep }) => keep)).toHaveLength(kept);

    expect(await sweep(store, APP, options)).toEqual(told);
    expect(await packs()).toBe(2 + kept);
    const { unusable, snapshots } = await listSnapshots(store, '');
    expect(snapshots).toHaveLength(2);
    expect(unusable.map(({ artefactPath }) => artefactPath)).toEqual(failed.slice(-kept));
    // A listing tells what a plan goes by.
    expect(
      planFailed(
        unusable.flatMap(({ attempt: one }) => one ?? []),
        { rules: options.failed ?? {}, now: clock.now() },
      ),
    ).toEqual(told.attempts.filter(({ keep }) => keep));
  });

  test('what a deleted backup needed goes, however many failed ones stay', async () => {
    const { store, clock, packs } = await aWorld();
    const { snapshots } = await listSnapshots(store, '');
    // Made hours after the first failed one, that is, in the time that one may have been at work.
    await deleteSnapshot(store, snapshots[0]?.artefactPath ?? '', { clock });
    const later = { now: () => new Date(clock.now().getTime() + 80 * HOUR), sleep: clock.sleep };
    await sweep(store, APP, { clock: later, failed: { failed: 1 } });
    expect(await packs()).toBe(2);
  });
});

test('an attempt in another place is one of another application', async () => {
  const store = createMemoryObjectStore();
  const place = { path: 'some/path', model: 'prod', app: 'db2' };
  const path = artefactPathFor({ ...place, jobId: 'job-1', time: NOW });
  await store.put(`${path}started.json`, Buffer.from('{}'));
  const clock = { now: () => new Date(Date.now() + 1000 * HOUR), sleep: async () => undefined };
  expect((await sweep(store, APP, { clock })).attempts).toEqual([]);
  expect(await allKeys(store)).toHaveLength(1);
});
