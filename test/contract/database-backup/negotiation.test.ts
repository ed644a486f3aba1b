/**
 * What happens between ends of which each knows any part of what goes beyond version 0, none of it included: both
 * libraries in every combination, our manager with every database, and a small provider of every kind in the kit.
 */
import { describe, expect, test } from '@jest/globals';
import {
  BackupProvider,
  CredentialsReader,
  encodeJobs,
  FEATURES,
  type Feature,
  type Job,
  type JobStatus,
  rejectionOf,
  statusOf,
} from '#database-backup';
import { OpsProviderEnd, testProvider } from '#database-backup/conformance';
import { CharmBase, type Framework } from '#ops';
import { Context, relation, state } from '#ops/testing';
import { HintError } from '#system';
import {
  commonFeatures,
  encodeFeatures,
  neededFeatures,
  parseFeatures,
} from '../../../lib/database-backup/features.ts';
import { aJob, anEntry, artefact } from '../../unit/backup-manager/makers.ts';
import { Stage } from '../../unit/backup-manager/stage.ts';

type Features = readonly Feature[];

/** Every set of features, the empty one first. */
const SETS: readonly Features[] = FEATURES.reduce<readonly Features[]>(
  (sets, feature) => [...sets, ...sets.map((set) => [...set, feature])],
  [[]],
);

const nameOf = (set: Features): string => set.join(' ') || 'version 0';

test('any two ends agree on what both have announced, whoever asks', () => {
  for (const ours of SETS) {
    for (const theirs of SETS) {
      const both = ours.filter((feature) => theirs.includes(feature));
      const [mine, other] = [ours, theirs].map((set) => parseFeatures(encodeFeatures(set)));
      expect([...commonFeatures([mine ?? new Set(), other ?? new Set()])]).toEqual(both);
    }
  }
});

/** A provider that is forever busy with all it is asked for, and knows these features. */
function charmThatKnows(features: Features) {
  return class extends CharmBase {
    readonly provider: BackupProvider;

    constructor(framework: Framework) {
      super(framework);
      this.provider = new BackupProvider(this, 'backup', { features });
      framework.observe(this.provider.jobsChanged, () => this.#answer());
    }

    #answer(): void {
      const keys = new CredentialsReader(this.model);
      for (const { relation: asked, jobs, issues, isReadable } of this.provider.requests()) {
        if (isReadable) {
          const answers = jobs.map((job) => this.#statusOf(job, keys));
          const refusals = issues.flatMap((issue) => rejectionOf(issue) ?? []);
          this.provider.publish(asked, [...answers, ...refusals]);
        }
      }
    }

    #statusOf(job: Job, keys: CredentialsReader): JobStatus {
      if (job.isCancelled === true) {
        return statusOf(job, { status: 'error', errorCode: 'cancelled' });
      }
      try {
        keys.resolve(job.storageConfig);
        return statusOf(job, { status: 'running' });
      } catch (error) {
        const errorCode = error instanceof HintError ? error.code : 'internal';
        return statusOf(job, { status: 'error', errorCode });
      }
    }
  };
}

const meta = { name: 'db', provides: { backup: { interface: 'database_backup' } } };
const notForIt = (): void => undefined;

const KINDS: readonly Features[] = [
  [],
  ...FEATURES.map((feature) => [feature]),
  ...FEATURES.map((feature) => FEATURES.filter((other) => other !== feature)),
];

describe.each(KINDS.map((features) => [nameOf(features), features] as const))(
  'a provider that knows %s',
  (_, features) => {
    const context = new Context(charmThatKnows(features), { meta });

    testProvider(() => new OpsProviderEnd(context, { endpoint: 'backup', state: state({}) }), {
      test,
      skip: notForIt,
      features,
    });
  },
);

const URI = 'secret:9m4e2mr0ui3e8a215n4g';
const restore: Job = { ...aJob(), jobType: 'restore', artefactPath: 'x/' };
/** One job for each feature, which needs it. */
const WISHES: Readonly<Record<Feature, Job>> = {
  cancel: { ...restore, isCancelled: true },
  deadlines: { ...restore, deadline: { runSeconds: 60 } },
  'dry-run': { ...restore, isDryRun: true },
  encryption: { ...restore, encryption: URI },
  force: { ...restore, isForced: true },
  'restore-item': { ...restore, items: ['PG_VERSION'] },
  'secret-credentials': {
    ...restore,
    storageConfig: { bucket: 'b', 'access-key': URI, 'secret-key': URI },
  },
  'undo-restore': { ...restore, undoOf: 'job-0' },
};

test('whatever a provider knows, it refuses what would replace data that were to stay, and takes the rest', async () => {
  const jobs = FEATURES.map((feature) => ({ ...WISHES[feature], jobId: feature }));
  expect(jobs.map(neededFeatures)).toEqual(FEATURES.map((feature) => [feature]));
  for (const features of SETS) {
    const context = new Context(charmThatKnows(features), { meta });
    const remoteAppData = { jobs: encodeJobs(jobs) };
    const relations = [relation({ endpoint: 'backup', remoteApp: 'manager', remoteAppData })];
    // One set after the other: the kit's charms share a process.
    // oxlint-disable-next-line no-await-in-loop
    await context.run(context.on.updateStatus(), state({ relations }), {
      inspect: ({ provider }) => {
        const [found] = provider.requests();
        const refused = (['dry-run', 'encryption', 'restore-item', 'undo-restore'] as const).filter(
          (feature) => !features.includes(feature),
        );
        expect(found?.issues.map(({ jobId }) => jobId)).toEqual(refused);
        expect(found?.jobs.map(({ jobId }) => jobId)).toEqual(
          FEATURES.filter((feature) => !refused.some((one) => one === feature)),
        );
      },
    });
  }
});

const PATH = { 'artefact-path': artefact.artefactPath };
const replaced = anEntry({
  jobId: 'job-0',
  jobType: 'restore',
  state: 'success',
  artefactPath: artefact.artefactPath,
  undoableUntil: '2100-01-01T00:00:00.000Z',
});

/** Action → what it needs of the database, and what of its job shows that it was asked. */
const ACTIONS: readonly {
  readonly action: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly needs: Features;
  readonly asked: object;
}[] = [
  { action: 'create-backup', params: {}, needs: [], asked: { jobType: 'backup' } },
  { action: 'restore', params: PATH, needs: [], asked: { jobType: 'restore' } },
  {
    action: 'create-backup',
    params: { 'stall-deadline': '15m' },
    needs: ['deadlines'],
    asked: { deadline: { stallSeconds: 900 } },
  },
  {
    action: 'restore',
    params: { ...PATH, 'dry-run': true },
    needs: ['dry-run'],
    asked: { isDryRun: true },
  },
  {
    action: 'restore',
    params: { ...PATH, force: true, 'run-deadline': '1h' },
    needs: ['force', 'deadlines'],
    asked: { isForced: true, deadline: { runSeconds: 3600 } },
  },
  { action: 'undo-restore', params: {}, needs: ['undo-restore'], asked: { undoOf: 'job-0' } },
];

/** Encryption is off here, and single items have tests of their own: both at once double what is tried. */
const TRIED = SETS.filter(
  (set) =>
    set.length === FEATURES.length || !(set.includes('encryption') || set.includes('restore-item')),
);

describe('a manager and a database of which each knows any of the features', () => {
  test.each(ACTIONS.map((one) => [one.action, one.params, one] as const))(
    '%s %j',
    async (action, params, { needs, asked }) => {
      for (const features of TRIED) {
        const stage = new Stage();
        stage.storage.backups = [artefact];
        // oxlint-disable-next-line no-await-in-loop
        const outcome = await stage.act(action, params, {
          databases: [{ id: 4, name: 'db', features }],
          history: [replaced],
        });
        const isKnown = needs.every((feature) => features.includes(feature));
        const label = nameOf(features);
        const { failure = '' } = outcome.action;
        const jobs = outcome.requests(4);
        // Nothing is sent that the database does not know, and keys in plaintext only where they must be.
        const secret = features.includes('secret-credentials') ? ['secret-credentials'] : [];
        expect({
          label,
          asked: jobs.map((job) => neededFeatures(job).toSorted()),
          // Which database, and what to do.
          isRefused: /\bdb\b.*; /.test(failure),
        }).toEqual({
          label,
          asked: isKnown ? [[...needs, ...secret].toSorted()] : [],
          isRefused: !isKnown,
        });
        expect(jobs).toMatchObject(isKnown ? [asked] : []);
      }
    },
  );

  test('cancel-job asks in words where that is known, and takes the request back elsewhere', async () => {
    for (const features of TRIED) {
      const stage = new Stage();
      // oxlint-disable-next-line no-await-in-loop
      const { requests, history } = await stage.act(
        'cancel-job',
        { 'job-id': 'job-1' },
        {
          databases: [{ id: 4, name: 'db', features, requested: [aJob()] }],
          history: [anEntry()],
        },
      );
      expect([nameOf(features), requests(4), history[0]?.errorCode]).toEqual(
        features.includes('cancel')
          ? [nameOf(features), [{ ...aJob(), isCancelled: true }], undefined]
          : [nameOf(features), [], 'cancelled'],
      );
    }
  });
});
