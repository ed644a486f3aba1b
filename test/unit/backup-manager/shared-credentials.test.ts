/** The S3 keys on their way to databases: as a granted secret, or as version 0 has it. */
import { describe, expect, test } from '@jest/globals';
import { encodeJobs, type Job, parseJobs } from '#database-backup';
import { peerRelation, relation, type State, secret, state } from '#ops/testing';
import { encodeHistory } from '../../../charms/backup-manager/src/history.ts';
import { anEntry, now } from './makers.ts';
import { managerContext } from './manager-context.ts';

const KEYS = { 'access-key': 'AK-PLANTED', 'secret-key': 'SK-PLANTED' };
const NEW_KEYS = { 'access-key': 'AK-2', 'secret-key': 'SK-2' };
const USER_SECRET = 'secret:9m4e2mr0ui3e8a215n4g';
const LABEL = 'database-credentials';
const KNOWS = '["secret-credentials"]';
const DB = 4;
const OTHER = 5;
const PEERS = 1;

const context = managerContext();

const ELSEWHERE = 'f0000000-0000-4000-8000-000000000000';
// As the offering model calls the application of another that consumes its offer.
const CONSUMER = `remote-${'0a'.repeat(16)}`;

function database(id: number, units: readonly (string | undefined)[], remoteApp?: string) {
  return relation({
    endpoint: 'database-backup',
    id,
    remoteApp: remoteApp ?? (id === DB ? 'db' : 'db2'),
    ...(remoteApp === undefined ? {} : { remoteModelUuid: ELSEWHERE }),
    remoteUnits: Object.fromEntries(
      // One of version 0 that was asked something before.
      units.map((features, at) => [at, features === undefined ? { jobs: '[]' } : { features }]),
    ),
  });
}

function scene(...databases: readonly ReturnType<typeof database>[]): State {
  return state({
    leader: true,
    config: { bucket: 'b', credentials: USER_SECRET },
    secrets: [secret({ id: USER_SECRET, content: KEYS })],
    relations: [peerRelation({ endpoint: 'history', id: PEERS }), ...databases],
  });
}

async function backUp(before: State): Promise<State> {
  const after = await context.run(context.on.action('create-backup'), before);
  expect(context.actionFailure).toBeUndefined();
  return after;
}

function asked(at: State, id = DB): readonly Job[] {
  return parseJobs(at.getRelation(id).localAppData['jobs']).jobs;
}

function shared(at: State) {
  return at.secrets.find(({ label }) => label === LABEL);
}

function rotated(at: State, content = NEW_KEYS): State {
  return at.withSecret(secret({ id: USER_SECRET, content, trackedContent: KEYS }));
}

/** What happens when the administrator changes the secret of the configuration. */
async function tellRotation(at: State): Promise<State> {
  const next = rotated(at);
  return await context.run(context.on.secretChanged(next.getSecret({ id: USER_SECRET })), next);
}

/** All that others can read of this application without a grant. */
function open(at: State): string {
  const bags = at.relations.map((one) => [one.localAppData, one.localUnitData]);
  return JSON.stringify([
    bags,
    context.actionResults,
    context.jujuLog,
    at.unitStatus,
    at.appStatus,
  ]);
}

const warnings = () => context.jujuLog.filter(({ message }) => message.includes('plaintext'));

const withHistory = (at: State, entries: Parameters<typeof encodeHistory>[0]): State =>
  at.withRelation({
    ...at.getRelation(PEERS),
    localAppData: {
      ...at.getRelation(PEERS).localAppData,
      history: encodeHistory(entries, 1000),
    },
  });

describe('a database that knows secrets', () => {
  test('gets a reference to a secret granted to it, and nobody sees the keys', async () => {
    const after = await backUp(scene(database(DB, [KNOWS])));
    const own = shared(after);
    expect(own).toMatchObject({
      owner: 'application',
      latestContent: KEYS,
      grants: { [DB]: ['db'] },
    });
    expect(asked(after)[0]?.storageConfig).toMatchObject({
      bucket: 'b',
      'access-key': own?.id,
      'secret-key': own?.id,
    });
    expect(open(after)).not.toContain('PLANTED');
    expect(warnings()).toEqual([]);
  });

  test('shares one secret with another', async () => {
    const after = await backUp(scene(database(DB, [KNOWS]), database(OTHER, [KNOWS])));
    expect(shared(after)?.grants).toEqual({ [DB]: ['db'], [OTHER]: ['db2'] });
    expect(after.secrets).toHaveLength(2);
  });

  test('and consumes us in another model gets the reference with ours in front', async () => {
    const before = scene(database(DB, [KNOWS], CONSUMER));
    const after = await backUp(before);
    const bare = shared(after)?.id.replace('secret:', '');
    expect(asked(after)[0]?.storageConfig['access-key']).toBe(
      `secret://${before.model.uuid}/${bare}`,
    );
  });

  test('and is consumed from another model cannot be granted one by Juju, so it gets the keys', async () => {
    const after = await backUp(scene(database(DB, [KNOWS], 'saas-db')));
    expect(shared(after)).toBeUndefined();
    expect(asked(after)[0]?.storageConfig).toMatchObject(KEYS);
    expect(context.hookToolCalls.map(({ tool }) => tool)).not.toContain('secret-grant');
    expect(warnings()).toMatchObject([
      {
        level: 'WARNING',
        message: expect.stringContaining(
          'saas-db is consumed from another model, and Juju shares secrets from the offering model only',
        ),
      },
    ]);
    expect(warnings()[0]?.message).toContain(
      'offer backup-manager and relate the database to that',
    );
    await context.run(context.on.updateStatus(), after);
    expect(warnings()).toEqual([]);
  });

  test('is given new keys as a new revision', async () => {
    const before = await backUp(scene(database(DB, [KNOWS])));
    const after = await tellRotation(before);
    expect(shared(after)).toMatchObject({ latestContent: NEW_KEYS, revision: 2 });
    expect(asked(after)).toEqual(asked(before));
  });

  test('is told nothing while the keys stay the same', async () => {
    const before = await backUp(scene(database(DB, [KNOWS])));
    const after = await context.run(context.on.updateStatus(), before);
    expect(shared(after)?.revision).toBe(1);
    expect(context.hookToolCalls.map(({ tool }) => tool)).not.toContain('secret-set');
  });

  test('no longer gets old revisions kept for it', async () => {
    const before = await tellRotation(await backUp(scene(database(DB, [KNOWS]))));
    const own = before.getSecret({ label: LABEL });
    const after = await context.run(context.on.secretRemove(own, { revision: 1 }), before);
    expect(shared(after)?.removedRevisions).toEqual([1]);
  });

  test('with a unit that does not know them falls back, and loses the grant when no job needs it', async () => {
    const before = await backUp(scene(database(DB, [KNOWS])));
    const mixed = {
      ...before.getRelation(DB),
      remoteUnits: database(DB, [KNOWS, undefined]).remoteUnits,
    };
    const during = await backUp(before.withRelation(mixed));
    const [first, second] = asked(during);
    expect(first?.storageConfig['access-key']).toBe(shared(during)?.id);
    expect(second?.storageConfig).toMatchObject(KEYS);
    expect(shared(during)?.grants).toEqual({ [DB]: ['db'] });
    const done = during.withRelation({
      ...during.getRelation(DB),
      localAppData: { jobs: encodeJobs(asked(during).slice(1)) },
    });
    const after = await context.run(context.on.updateStatus(), done);
    expect(shared(after)).toBeUndefined();
  });
});

describe('a database that knows none', () => {
  test('gets the keys as version 0 has it, and the log says so once', async () => {
    const before = await backUp(scene(database(DB, [undefined])));
    expect(asked(before)[0]?.storageConfig).toMatchObject(KEYS);
    expect(shared(before)).toBeUndefined();
    expect(warnings()).toMatchObject([{ level: 'WARNING' }]);
    await backUp(before);
    expect(warnings()).toEqual([]);
  });

  test('gets new keys in the requests that are open', async () => {
    const after = await tellRotation(await backUp(scene(database(DB, [undefined]))));
    expect(asked(after)[0]?.storageConfig).toMatchObject({ bucket: 'b', ...NEW_KEYS });
  });

  test('keeps the keys of a job for another bucket', async () => {
    const before = await backUp(scene(database(DB, [undefined])));
    const moved = rotated(before).with({ config: { ...before.config, bucket: 'elsewhere' } });
    const after = await context.run(context.on.configChanged(), moved);
    expect(asked(after)[0]?.storageConfig).toMatchObject({ bucket: 'b', ...KEYS });
  });
});

describe('the secret goes', () => {
  test('with the last relation', async () => {
    const before = await backUp(scene(database(DB, [KNOWS])));
    const after = await context.run(context.on.relationBroken(before.getRelation(DB)), before);
    expect(shared(after)).toBeUndefined();
    expect(after.getRelation(PEERS).localAppData).not.toHaveProperty('shared-credentials');
  });

  test('but not with a unit that leads and goes, which Juju takes out of every relation', async () => {
    const before = await backUp(scene(database(DB, [KNOWS])));
    const going = before.with({ plannedUnits: 0 });
    const after = await context.run(context.on.relationBroken(going.getRelation(DB)), going);
    expect(shared(after)?.grants).toEqual({ [DB]: ['db'] });
    expect(after.getRelation(PEERS).localAppData).toEqual(before.getRelation(PEERS).localAppData);
  });

  test('but not with one of two', async () => {
    const before = await backUp(scene(database(DB, [KNOWS]), database(OTHER, [KNOWS])));
    const after = await context.run(context.on.relationBroken(before.getRelation(DB)), before);
    expect(shared(after)).toBeDefined();
  });

  test('with the settings, once no job is open', async () => {
    const before = await backUp(scene(database(DB, [KNOWS])));
    const unset = before.with({ config: { ...before.config, bucket: '' } });
    const busy = await context.run(context.on.configChanged(), unset);
    expect(shared(busy)).toBeDefined();
    const ended = withHistory(busy, [
      anEntry({ jobId: 'job-0', state: 'success', relationId: DB, finishedAt: now.toISOString() }),
    ]).withRelation({ ...busy.getRelation(DB), localAppData: {} });
    const after = await context.run(context.on.configChanged(), ended);
    expect(shared(after)).toBeUndefined();
  });
});
