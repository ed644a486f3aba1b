/** Requests to databases that have not introduced themselves: state in, one event, state out. */
import { describe, expect, test } from '@jest/globals';
import { type Job, parseJobs } from '#database-backup';
import { peerRelation, relation, type State, secret, state } from '#ops/testing';
import { parseHistory } from '../../../charms/backup-manager/src/history.ts';
import { managerContext } from './manager-context.ts';

const KEYS = { 'access-key': 'AK-PLANTED', 'secret-key': 'SK-PLANTED' };
const USER_SECRET = 'secret:9m4e2mr0ui3e8a215n4g';
const PASSPHRASE = 'secret:9m4e2mr0ui3e8a215n50';
const DB = 4;
const PEERS = 1;
const INTRODUCED = { features: '["encryption","secret-credentials"]' };
const SILENT = {};
const WAITS = 'waits for db: its units have not introduced themselves yet';

const context = managerContext();

type Units = Readonly<Record<number, Readonly<Record<string, string>>>>;

function scene(remoteUnits: Units, config: Readonly<Record<string, string>> = {}): State {
  return state({
    leader: true,
    config: { bucket: 'b', credentials: USER_SECRET, ...config },
    secrets: [
      secret({ id: USER_SECRET, content: KEYS }),
      secret({ id: PASSPHRASE, content: { passphrase: 'PASSPHRASE-PLANTED-1' } }),
    ],
    relations: [
      peerRelation({ endpoint: 'history', id: PEERS }),
      relation({ endpoint: 'database-backup', id: DB, remoteApp: 'db', remoteUnits }),
    ],
  });
}

/** The same with other units of the database. */
function having(before: State, remoteUnits: Units): State {
  return before.withRelation(relation({ ...before.getRelation(DB), remoteApp: 'db', remoteUnits }));
}

async function ask(before: State, params: Readonly<Record<string, unknown>> = {}): Promise<State> {
  const after = await context.run(context.on.action('create-backup', params), before);
  expect(context.actionFailure).toBeUndefined();
  return after;
}

/** A unit of the database joins and changes. */
async function changed(before: State, remoteUnit = 0): Promise<State> {
  return await context.run(
    context.on.relationChanged(before.getRelation(DB), { remoteUnit }),
    before,
  );
}

function asked(at: State): readonly Job[] {
  return parseJobs(at.getRelation(DB).localAppData['jobs']).jobs;
}

function history(at: State) {
  return parseHistory(at.getRelation(PEERS).localAppData['history']);
}

function bags(at: State): string {
  return JSON.stringify(at.relations.map((one) => [one.localAppData, one.localUnitData]));
}

describe('a request before a unit of the database is here', () => {
  test('is held, says what it waits for, and shows no key', async () => {
    const held = await ask(scene({}), { label: 'early' });
    expect(context.actionResults).toMatchObject({ 'job-id': expect.any(String), held: WAITS });
    expect(asked(held)).toEqual([]);
    expect(history(held)).toMatchObject([{ state: 'requested', label: 'early' }]);
    expect(bags(held)).not.toContain('PLANTED');

    await context.run(context.on.action('list-jobs'), held);
    expect(context.actionResults['jobs']).toContain(WAITS);
    await context.run(
      context.on.action('show-job', { 'job-id': history(held)[0]?.jobId ?? '' }),
      held,
    );
    expect(context.actionResults).toMatchObject({ status: 'requested', message: WAITS });
    const later = await context.run(context.on.updateStatus(), held);
    expect(history(later)).toMatchObject([{ state: 'requested' }]);
    expect(asked(later)).toEqual([]);
  });

  test('goes out as a reference when the first one has introduced itself, as it was asked', async () => {
    const held = await ask(scene({}), { label: 'early', compression: false });
    const after = await changed(having(held, { 0: INTRODUCED }));
    const [job] = asked(after);
    const id = history(held)[0]?.jobId;
    expect(job).toMatchObject({ jobId: id, label: 'early', compression: false });
    expect(job?.storageConfig['access-key']).toMatch(/^secret:/);
    expect(history(after)).toMatchObject([{ jobId: id, state: 'requested' }]);
    expect(history(after)[0]).not.toHaveProperty('held');
    expect(bags(after)).not.toContain('PLANTED');
    // Once, whatever comes later.
    expect(asked(await changed(after))).toHaveLength(1);
  });

  test('waits on while a unit is here of which nothing was heard, also with another that has', async () => {
    const held = await ask(scene({ 0: INTRODUCED, 1: SILENT }));
    expect(asked(held)).toEqual([]);
    const elsewhere = await changed(held, 0);
    expect(asked(elsewhere)).toEqual([]);
    const after = await changed(having(elsewhere, { 0: INTRODUCED, 1: INTRODUCED }), 1);
    expect(asked(after)).toHaveLength(1);
    expect(bags(after)).not.toContain('PLANTED');
  });

  test('goes to a database of version 0 with its first change, and at once from then on', async () => {
    const held = await ask(scene({ 0: SILENT }));
    const after = await changed(held);
    expect(asked(after)[0]?.storageConfig).toMatchObject(KEYS);
    expect(asked(await ask(after))).toHaveLength(2);
  });

  test.each(['updateStatus', 'leaderElected'] as const)(
    'goes to a database of version 0 whose change another unit was told of, at %s',
    async (event) => {
      const held = await ask(scene({ 0: SILENT }));
      const after = await context.run(context.on[event](), held);
      expect(asked(after)[0]?.storageConfig).toMatchObject(KEYS);
    },
  );

  test('is cancelled without a word to the database', async () => {
    const held = await ask(scene({}));
    const params = { 'job-id': history(held)[0]?.jobId ?? '' };
    const after = await context.run(context.on.action('cancel-job', params), held);
    expect(context.actionResults).toMatchObject({ status: 'cancelled' });
    expect(history(after)).toMatchObject([
      {
        state: 'error',
        errorCode: 'cancelled',
        message: 'cancelled before it was sent to the database',
      },
    ]);
    expect(asked(await changed(having(after, { 0: INTRODUCED })))).toEqual([]);
  });

  test('is lost with the relation', async () => {
    const held = await ask(scene({}));
    const after = await context.run(context.on.relationBroken(held.getRelation(DB)), held);
    expect(history(after)).toMatchObject([{ state: 'error', errorCode: 'lost' }]);
    expect(history(after)[0]).not.toHaveProperty('held');
  });

  test('waits for the storage too, where its settings were taken away meanwhile', async () => {
    const held = await ask(scene({}));
    const unset = having(held, { 0: INTRODUCED }).with({ config: { ...held.config, bucket: '' } });
    const waiting = await changed(unset);
    expect(asked(waiting)).toEqual([]);
    const after = await context.run(
      context.on.configChanged(),
      waiting.with({ config: held.config }),
    );
    expect(asked(after)).toHaveLength(1);
  });

  test('that needs what only some understand is refused for now', async () => {
    const before = scene({});
    await context.run(context.on.action('create-backup', { 'run-deadline': '1h' }), before);
    expect(context.actionFailure).toContain('what db understands is not known');
    expect(context.actionFailure).toContain('repeat in a moment');
    const encrypted = scene({}, { encryption: PASSPHRASE });
    await context.run(context.on.action('create-backup'), encrypted);
    expect(context.actionFailure).toContain('what db understands is not known');
  });

  test('never goes in plain when encryption was switched on meanwhile', async () => {
    const held = await ask(scene({}));
    const switched = (units: Units) =>
      having(held, units).with({ config: { ...held.config, encryption: PASSPHRASE } });
    const old = await changed(switched({ 0: { features: '["secret-credentials"]' } }));
    expect(asked(old)).toEqual([]);
    expect(history(old)).toMatchObject([{ state: 'error', errorCode: 'not-supported' }]);
    expect(context.jujuLog.map(({ message }) => message).join()).toContain(
      'does not know encryption',
    );
    const able = await changed(switched({ 0: INTRODUCED }));
    expect(asked(able)[0]?.encryption).toMatch(/^secret:/);
  });
});
