/** Plays a case to a requirer and says what was wrong with what it asks. */
import { neededFeatures, parseFeatures } from '../features.ts';
import type { Job, JobType } from '../job.ts';
import { parseJobs } from '../job-codec.ts';
import {
  type RequirerCase,
  type RequirerExpectation,
  type RequirerStep,
  toTexts,
} from './cases.ts';

type Texts = Readonly<Record<string, string>>;
/** Number of a unit → its databag. */
export type UnitDatabags = Readonly<Record<string, Texts>>;

/** A requirer charm under test: its leader, with one relation. Every method answers its application databag. */
export interface RequirerEnd {
  /** The units of the database say this; the first time the relation is made. */
  says(units: UnitDatabags): Promise<Texts>;
  /** Somebody wants a job. */
  ask(jobType: JobType): Promise<Texts>;
  /** Somebody wants it no more; for charms that can cancel. */
  cancel?(jobId: string): Promise<Texts>;
}

/** What was wrong, each with its step; empty when nothing was. An error of the charm's is one of them. */
export async function checkRequirer(
  { steps }: RequirerCase,
  end: RequirerEnd,
): Promise<readonly string[]> {
  const faults: string[] = [];
  const used: string[] = [];
  let at = '';
  try {
    for (const [index, step] of steps.entries()) {
      at = `step ${index + 1} (${step.do})`;
      const databag = await play(step, end, used);
      const found = [...rules(databag), ...compare(step.expect ?? {}, databag, used)];
      faults.push(...found.map((fault) => `${at}: ${fault}`));
      used.push(...newIds(databag, used));
    }
  } catch (error) {
    faults.push(`${at}: the hook failed: ${String(error)}`);
  }
  return faults;
}

async function play(step: RequirerStep, end: RequirerEnd, used: readonly string[]): Promise<Texts> {
  switch (step.do) {
    case 'ask':
      return await end.ask(step['job-type']);
    case 'says':
      return await end.says(unitsOf(step.units, used[0] ?? ''));
    case 'cancel': {
      if (end.cancel === undefined) {
        throw new TypeError('this case needs an end that can cancel a job');
      }
      return await end.cancel(used[0] ?? '');
    }
  }
}

function unitsOf(
  units: Extract<RequirerStep, { do: 'says' }>['units'],
  firstJob: string,
): UnitDatabags {
  const quoted = JSON.stringify(firstJob).slice(1, -1);
  return Object.fromEntries(
    Object.entries(units).map(([unit, databag]) => {
      const texts = Object.entries(toTexts(databag));
      return [
        unit,
        Object.fromEntries(texts.map(([key, text]) => [key, text.replaceAll('$1', () => quoted)])),
      ];
    }),
  );
}

/** What holds at any time. */
function rules({ jobs, features }: Texts): readonly string[] {
  const { issues, isReadable } = parseJobs(jobs);
  const text = features ?? '[]';
  return [
    ...issues.map(({ message }) => `its databag breaks the interface: ${message}`),
    ...(isReadable ? [] : ['jobs must be a JSON list']),
    ...(text === JSON.stringify([...parseFeatures(text)])
      ? []
      : [`features must be a JSON list of known names in order, not ${text}`]),
  ];
}

function compare(
  expected: RequirerExpectation,
  databag: Texts,
  used: readonly string[],
): readonly string[] {
  const { jobs } = parseJobs(databag['jobs']);
  return [
    ...(expected.requests === undefined || expected.requests === jobs.length
      ? []
      : [`asks for ${jobs.length} jobs, not ${expected.requests}`]),
    ...(expected.plaintext === true ? jobs.flatMap(beyondVersion0) : []),
    ...(expected.cancelled === true
      ? jobs.filter((job) => job.isCancelled !== true).map((job) => `${job.jobId} has no cancel`)
      : []),
    ...(expected.fresh === true && newIds(databag, used).length === 0
      ? ['the job has an id that was used before']
      : []),
  ];
}

function beyondVersion0(job: Job): readonly string[] {
  return neededFeatures(job).map(
    (feature) => `${job.jobId} needs ${feature}, not known to all units`,
  );
}

function newIds({ jobs }: Texts, used: readonly string[]): readonly string[] {
  return parseJobs(jobs)
    .jobs.map(({ jobId }) => jobId)
    .filter((jobId) => !used.includes(jobId));
}
