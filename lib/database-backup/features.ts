/**
 * What both ends know beyond version 0 (docs/decisions/0005-protocol-extensions.md): its names, its
 * text in the databags, and which job needs which.
 */
import { HintError } from '#system';
import { isCredentialsReference } from './credentials.ts';
import type { Job } from './job.ts';

/** All there are, in the order they are written in. */
export const FEATURES = [
  'cancel',
  'deadlines',
  'dry-run',
  'encryption',
  'force',
  'restore-item',
  'secret-credentials',
  'undo-restore',
] as const;

export type Feature = (typeof FEATURES)[number];

/** Key of the databags. */
export const FEATURES_KEY = 'features';

/** Each feature with what of a job may only be sent to a peer that has it. */
const NEEDED_BY = [
  ['cancel', ({ isCancelled }) => isCancelled === true],
  ['deadlines', ({ deadline }) => deadline !== undefined],
  ['dry-run', ({ isDryRun }) => isDryRun === true],
  ['encryption', ({ encryption }) => encryption !== undefined],
  ['force', ({ isForced }) => isForced === true],
  ['restore-item', ({ items }) => items !== undefined],
  ['secret-credentials', ({ storageConfig }) => isCredentialsReference(storageConfig)],
  ['undo-restore', ({ undoOf }) => undoOf !== undefined],
] as const satisfies readonly (readonly [Feature, (job: Job) => boolean])[];

/** Text for the databag; equal sets give equal text. */
export function encodeFeatures(features: Iterable<Feature>): string {
  return JSON.stringify([...new Set(features)].toSorted());
}

/** Reads the databag's text: names nobody knows are left out, anything but a list means none. Never throws. */
export function parseFeatures(text: string | undefined): ReadonlySet<Feature> {
  try {
    const value: unknown = JSON.parse(text ?? '[]');
    const names: readonly unknown[] = Array.isArray(value) ? value : [];
    return new Set(FEATURES.filter((feature) => names.includes(feature)));
  } catch {
    return new Set();
  }
}

/** What all of these have; nothing where there is none of them. */
export function commonFeatures(sets: readonly ReadonlySet<Feature>[]): ReadonlySet<Feature> {
  return sets.length === 0
    ? new Set()
    : new Set(FEATURES.filter((feature) => sets.every((one) => one.has(feature))));
}

/** What a peer has to know to do this job as it is meant. */
export function neededFeatures(job: Job): readonly Feature[] {
  return NEEDED_BY.filter(([, isNeeded]) => isNeeded(job)).map(([feature]) => feature);
}

/**
 * Checks what is newly asked; a job asked for earlier keeps what it has.
 * @param agreed asked only where a job needs something
 * @throws HintError `feature-not-agreed`
 */
export function assertSendable(
  jobs: readonly Job[],
  earlier: readonly Job[],
  agreed: () => ReadonlySet<Feature>,
): void {
  for (const job of jobs) {
    const before = earlier.find(({ jobId }) => jobId === job.jobId);
    const had = before === undefined ? [] : neededFeatures(before);
    const news = neededFeatures(job).filter((feature) => !had.includes(feature));
    const missing = news.filter((feature) => !agreed().has(feature));
    if (missing.length > 0) {
      const names = missing.join(', ');
      throw new HintError(`cannot ask for ${job.jobId}: the database does not know ${names}`, {
        code: 'feature-not-agreed',
        hint: 'ask for it without, or refresh the charm of the database',
      });
    }
  }
}

// Done without them, these would replace data that were to stay, or store in plain what was to be encrypted.
const DANGEROUS: readonly Feature[] = ['dry-run', 'encryption', 'restore-item', 'undo-restore'];

/** What of a request this end would do wrong because it does not know it. */
export function misunderstoodBy(own: ReadonlySet<Feature>, job: Job): readonly Feature[] {
  return neededFeatures(job).filter((one) => DANGEROUS.includes(one) && !own.has(one));
}
