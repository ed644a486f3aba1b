/** What both ends agree on, what is sent without, and what is not. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import {
  BackupProvider,
  BackupRequirer,
  encodeJobs,
  FEATURES,
  type Feature,
  type Job,
  parseJobs,
  rejectionOf,
} from '#database-backup';
import { CharmBase, type Framework } from '#ops';
import { Context, relation, type State, state } from '#ops/testing';
import { projectRoot } from '#tooling';
import {
  encodeFeatures,
  neededFeatures,
  parseFeatures,
} from '../../../lib/database-backup/features.ts';

const URI = 'secret:9m4e2mr0ui3e8a215n4g';
const plain = { bucket: 'b', 'access-key': 'AK', 'secret-key': 'SK' };
const job: Job = { jobId: 'job-1', jobType: 'backup', compression: true, storageConfig: plain };
const restore: Job = { ...job, jobId: 'job-2', jobType: 'restore', artefactPath: 'x/' };
const ALL = JSON.stringify(FEATURES);

describe('the text of features', () => {
  test.each([
    [undefined, []],
    ['', []],
    ['{', []],
    ['"cancel"', []],
    ['{"cancel": true}', []],
    ['[]', []],
    ['["cancel", 7, null, "telepathy", ["force"]]', ['cancel']],
    [ALL, [...FEATURES]],
  ])('%j means %j', (text, expected) => {
    expect([...parseFeatures(text)]).toEqual(expected);
  });

  test('is a list in ascending order, the same for equal sets', () => {
    expect(encodeFeatures(['force', 'cancel', 'force'])).toBe('["cancel","force"]');
  });
});

describe('the decision record', () => {
  const page = readFile(
    join(projectRoot, 'docs', 'decisions', '0005-protocol-extensions.md'),
    'utf8',
  );

  test('lists the same features', async () => {
    const [, rows = ''] = (await page).split('| Feature ');
    const [table = ''] = rows.split('\n\n');
    const names = new Set([...table.matchAll(/^\| `([a-z-]+)`/gm)].map(([, name]) => name));
    expect(names).toEqual(new Set(FEATURES));
  });

  test('says of each key of a job which feature it needs, as the code does', async () => {
    const [, rows = ''] = (await page).split('| Key  ');
    const [table = ''] = rows.split('\n\n');
    const needs = [...table.matchAll(/^\| `([a-z-]+)` +\|[^|]+\| (?:–|`([a-z-]+)`) +\|/gm)].map(
      ([, key, feature]) => [key, feature === undefined ? [] : [feature]],
    );
    const wire = {
      'requested-at': '2026-11-22T00:00:00Z',
      label: 'a',
      deadline: { 'run-seconds': 1 },
      cancel: true,
      'dry-run': true,
      'undo-of': 'job-1',
      force: true,
      encryption: URI,
      items: ['postgresql.conf'],
      'compression-level': 3,
      recheck: 'full',
    };
    const found = Object.entries(wire).map(([key, value]) => {
      const [item] = JSON.parse(encodeJobs([restore]));
      const [read] = parseJobs(JSON.stringify([{ ...item, [key]: value }])).jobs;
      return [key, read === undefined ? ['unread'] : neededFeatures(read)];
    });
    expect(found).toEqual(needs);
  });
});

class Manager extends CharmBase {
  readonly requirer: BackupRequirer;

  constructor(framework: Framework) {
    super(framework);
    this.requirer = new BackupRequirer(this, 'backup', { features: FEATURES });
  }
}

class SilentManager extends CharmBase {
  readonly requirer: BackupRequirer;

  constructor(framework: Framework) {
    super(framework);
    this.requirer = new BackupRequirer(this, 'backup');
  }
}

const managerMeta = { name: 'manager', requires: { backup: { interface: 'database_backup' } } };

function database(units: readonly (string | undefined)[], jobs: readonly Job[] = []) {
  return relation({
    endpoint: 'backup',
    id: 3,
    remoteApp: 'db',
    localAppData: jobs.length === 0 ? {} : { jobs: encodeJobs(jobs) },
    remoteUnits: Object.fromEntries(
      units.map((features, at) => [at, features === undefined ? {} : { features }]),
    ),
  });
}

function withUnits(units: readonly (string | undefined)[], jobs: readonly Job[] = []): State {
  return state({ leader: true, relations: [database(units, jobs)] });
}

const agreed = (requirer: BackupRequirer): readonly Feature[] =>
  requirer.databases().flatMap((one) => [...requirer.agreed(one.relation)]);

const ask = (jobs: readonly Job[]) => (requirer: BackupRequirer) => {
  for (const one of requirer.databases()) {
    requirer.setJobs(one.relation, jobs);
  }
};

describe('the requirer', () => {
  const context = new Context(Manager, { meta: managerMeta });

  async function inScene<T>(
    scene: State,
    look: (requirer: BackupRequirer) => T,
    charm: Context<Manager> = context,
  ): Promise<{ readonly answer: T | undefined; readonly after: State }> {
    let answer: T | undefined;
    const after = await charm.run(charm.on.updateStatus(), scene, {
      inspect: ({ requirer }) => {
        answer = look(requirer);
      },
    });
    return { answer, after };
  }

  test.each([
    ['relationCreated', true, ALL],
    ['relationCreated', false, undefined],
    ['leaderElected', true, ALL],
    ['upgradeCharm', true, ALL],
    ['upgradeCharm', false, undefined],
  ] as const)('announces at %s, leader %s: %s', async (event, leader, expected) => {
    const at = database([undefined]);
    const { on } = context;
    const it = event === 'relationCreated' ? on.relationCreated(at) : on[event]();
    const after = await context.run(it, state({ leader, relations: [at] }));
    expect(after.getRelation(3).localAppData['features']).toBe(expected);
  });

  test.each([
    ['no unit', [], []],
    ['one that announces all', [ALL], [...FEATURES]],
    ['one of two silent', [ALL, undefined], []],
    ['two that share one', ['["cancel","force"]', '["cancel"]'], ['cancel']],
  ])('agrees with a database of %s', async (_name, units, expected) => {
    expect((await inScene(withUnits(units), agreed)).answer).toEqual(expected);
  });

  test('agrees on nothing it has not announced itself', async () => {
    const silent = new Context(SilentManager, { meta: managerMeta });
    expect((await inScene(withUnits([ALL]), agreed, silent)).answer).toEqual([]);
  });

  test.each<readonly [Feature, Job]>([
    ['deadlines', { ...job, deadline: { runSeconds: 1 } }],
    ['cancel', { ...job, isCancelled: true }],
    ['dry-run', { ...restore, isDryRun: true }],
    ['undo-restore', { ...restore, undoOf: 'job-1' }],
    ['force', { ...restore, isForced: true }],
    [
      'secret-credentials',
      { ...job, storageConfig: { ...plain, 'access-key': URI, 'secret-key': URI } },
    ],
    ['secret-credentials', { ...job, storageConfig: { ...plain, 'secret-key': URI } }],
  ])('sends nothing that needs %s unless it is agreed', async (feature, wish) => {
    const others = JSON.stringify(FEATURES.filter((one) => one !== feature));
    await expect(inScene(withUnits([others]), ask([wish]))).rejects.toThrow(feature);
    const { after } = await inScene(withUnits([ALL]), ask([wish]));
    expect(parseJobs(after.getRelation(3).localAppData['jobs']).jobs).toEqual([wish]);
  });

  test('a job asked for when it was agreed stays as it is', async () => {
    const dry: Job = { ...restore, isDryRun: true };
    const scene = withUnits([ALL, undefined], [dry, job]);
    const { after } = await inScene(scene, ask([dry]));
    expect(parseJobs(after.getRelation(3).localAppData['jobs']).jobs).toEqual([dry]);
    const changed = ask([{ ...dry, isForced: true }]);
    await expect(inScene(scene, changed)).rejects.toThrow('force');
  });

  test.each([
    [ALL, 'asked', [{ ...job, isCancelled: true }, restore]],
    [undefined, 'withdrawn', [restore]],
  ])('a cancel with %s is %s', async (features, expected, jobs) => {
    const scene = withUnits([features], [job, restore]);
    const { answer, after } = await inScene(scene, (requirer) =>
      requirer.databases().map((one) => requirer.cancel(one.relation, 'job-1')),
    );
    expect(answer).toEqual([expected]);
    expect(parseJobs(after.getRelation(3).localAppData['jobs']).jobs).toEqual(jobs);
  });
});

const asked = (jobs: readonly Job[]) =>
  relation({
    endpoint: 'backup',
    id: 3,
    remoteApp: 'manager',
    remoteAppData: { jobs: encodeJobs(jobs), features: '["cancel","deadlines"]' },
  });

describe('the provider', () => {
  class Database extends CharmBase {
    readonly provider: BackupProvider;

    constructor(framework: Framework) {
      super(framework);
      this.provider = new BackupProvider(this, 'backup', { features: ['cancel', 'force'] });
    }
  }
  const context = new Context(Database, {
    meta: { name: 'db', provides: { backup: { interface: 'database_backup' } } },
  });
  test.each(['relationCreated', 'upgradeCharm'] as const)(
    'announces at %s, on every unit',
    async (event) => {
      const at = asked([]);
      const it = event === 'relationCreated' ? context.on[event](at) : context.on[event]();
      const after = await context.run(it, state({ relations: [at] }));
      expect(after.getRelation(3).localUnitData['features']).toBe('["cancel","force"]');
    },
  );

  test('agrees on what both have', async () => {
    await context.run(context.on.updateStatus(), state({ relations: [asked([])] }), {
      inspect: ({ provider }) => {
        const sets = provider.requests().map((one) => [...provider.agreed(one.relation)]);
        expect(sets).toEqual([['cancel']]);
      },
    });
  });

  test('answers what it would do wrong, instead of doing it', async () => {
    const dry = { ...restore, jobId: 'dry', isDryRun: true };
    const undo = { ...restore, jobId: 'undo', undoOf: 'job-1' };
    const forced = { ...restore, jobId: 'forced', isForced: true, deadline: { runSeconds: 5 } };
    const scene = state({ relations: [asked([dry, job, undo, forced])] });
    await context.run(context.on.updateStatus(), scene, {
      inspect: ({ provider }) => {
        const [found] = provider.requests();
        expect(found?.jobs).toEqual([job, forced]);
        expect(found?.issues.map(rejectionOf)).toMatchObject([
          { jobId: 'dry', jobType: 'restore', message: expect.stringContaining('dry-run') },
          { jobId: 'undo', jobType: 'restore', message: expect.stringContaining('undo-restore') },
        ]);
      },
    });
  });
});
