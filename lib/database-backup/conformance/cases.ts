/** The cases as data. The JSON files are the source, for charms in any language; README.md says what they mean. */
import type { JsonValue } from '#system';
import type { Feature } from '../features.ts';
import type { JobState, JobType } from '../job.ts';
import providerFile from './provider-cases.json' with { type: 'json' };
import requirerFile from './requirer-cases.json' with { type: 'json' };

/** Key → value of a databag; what is no text is written as JSON text. */
export type CaseDatabag = Readonly<Record<string, JsonValue>>;

interface Case<Step> {
  readonly name: string;
  /** `must`: others would not work with a charm that fails it. `should`: its users would suffer. */
  readonly level: 'must' | 'should';
  readonly why: string;
  /** For charms that announce all of these only. */
  readonly needs?: readonly Feature[];
  /** For charms that announce none of these only. */
  readonly lacks?: readonly Feature[];
  /** What the charm under test must be able to be made to do. */
  readonly uses?: readonly ('finish' | 'cancel')[];
  readonly steps: readonly Step[];
}

export interface ProviderExpectation {
  /** Exactly these jobs have a status, each one of those listed. */
  readonly answers?: Readonly<Record<string, readonly JobState[]>>;
  /** Exactly these jobs were begun, each once, since the case started. */
  readonly runs?: readonly string[];
  /** Keys the status of a job must have. */
  readonly has?: Readonly<Record<string, readonly string[]>>;
  /** Texts that are nowhere in the databag. */
  readonly hides?: readonly string[];
}

export type ProviderStep = { readonly expect?: ProviderExpectation } & (
  | { readonly do: 'changed'; readonly databag: CaseDatabag }
  | { readonly do: 'finish'; readonly 'job-id': string; readonly outcome: 'success' | 'error' }
);

export type ProviderCase = Case<ProviderStep>;

export interface RequirerExpectation {
  /** How many jobs are asked for. */
  readonly requests?: number;
  /** Nothing that needs a feature is used, and the keys are keys. */
  readonly plaintext?: boolean;
  /** All jobs carry `cancel`. */
  readonly cancelled?: boolean;
  /** Ids that were not used before in this case. */
  readonly fresh?: boolean;
}

export type RequirerStep = { readonly expect?: RequirerExpectation } & (
  | { readonly do: 'ask'; readonly 'job-type': JobType }
  | { readonly do: 'cancel' }
  /** Number of a unit → its databag; `$1` in it stands for the id of the first job asked for. */
  | { readonly do: 'says'; readonly units: Readonly<Record<string, CaseDatabag>> }
);

export type RequirerCase = Case<RequirerStep>;

export const providerCases: readonly ProviderCase[] =
  providerFile.cases as unknown as readonly ProviderCase[];
export const requirerCases: readonly RequirerCase[] =
  requirerFile.cases as unknown as readonly RequirerCase[];

/** The databag as Juju keeps it. */
export function toTexts(databag: CaseDatabag): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(databag).map(([key, value]) => [
      key,
      typeof value === 'string' ? value : JSON.stringify(value),
    ]),
  );
}
