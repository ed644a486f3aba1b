/** The conformance kit, run on both charms of this repository, and on charms that break its rules. */
import { describe, expect, test } from '@jest/globals';
import { FEATURES, parseJobStatuses, parseJobs } from '#database-backup';
import {
  checkProvider,
  checkRequirer,
  OpsProviderEnd,
  OpsRequirerEnd,
  type ProviderEnd,
  providerCases,
  type RequirerEnd,
  requirerCases,
  testProvider,
  testRequirer,
} from '#database-backup/conformance';
import { peerRelation, secret, state, TestEvents } from '#ops/testing';
import type { DatabaseCharm } from '../../../charms/database/src/charm.ts';
import { FakeStorage } from '../../unit/backup-manager/fake-storage.ts';
import { artefact } from '../../unit/backup-manager/makers.ts';
import { managerContext } from '../../unit/backup-manager/manager-context.ts';
import { Stage } from '../../unit/database-charm/fakes.ts';

/** The database charm with a runner in memory. */
class DatabaseEnd extends OpsProviderEnd<DatabaseCharm> {
  readonly #stage: Stage;

  constructor(stage: Stage) {
    super(stage.context, { endpoint: 'database-backup', state: stage.now });
    this.#stage = stage;
  }

  override async changed(databag: Readonly<Record<string, string>>) {
    await super.changed(databag);
    // A claim is made in one hook, and lets the job run in the next one.
    return await this.fire((on) => on.custom('backup-progress'));
  }

  async finish(jobId: string, outcome: 'success' | 'error') {
    this.#stage.runner.end(
      jobId,
      outcome === 'success'
        ? { state: 'success', artefactPath: 'shop/db/backups/x/' }
        : { state: 'error', errorCode: 'disk-full', message: 'the disk is full' },
    );
    return await this.fire((on) => on.custom('backup-progress'));
  }

  runs(): readonly string[] {
    return this.#stage.runner.started;
  }
}

// Cases for charms that know less than ours: nothing here could be tested, so nothing is reported.
const notForUs = (): void => undefined;

describe('charms/database', () => {
  testProvider(() => new DatabaseEnd(new Stage()), {
    test,
    skip: notForUs,
    features: FEATURES,
    uses: ['finish'],
  });
});

const CREDENTIALS = 'secret:9m4e2mr0ui3e8a215n4g';

function managerEnd(): RequirerEnd {
  const storage = new FakeStorage();
  storage.backups = [artefact];
  const context = managerContext({ storage });
  const on = new TestEvents();
  const restore = { 'artefact-path': artefact.artefactPath, database: 'database' };
  return new OpsRequirerEnd(context, {
    endpoint: 'database-backup',
    state: state({
      leader: true,
      model: { name: 'shop' },
      config: { bucket: 'b', credentials: CREDENTIALS },
      secrets: [
        secret({ id: CREDENTIALS, content: { 'access-key': 'AK', 'secret-key': 'SK-PLANTED' } }),
      ],
      relations: [peerRelation({ endpoint: 'history', id: 1 })],
    }),
    ask: (jobType) =>
      jobType === 'backup' ? on.action('create-backup') : on.action('restore', restore),
    cancel: (jobId) => on.action('cancel-job', { 'job-id': jobId }),
  });
}

describe('charms/backup-manager', () => {
  testRequirer(managerEnd, { test, skip: notForUs, features: FEATURES, uses: ['cancel'] });
});

/** Which cases find fault with an end. */
async function failedCases(make: () => ProviderEnd): Promise<readonly string[]> {
  const verdicts = await Promise.all(
    providerCases.map(async (one) => ({ one, faults: await checkProvider(one, make()) })),
  );
  return verdicts.filter(({ faults }) => faults.length > 0).map(({ one }) => one.name);
}

describe('the kit finds', () => {
  const silent = { created: async () => ({}), changed: async () => ({}) };
  /** Answers with the requests themselves, changed. */
  const answering = (change: (item: Record<string, unknown>) => unknown): ProviderEnd => ({
    ...silent,
    async changed({ jobs }) {
      const wanted = parseJobs(jobs).jobs.map((job) => ({
        'job-id': job.jobId,
        'job-type': job.jobType,
        'storage-interface': 's3',
        'storage-config': job.storageConfig,
        status: 'running',
      }));
      return { jobs: JSON.stringify(wanted.map(change)) };
    },
  });

  test('a provider that never answers', async () => {
    expect(await failedCases(() => silent)).toContain('one backup');
  });

  test('one that breaks the schema', async () => {
    const failed = await failedCases(() => answering((item) => ({ ...item, status: 'done' })));
    expect(failed).toContain('one backup');
  });

  test('one that repeats keys', async () => {
    const failed = await failedCases(() => answering((item) => item));
    expect(failed).toContain('keys that must not be repeated');
    expect(failed).not.toContain('one backup');
  });

  test('one whose hook fails', async () => {
    const failing: ProviderEnd = {
      ...silent,
      changed: async ({ jobs }) => ({ jobs: JSON.stringify(JSON.parse(jobs ?? '[]')) }),
    };
    expect(await failedCases(() => failing)).toContain('a list that reads "{"');
  });

  test('one that runs a job twice', async () => {
    const runs: string[] = [];
    const honest = answering((item) => item);
    const eager: ProviderEnd = {
      created: async () => ({}),
      runs: () => runs,
      async changed(databag) {
        runs.push(...parseJobs(databag['jobs']).jobs.map(({ jobId }) => jobId));
        return await honest.changed(databag);
      },
    };
    const [again] = providerCases.filter(({ name }) => name === 'the same request again');
    expect(again && (await checkProvider(again, eager))).toEqual([
      expect.stringContaining('began ["job-1","job-1"]'),
      expect.stringContaining('began ["job-1","job-1","job-1"]'),
    ]);
  });

  test('a requirer that uses what a peer does not know, or asks under an old id', async () => {
    const rash: RequirerEnd = {
      says: async () => ({}),
      ask: async (jobType) => ({
        jobs: JSON.stringify([
          {
            'job-id': 'job-1',
            'job-type': jobType,
            'job-config': { compression: true },
            'storage-interface': 's3',
            'storage-config': { bucket: 'b', 'access-key': 'a', 'secret-key': 's' },
            'artefact-path': 'x/',
            deadline: { 'run-seconds': 5 },
          },
        ]),
      }),
    };
    const faults = await Promise.all(
      requirerCases.map(async (one) => [one.name, await checkRequirer(one, rash)] as const),
    );
    const byName = new Map(faults);
    expect(byName.get('a backup')).toEqual([expect.stringContaining('needs deadlines')]);
    expect(byName.get('two backups')).toEqual([expect.stringContaining('used before')]);
  });
});

describe('the cases', () => {
  test('have names of their own, and ids the codec reads', () => {
    const names = [...providerCases, ...requirerCases].map(({ name }) => name);
    expect(new Set(providerCases.map(({ name }) => name)).size).toBe(providerCases.length);
    expect(new Set(requirerCases.map(({ name }) => name)).size).toBe(requirerCases.length);
    expect(names).not.toContain('');
    expect(parseJobStatuses('[]').issues).toEqual([]);
  });
});
