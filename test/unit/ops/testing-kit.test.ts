import { describe, expect, test } from '@jest/globals';
import { ActiveStatus } from '#ops';
import {
  peerRelation,
  relation,
  type StateFields,
  secret,
  state,
  type TestEvent,
  type TestEvents,
} from '#ops/testing';
import { probe } from '../../helpers/probe-charm.ts';

describe('a state', () => {
  test('and everything in it is frozen, and is not changed by a run', async () => {
    const db = relation({ endpoint: 'database', localUnitData: { a: '1' } });
    const given = state({ relations: [db], config: { title: 'x' } });
    const before = structuredClone(given.relations);
    const context = probe((charm, framework) => {
      framework.observe(charm.on.start, () => {
        charm.model.getRelation('database')?.data(charm.unit).set('a', '2');
      });
    });
    const out = await context.run(context.on.start(), given);
    expect(given.relations).toEqual(before);
    expect(out.getRelation(db).localUnitData).toEqual({ a: '2' });
    expect(out).not.toBe(given);
    for (const part of [given, given.config, given.relations[0]?.localUnitData, out.relations]) {
      expect(Object.isFrozen(part)).toBe(true);
    }
  });

  test('of one run can be the input of the next', async () => {
    const context = probe((charm, framework) => {
      framework.observe(charm.on.updateStatus, () => {
        const databag = charm.model.getRelation('database')?.data(charm.unit);
        databag?.set('count', String(Number(databag.get('count') ?? 0) + 1));
      });
    });
    let current = state({ relations: [relation({ endpoint: 'database' })] });
    for (let run = 0; run < 3; run += 1) {
      current = await context.run(context.on.updateStatus(), current);
    }
    expect(current.getRelations('database')[0]?.localUnitData['count']).toBe('3');
  });

  test('of a run that fails is not returned, but its log is kept', async () => {
    const context = probe((charm, framework) => {
      framework.observe(charm.on.start, () => {
        charm.log.info('about to fail', { at: 'step 2', size: 5 });
        throw new Error('no');
      });
    });
    await expect(context.run(context.on.start(), state())).rejects.toThrow('the charm threw: no');
    expect(context.jujuLog).toEqual([
      { level: 'INFO', message: 'about to fail at="step 2" size=5' },
    ]);
  });

  test('is copied with changes', () => {
    const db = relation({ endpoint: 'database' });
    const given = state({ relations: [db], leader: true });
    const changed = given.withRelation({ ...db, remoteAppData: { uri: 'x' } }).with({
      unitStatus: new ActiveStatus(),
    });
    expect(changed.leader).toBe(true);
    expect(changed.getRelation(db)).toMatchObject({ remoteAppData: { uri: 'x' } });
    expect(given.getRelation(db)).toMatchObject({ remoteAppData: {} });
    expect(() => given.getRelation(999_999)).toThrow('there is no relation 999999 in the state');
  });

  test('can be looked into after the event', async () => {
    const context = probe(() => undefined, { appName: 'other', unitId: 4 });
    const seen: string[] = [];
    await context.run(context.on.start(), state(), {
      inspect: (charm) => {
        seen.push(charm.unit.name, charm.juju.modelName);
      },
    });
    expect(seen).toEqual(['other/4', 'testing']);
  });
});

describe('what Juju could never be in is refused', () => {
  const db = relation({ endpoint: 'database' });
  const alone = relation({ endpoint: 'database', remoteUnits: {} });
  const peers = peerRelation({ endpoint: 'cluster' });
  const own = secret({ content: { key: 'x' }, owner: 'unit' });
  const cases: [string, StateFields, (on: TestEvents) => TestEvent, RegExp][] = [
    ['an unknown option', { config: { prot: 1 } }, (on) => on.start(), /"prot" is not declared/],
    [
      'an option of another type',
      { config: { port: '80' } },
      (on) => on.start(),
      /"port" is declared as int/,
    ],
    [
      'a secret option without secret',
      { config: { credentials: 'x' } },
      (on) => on.start(),
      /declared as secret/,
    ],
    [
      'an unknown endpoint',
      { relations: [relation({ endpoint: 'nope' })] },
      (on) => on.start(),
      /"nope" is not declared/,
    ],
    [
      'a peer relation made as another',
      { relations: [relation({ endpoint: 'cluster' })] },
      (on) => on.start(),
      /with peerRelation\(\)/,
    ],
    [
      'a relation made as peer',
      { relations: [peerRelation({ endpoint: 'cache' })] },
      (on) => on.start(),
      /with relation\(\)/,
    ],
    ['one id twice', { relations: [db, { ...db }] }, (on) => on.start(), /occurs twice/],
    [
      'a peer that is the unit itself',
      { relations: [peerRelation({ endpoint: 'cluster', peers: { 0: {} } })] },
      (on) => on.start(),
      /localUnitData/,
    ],
    [
      'an event of a relation not there',
      {},
      (on) => on.relationChanged(db),
      /add that to the state's relations/,
    ],
    [
      'joined without units',
      { relations: [alone] },
      (on) => on.relationJoined(alone),
      /about a remote unit/,
    ],
    [
      'changed by a unit not there',
      { relations: [db] },
      (on) => on.relationChanged(db, { remoteUnit: 7 }),
      /remote unit 7/,
    ],
    [
      'a broken peer relation',
      { relations: [peers] },
      (on) => on.relationBroken(peers),
      /never be broken/,
    ],
    [
      'an event of a secret not there',
      {},
      (on) => on.secretChanged(own),
      /add that to the state's secrets/,
    ],
    [
      'an own secret not granted',
      { secrets: [secret({ content: { key: 'x' }, owner: 'unit', granted: false })] },
      (on) => on.start(),
      /needs no grant/,
    ],
    ['an unknown action', {}, (on) => on.action('gret'), /the charm has greet, wipe/],
    [
      'a param of another type',
      {},
      (on) => on.action('greet', { times: 'x' }),
      /must be of type "integer"/,
    ],
    ['an unknown param', {}, (on) => on.action('greet', { nme: 'x' }), /has no param "nme"/],
    ['a required param left out', {}, (on) => on.action('wipe'), /requires param "sure"/],
    [
      'an unknown storage',
      { storages: [{ id: 'x/0', location: '/', kind: 'block' }] },
      (on) => on.start(),
      /"x\/0" is not declared/,
    ],
    [
      'an unknown binding',
      { networks: { x: { bindAddress: '', ingressAddress: '', egressSubnets: [] } } },
      (on) => on.start(),
      /"x" is neither/,
    ],
    ['an unknown resource', { resources: { x: '/' } }, (on) => on.start(), /"x" is not declared/],
  ];

  test.each(cases)('%s', async (_name, fields, event, message) => {
    const context = probe(() => undefined);
    await expect(context.run(event(context.on), state(fields))).rejects.toMatchObject({
      code: 'inconsistent-state',
      message: expect.stringMatching(message),
    });
  });

  test('all problems are told at once', async () => {
    const context = probe(() => undefined);
    const nonsense = state({ config: { a: 1, b: 2 } });
    await expect(context.run(context.on.start(), nonsense)).rejects.toMatchObject({
      problems: [expect.stringContaining('"a"'), expect.stringContaining('"b"')],
    });
  });
});
