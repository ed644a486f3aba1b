/** The codec against the public schemas: an item is typed exactly when they accept it, but for what README.md lists. */
import { describe, expect, test } from '@jest/globals';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { encodeJobStatuses, encodeJobs, parseJobStatuses, parseJobs } from '#database-backup';
import publicProvider from '../../fixtures/interfaces/database_backup/v0/provider.json' with {
  type: 'json',
};
import publicRequirer from '../../fixtures/interfaces/database_backup/v0/requirer.json' with {
  type: 'json',
};
import publicS3 from '../../fixtures/interfaces/s3/v0/provider.json' with { type: 'json' };
import * as fc from '../../helpers/fast-check.ts';
import { providerDatabags, requirerDatabags, spoilt } from './documents.ts';

const theirs = new Ajv2019({ strict: false, schemas: [publicS3, publicRequirer, publicProvider] });

type Item = Readonly<Record<string, unknown>>;

/** What the codec turns down beyond the schema: see "Contract" in lib/database-backup/README.md. */
function isBeyondSchema(item: Item): boolean {
  const { 'job-type': type, 'dry-run': dryRun = false, 'undo-of': undoOf } = item;
  return (
    (type === 'restore' && !item['artefact-path']) ||
    typeof dryRun !== 'boolean' ||
    (undoOf !== undefined && (typeof undoOf !== 'string' || type !== 'restore'))
  );
}

function accepted(schema: string, document: unknown): readonly Item[] {
  const list: unknown =
    typeof document === 'object' && document !== null && 'jobs' in document ? document.jobs : [];
  const items: readonly unknown[] = Array.isArray(list) ? list : [];
  const good = items.filter((item) => theirs.validate(schema, { jobs: [item] }));
  const firsts = new Map<unknown, Item>();
  for (const item of good as readonly Item[]) {
    const isTaken = firsts.has(item['job-id']);
    const isUsable = schema !== publicRequirer.$id || !isBeyondSchema(item);
    if (!isTaken && isUsable) {
      firsts.set(item['job-id'], item);
    }
  }
  return [...firsts.values()];
}

function jobsText(document: unknown): string {
  const bag = typeof document === 'object' && document !== null ? document : {};
  return JSON.stringify('jobs' in bag ? bag.jobs : []);
}

const RUNS = { numRuns: 2000 };

describe('of generated and spoilt documents', () => {
  test('requests are jobs exactly where the public schema accepts them', () => {
    let accepting = 0;
    fc.assert(
      fc.property(fc.oneof(requirerDatabags, spoilt(requirerDatabags)), (document) => {
        const { jobs } = parseJobs(jobsText(document));
        const expected = accepted(publicRequirer.$id, document);
        accepting += expected.length;
        expect(jobs.map(({ jobId }) => jobId)).toEqual(expected.map((item) => item['job-id']));
      }),
      RUNS,
    );
    expect(accepting).toBeGreaterThan(RUNS.numRuns / 4);
  });

  test('statuses are statuses exactly where the public schema accepts them', () => {
    fc.assert(
      fc.property(fc.oneof(providerDatabags, spoilt(providerDatabags)), (document) => {
        const { statuses } = parseJobStatuses(jobsText(document));
        const expected = accepted(publicProvider.$id, document);
        expect(statuses.map(({ jobId }) => jobId)).toEqual(expected.map((item) => item['job-id']));
      }),
      RUNS,
    );
  });

  test('what is read and written again the public schemas accept, and nothing known is lost', () => {
    fc.assert(
      fc.property(requirerDatabags, providerDatabags, (asked, told) => {
        const { jobs } = parseJobs(jobsText(asked));
        const again = encodeJobs(jobs);
        expect(theirs.validate(publicRequirer.$id, { jobs: JSON.parse(again) })).toBe(true);
        expect(encodeJobs(parseJobs(again).jobs)).toBe(again);
        const { statuses } = parseJobStatuses(jobsText(told));
        const said = encodeJobStatuses(statuses);
        expect(theirs.validate(publicProvider.$id, { jobs: JSON.parse(said) })).toBe(true);
        expect(encodeJobStatuses(parseJobStatuses(said).statuses)).toBe(said);
      }),
      { numRuns: 500 },
    );
  });
});
