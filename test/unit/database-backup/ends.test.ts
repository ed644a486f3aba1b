/** Both ends of the relation on the SDK: state in, one event, state out. */
import { describe, expect, test } from '@jest/globals';
import {
  BackupProvider,
  BackupRequirer,
  encodeJobs,
  type Job,
  parseJobStatuses,
  parseJobs,
  rejectionOf,
  statusOf,
} from '#database-backup';
import { CharmBase, type Framework } from '#ops';
import { Context, peerRelation, relation, state } from '#ops/testing';

const storageConfig = { bucket: 'b', 'access-key': 'AK-PLANTED', 'secret-key': 'SK-PLANTED' };
const job: Job = { jobId: 'job-1', jobType: 'backup', compression: true, storageConfig };

const seen: string[] = [];

/** Publishes `running` for each job, an error for each issue. */
class DatabaseCharm extends CharmBase {
  constructor(framework: Framework) {
    super(framework);
    const provider = new BackupProvider(this, 'backup');
    framework.observe(provider.jobsChanged, (event) => {
      seen.push(`changed ${event.relation.id}`);
      for (const { relation: at, jobs, issues } of provider.requests()) {
        const answers = issues.map(rejectionOf).filter((one) => one !== undefined);
        const running = jobs.map((one) => statusOf(one, { status: 'running' }));
        provider.publish(at, [...running, ...answers]);
      }
    });
  }
}

const databaseMeta = { name: 'db', provides: { backup: { interface: 'database_backup' } } };

function provided(jobs: string | undefined, localUnitData = {}) {
  return relation({
    endpoint: 'backup',
    id: 3,
    remoteApp: 'manager',
    remoteAppData: jobs === undefined ? {} : { jobs },
    localUnitData,
  });
}

describe('the provider end', () => {
  const context = new Context(DatabaseCharm, { meta: databaseMeta });

  async function onChanged(jobs: string | undefined, localUnitData = {}) {
    seen.length = 0;
    const at = provided(jobs, localUnitData);
    const after = await context.run(
      context.on.relationChanged(at, { remoteUnit: null }),
      state({ relations: [at] }),
    );
    return after.getRelation(3).localUnitData['jobs'];
  }

  test('answers jobs and malformed items side by side, without secrets', async () => {
    const text = JSON.stringify([...JSON.parse(encodeJobs([job])), { 'job-id': 'job-2' }, 7]);
    const published = await onChanged(text);
    expect(parseJobStatuses(published).statuses.map((one) => [one.jobId, one.status])).toEqual([
      ['job-1', 'running'],
      ['job-2', 'error'],
    ]);
    expect(published).not.toContain('PLANTED');
  });

  test.each(['', '{', '{}', 'null', '[null]'])('lives through %j', async (text) => {
    expect(await onChanged(text)).toBeUndefined();
    expect(seen).toEqual(['changed 3']);
  });

  test('says nothing any more when nothing is asked any more', async () => {
    const before = await onChanged(encodeJobs([job]));
    expect(await onChanged('[]', { jobs: before })).toBeUndefined();
  });

  test('writes nothing when nothing differs', async () => {
    const before = await onChanged(encodeJobs([job]));
    await onChanged(encodeJobs([job]), { jobs: before });
    expect(context.hookToolCalls.map((call) => call.tool)).not.toContain('relation-set');
  });

  test('is told of a broken relation, which is not among the requests any more', async () => {
    seen.length = 0;
    const at = provided(encodeJobs([job]));
    const after = await context.run(context.on.relationBroken(at), state({ relations: [at] }));
    expect(seen).toEqual(['changed 3']);
    expect(after.getRelation(3).localUnitData['jobs']).toBeUndefined();
  });
});

class ManagerCharm extends CharmBase {
  readonly requirer: BackupRequirer;

  constructor(framework: Framework) {
    super(framework);
    this.requirer = new BackupRequirer(this, 'backup');
    const { statusChanged, databaseRelated, unitGone, databaseGone } = this.requirer;
    framework.observe(databaseRelated, (event) => {
      seen.push(`related ${event.relation.app.name}`);
    });
    framework.observe(statusChanged, (event) => {
      seen.push(`status ${event.unit ?? 'application'}`);
    });
    framework.observe(unitGone, (event) => {
      seen.push(`unit gone ${event.unit ?? ''}`);
    });
    framework.observe(databaseGone, (event) => {
      seen.push(`gone ${event.relation.id}, left ${this.requirer.databases().length}`);
    });
  }
}

describe('the requirer end', () => {
  const meta = {
    name: 'manager',
    requires: { backup: { interface: 'database_backup' } },
    peers: { peers: { interface: 'p' } },
  };
  const context = new Context(ManagerCharm, { meta });
  const running = JSON.stringify([
    {
      'job-id': 'job-1',
      'job-type': 'backup',
      'storage-interface': 's3',
      'storage-config': storageConfig,
      status: 'running',
    },
  ]);
  const db = relation({
    endpoint: 'backup',
    id: 3,
    remoteApp: 'db',
    remoteUnits: { 0: { jobs: running }, 1: { jobs: '{' }, 2: {} },
  });
  const given = state({
    leader: true,
    relations: [db, peerRelation({ endpoint: 'peers', id: 9 })],
  });

  test('tells of databases and units that come, speak and go', async () => {
    seen.length = 0;
    await context.run(context.on.relationCreated(db), given);
    await context.run(context.on.relationChanged(db, { remoteUnit: 1 }), given);
    await context.run(context.on.relationDeparted(db, { remoteUnit: 1 }), given);
    await context.run(context.on.relationBroken(db), given);
    expect(seen).toEqual(['related db', 'status db/1', 'unit gone db/1', 'gone 3, left 0']);
  });

  test('does not call units gone when it is the own unit that leaves', async () => {
    seen.length = 0;
    const options = { remoteUnit: 1, departingUnit: 'manager/0' };
    await context.run(context.on.relationDeparted(db, options), given);
    expect(seen).toEqual([]);
  });

  test('reads what all units say, and apart what is no status', async () => {
    await context.run(context.on.updateStatus(), given, {
      inspect: ({ requirer }) => {
        const [database] = requirer.databases();
        expect(database?.name).toBe('db');
        const at = database?.relation;
        expect(at && requirer.statuses(at)).toMatchObject([
          { jobId: 'job-1', status: 'running', unit: 'db/0' },
        ]);
        expect(at && requirer.issues(at)).toEqual([{ message: 'jobs: is not JSON', unit: 'db/1' }]);
      },
    });
  });

  test('writes requests and reads them back; none leave an empty list behind', async () => {
    const asked = await context.run(context.on.updateStatus(), given, {
      inspect: ({ requirer }) => {
        for (const { relation: at } of requirer.databases()) {
          requirer.setJobs(at, [job]);
          expect(requirer.jobs(at)).toEqual([job]);
        }
      },
    });
    expect(parseJobs(asked.getRelation(3).localAppData['jobs']).jobs).toEqual([job]);
    const withdrawn = await context.run(context.on.updateStatus(), asked, {
      inspect: ({ requirer }) => {
        for (const { relation: at } of requirer.databases()) {
          requirer.setJobs(at, []);
        }
      },
    });
    expect(withdrawn.getRelation(3).localAppData['jobs']).toBe('[]');
  });

  test('a relation nothing was ever asked in stays untouched', async () => {
    const after = await context.run(context.on.updateStatus(), given, {
      inspect: ({ requirer }) => {
        for (const { relation: at } of requirer.databases()) {
          requirer.setJobs(at, []);
        }
      },
    });
    expect(after.getRelation(3).localAppData).toEqual({});
  });
});
