/** Decides which snapshots of one application are kept. Pure, and it says why. */
import { HintError } from '#system';
import { DAY_MS, SWEEP_GRACE_MS } from './grace.ts';

/** How many to keep by each rule; a rule that is absent keeps none. Calendar periods are those of UTC. */
export interface RetentionRules {
  /** The newest so many. */
  readonly last?: number;
  /** Of each of the newest so many hours, days, … that have a backup, its newest. */
  readonly hourly?: number;
  readonly daily?: number;
  /** Weeks begin on Monday (ISO 8601). */
  readonly weekly?: number;
  readonly monthly?: number;
  readonly yearly?: number;
  /** Everything younger than so many days. */
  readonly withinDays?: number;
  /** Of backups that were never completed, the newest so many: see `planFailed`. */
  readonly failed?: number;
  /** And those younger than so many days. */
  readonly failedDays?: number;
}

/** What retention looks at. Times are ISO 8601. */
export interface RetentionCandidate {
  readonly artefactPath: string;
  readonly createdAt: string;
  readonly verifiedAt?: string | undefined;
  readonly damagedAt?: string | undefined;
  readonly isKept: boolean;
  readonly isPinned: boolean;
}

export interface RetentionDecision {
  readonly artefactPath: string;
  readonly createdAt: string;
  readonly keep: boolean;
  /** For people: each rule that keeps it, or why none does. */
  readonly reasons: readonly string[];
}

const PERIODS = ['hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const;
type Period = (typeof PERIODS)[number];
type RuleName = keyof RetentionRules;

const NAMES: ReadonlyMap<string, RuleName> = new Map([
  ['last', 'last'],
  ['hourly', 'hourly'],
  ['daily', 'daily'],
  ['weekly', 'weekly'],
  ['monthly', 'monthly'],
  ['yearly', 'yearly'],
  ['within-days', 'withinDays'],
  ['failed', 'failed'],
  ['failed-days', 'failedDays'],
]);

/** The rules about backups that were never completed; all others are about complete ones. */
const FAILED_RULES: readonly string[] = ['failed', 'failedDays'] satisfies RuleName[];

const FORM = 'for example "last=3,daily=7,weekly=4,monthly=12", with whole numbers above 0';
const MAX_COUNT = 10_000;

/**
 * Reads rules written as `name=number,…`. Empty text means: keep everything (undefined).
 * @throws HintError `invalid-retention` naming what is wrong and the allowed form
 */
export function parseRetention(text: string): RetentionRules | undefined {
  const items = text.split(/[\s,]+/).filter((item) => item !== '');
  const rules: Partial<Record<RuleName, number>> = {};
  for (const item of items) {
    const { rule, count } = parseRule(item);
    if (rules[rule] !== undefined) {
      throw invalid(item, 'the rule is given twice');
    }
    rules[rule] = count;
  }
  return items.length === 0 ? undefined : rules;
}

function parseRule(item: string): { readonly rule: RuleName; readonly count: number } {
  const [name = '', count = '', ...rest] = item.split('=');
  const rule = NAMES.get(name);
  if (rule === undefined || rest.length > 0) {
    throw invalid(
      item,
      `there is no rule ${JSON.stringify(name)}; there are ${[...NAMES.keys()].join(', ')}`,
    );
  }
  if (!/^[1-9]\d*$/.test(count) || Number(count) > MAX_COUNT) {
    throw invalid(item, `${JSON.stringify(count)} is not a whole number from 1 to ${MAX_COUNT}`);
  }
  if (rule === 'failedDays' && Number(count) * DAY_MS <= SWEEP_GRACE_MS) {
    throw invalid(
      item,
      `they stay for ${SWEEP_GRACE_MS / DAY_MS} days anyway`,
      `failed-days=${SWEEP_GRACE_MS / DAY_MS + 1} or more`,
    );
  }
  return { rule, count: Number(count) };
}

/**
 * Decisions, newest snapshot first. Never given up: the newest, the newest that was verified, what is marked to be
 * kept, and what is being read. A damaged one counts for no rule and goes when a sound one is newer. Rules that are only
 * about what failed keep all.
 */
export function planRetention(
  candidates: readonly RetentionCandidate[],
  rules: RetentionRules,
  now: Date,
): readonly RetentionDecision[] {
  const newestFirst = candidates.toSorted(compareNewestFirst);
  const sound = newestFirst.filter(({ damagedAt }) => damagedAt === undefined);
  const reasons = new Map(
    newestFirst.map(({ artefactPath }) => [artefactPath, new Array<string>()]),
  );
  const keep = (one: RetentionCandidate | undefined, reason: string): void => {
    reasons.get(one?.artefactPath ?? '')?.push(reason);
  };
  keep(sound[0] ?? newestFirst[0], 'newest');
  keep(
    sound.find(({ verifiedAt }) => verifiedAt !== undefined),
    'newest that was verified',
  );
  for (const one of newestFirst) {
    if (one.isKept) {
      keep(one, 'marked to be kept');
    }
    if (one.isPinned) {
      keep(one, 'being read');
    }
  }
  applyRules(sound, { rules, now, keep });
  if (isOnlyAboutFailed(rules)) {
    for (const one of newestFirst) {
      keep(one, 'there are only rules about failed ones');
    }
  }
  return newestFirst.map(({ artefactPath, createdAt, damagedAt }) => {
    const why = reasons.get(artefactPath) ?? [];
    const none = damagedAt === undefined ? 'no rule keeps it' : 'damaged, and a sound one is newer';
    return {
      artefactPath,
      createdAt,
      keep: why.length > 0,
      reasons: why.length > 0 ? why : [none],
    };
  });
}

function isOnlyAboutFailed(rules: RetentionRules): boolean {
  const names = Object.keys(rules);
  return names.length > 0 && names.every((name) => FAILED_RULES.includes(name));
}

interface Application {
  readonly rules: RetentionRules;
  readonly now: Date;
  readonly keep: (one: RetentionCandidate, reason: string) => void;
}

function applyRules(sound: readonly RetentionCandidate[], { rules, now, keep }: Application): void {
  for (const [index, one] of sound.slice(0, rules.last ?? 0).entries()) {
    keep(one, `last ${index + 1} of ${rules.last}`);
  }
  const { withinDays } = rules;
  if (withinDays !== undefined) {
    const horizon = now.getTime() - withinDays * DAY_MS;
    for (const one of sound) {
      if (Date.parse(one.createdAt) >= horizon) {
        keep(one, `younger than ${withinDays} days`);
      }
    }
  }
  for (const period of PERIODS) {
    const limit = rules[period] ?? 0;
    for (const [index, one] of newestOfEach(period, sound).slice(0, limit).entries()) {
      keep(one, `${period} ${index + 1} of ${limit}`);
    }
  }
}

function newestOfEach(
  period: Period,
  newestFirst: readonly RetentionCandidate[],
): readonly RetentionCandidate[] {
  const newest = new Map<string, RetentionCandidate>();
  for (const one of newestFirst) {
    const name = nameOf(period, new Date(one.createdAt));
    if (!newest.has(name)) {
      newest.set(name, one);
    }
  }
  return [...newest.values()];
}

function nameOf(period: Period, time: Date): string {
  const text = time.toISOString();
  switch (period) {
    case 'hourly':
      return text.slice(0, 13);
    case 'daily':
      return text.slice(0, 10);
    case 'weekly':
      return mondayOf(time);
    case 'monthly':
      return text.slice(0, 7);
    case 'yearly':
      return text.slice(0, 4);
  }
}

function mondayOf(time: Date): string {
  const monday = new Date(time);
  monday.setUTCDate(time.getUTCDate() - ((time.getUTCDay() + 6) % 7));
  return monday.toISOString().slice(0, 10);
}

type Dated = Pick<RetentionCandidate, 'artefactPath' | 'createdAt'>;

/** By creation; of two at one time the greater path counts as newer, so that the order is the same everywhere. */
export function compareNewestFirst(left: Dated, right: Dated): number {
  const byTime = Date.parse(right.createdAt) - Date.parse(left.createdAt);
  return byTime === 0 ? (left.artefactPath < right.artefactPath ? 1 : -1) : byTime;
}

function invalid(item: string, reason: string, hint = FORM): HintError {
  return new HintError(`cannot use retention rule ${JSON.stringify(item)}: ${reason}`, {
    code: 'invalid-retention',
    hint,
  });
}
