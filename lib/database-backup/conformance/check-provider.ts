/** Plays a case to a provider and says what was wrong with its answers. */
import { parseFeatures } from '../features.ts';
import type { JobStatus } from '../job.ts';
import { parseJobStatuses } from '../status-codec.ts';
import {
  type ProviderCase,
  type ProviderExpectation,
  type ProviderStep,
  toTexts,
} from './cases.ts';

type Texts = Readonly<Record<string, string>>;

/** A provider charm under test, with one relation and one unit. Every method answers the unit's databag. */
export interface ProviderEnd {
  /** The relation is made. */
  created(): Promise<Texts>;
  /** The requirer's application databag is this now. */
  changed(databag: Texts): Promise<Texts>;
  /** The job ends like this; for charms whose work can be directed. */
  finish?(jobId: string, outcome: 'success' | 'error'): Promise<Texts>;
  /** Ids of the jobs begun so far, one for each time. */
  runs?(): readonly string[];
}

/** What was wrong, each with its step; empty when nothing was. An error of the charm's is one of them. */
export async function checkProvider(
  { steps }: ProviderCase,
  end: ProviderEnd,
): Promise<readonly string[]> {
  const faults: string[] = [];
  let at = 'created';
  try {
    await end.created();
    for (const [index, step] of steps.entries()) {
      at = `step ${index + 1} (${step.do})`;
      const databag = await play(step, end);
      const found = [...rules(databag), ...compare(step.expect ?? {}, databag, end)];
      faults.push(...found.map((fault) => `${at}: ${fault}`));
    }
  } catch (error) {
    faults.push(`${at}: the hook failed: ${String(error)}`);
  }
  return faults;
}

async function play(step: ProviderStep, end: ProviderEnd): Promise<Texts> {
  if (step.do === 'changed') {
    return await end.changed(toTexts(step.databag));
  }
  if (end.finish === undefined) {
    throw new TypeError('this case needs an end that can finish a job');
  }
  return await end.finish(step['job-id'], step.outcome);
}

/** What holds at any time. */
function rules({ jobs, features }: Texts): readonly string[] {
  const { issues } = parseJobStatuses(jobs);
  const text = features ?? '[]';
  const isOrderly = text === JSON.stringify([...parseFeatures(text)]);
  return [
    ...issues.map(({ message }) => `its databag breaks the schema: ${message}`),
    ...(isOrderly ? [] : [`features must be a JSON list of known names in order, not ${text}`]),
  ];
}

function compare(
  expected: ProviderExpectation,
  databag: Texts,
  end: ProviderEnd,
): readonly string[] {
  const { statuses } = parseJobStatuses(databag['jobs']);
  const runs = end.runs?.();
  const leaked = (expected.hides ?? []).filter((text) => JSON.stringify(databag).includes(text));
  return [
    ...(expected.answers === undefined ? [] : compareAnswers(expected.answers, statuses)),
    ...missingKeys(expected.has ?? {}, databag['jobs']),
    ...(expected.runs === undefined || runs === undefined || isSame(expected.runs, runs)
      ? []
      : [`began ${JSON.stringify(runs)}, not ${JSON.stringify(expected.runs)}`]),
    ...leaked.map((text) => `repeats ${text}`),
  ];
}

function compareAnswers(
  expected: NonNullable<ProviderExpectation['answers']>,
  statuses: readonly JobStatus[],
): readonly string[] {
  const wanted = new Map(Object.entries(expected));
  const spoken = new Map(statuses.map((one) => [one.jobId, one.status]));
  const wrong = [...wanted].flatMap(([jobId, allowed]) => {
    const status = spoken.get(jobId);
    return status !== undefined && allowed.includes(status)
      ? []
      : [
          `${JSON.stringify(jobId)} is ${status ?? 'without a status'}, not ${allowed.join(' or ')}`,
        ];
  });
  const surplus = [...spoken.keys()].filter((jobId) => !wanted.has(jobId));
  return [
    ...wrong,
    ...surplus.map((jobId) => `${JSON.stringify(jobId)} has a status, not asked for`),
  ];
}

function missingKeys(
  expected: NonNullable<ProviderExpectation['has']>,
  text: string | undefined,
): readonly string[] {
  const items = JSON.parse(text ?? '[]') as readonly Readonly<Record<string, unknown>>[];
  return Object.entries(expected).flatMap(([jobId, keys]) => {
    const item = items.find((one) => one['job-id'] === jobId) ?? {};
    return keys.filter((key) => !item[key]).map((key) => `the status of ${jobId} has no ${key}`);
  });
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((value, at) => value === other[at]);
}
