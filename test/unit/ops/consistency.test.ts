import { describe, expect, test } from '@jest/globals';
import {
  type ContextOptions,
  network,
  peerRelation,
  relation,
  type StateFields,
  secret,
  state,
  storage,
  subordinateRelation,
  type TestEvent,
  type TestEvents,
} from '#ops/testing';
import { PROBE_META, probe } from '../../helpers/probe-charm.ts';

const META = {
  ...PROBE_META,
  requires: { ...PROBE_META.requires, beside: { interface: 'info', scope: 'container' } },
};

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

  const data = storage({ name: 'data' });
  const rules: [
    string,
    StateFields,
    (on: TestEvents) => TestEvent,
    RegExp,
    Partial<ContextOptions>?,
  ][] = [
    ...cases,
    [
      'a relation event without its relation',
      {},
      (on) => on.custom('database-relation-changed'),
      /is about a relation but carries none: make it with context\.on\.relationChanged/,
    ],
    [
      'a storage event without its storage',
      {},
      (on) => on.custom('data-storage-attached'),
      /carries none: make it with context\.on\.storageAttached/,
    ],
    [
      'a secret event without its secret',
      {},
      (on) => on.custom('secret-rotate'),
      /carries none: make it with context\.on\.secretChanged/,
    ],
    [
      'an event of a storage not there',
      {},
      (on) => on.storageAttached(data),
      /add that to the state's storages/,
    ],
    ['departed without units', { relations: [alone] }, (on) => on.relationDeparted(alone), /give/],
    [
      'a container-scoped relation made as another',
      { relations: [relation({ endpoint: 'beside' })] },
      (on) => on.start(),
      /make its relation with subordinateRelation\(\)/,
    ],
    [
      'a relation made as container-scoped',
      { relations: [subordinateRelation({ endpoint: 'cache' })] },
      (on) => on.start(),
      /not declared with "scope: container"/,
    ],
    [
      'a container-scoped relation with two units',
      {
        relations: [
          { ...subordinateRelation({ endpoint: 'beside' }), remoteUnits: { 0: {}, 1: {} } },
        ],
      },
      (on) => on.start(),
      /it has one remote unit/,
    ],
    [
      'two peer relations of one endpoint',
      { relations: [peers, peerRelation({ endpoint: 'cluster' })] },
      (on) => on.start(),
      /peer relation "cluster" occurs twice/,
    ],
    [
      'data that is no text',
      { relations: [{ ...db, remoteAppData: { port: 80 as unknown as string } }] },
      (on) => on.start(),
      /key "port" in the data of relation database:\d+ is 80: write it as text/,
    ],
    [
      'a storage twice',
      { storages: [data, data] },
      (on) => on.start(),
      /occurs twice: give each instance an index/,
    ],
    [
      'a storage of another kind',
      { storages: [storage({ name: 'data', kind: 'block' })] },
      (on) => on.start(),
      /declared as filesystem: block is none/,
    ],
    [
      'a storage without index',
      { storages: [{ id: 'data', location: '/', kind: 'filesystem' }] },
      (on) => on.start(),
      /storage id "data" is none/,
    ],
    [
      'a network of a container-scoped endpoint',
      { networks: { beside: network() } },
      (on) => on.start(),
      /"scope: container", which has none/,
    ],
    [
      'an extra binding named like an endpoint',
      {},
      (on) => on.start(),
      /extra binding "cache" has the name of an endpoint/,
      { meta: { ...PROBE_META, 'extra-bindings': { cache: null } } },
    ],
    ['a port written otherwise', { openedPorts: ['80'] }, (on) => on.start(), /does: "80\/tcp"/],
    ['what is no port', { openedPorts: ['http'] }, (on) => on.start(), /invalid port "http"/],
    [
      'overlapping ports',
      { openedPorts: ['80/tcp', '79-81/tcp'] },
      (on) => on.start(),
      /overlap: Juju opens a port once/,
    ],
    ['half a planned unit', { plannedUnits: 0.5 }, (on) => on.start(), /plannedUnits is 0.5/],
    ['a negative unit number', {}, (on) => on.start(), /unitId is -1/, { unitId: -1 }],
    [
      'a principal of a charm that is no subordinate',
      {},
      (on) => on.start(),
      /the charm is no subordinate/,
      { principalUnit: 'app/0' },
    ],
    [
      'a param declared without type',
      {},
      (on) => on.action('loose'),
      /"anything" of action "loose" is declared without type/,
      { meta: { ...PROBE_META, actions: { loose: { params: { anything: {} } } } } },
    ],
    [
      'a param that is none of its choices',
      {},
      (on) => on.action('pick', { colour: 'blue' }),
      /must be one of \["red","green"\]/,
      {
        meta: {
          ...PROBE_META,
          actions: { pick: { params: { colour: { type: 'string', enum: ['red', 'green'] } } } },
        },
      },
    ],
  ];

  test.each(rules)('%s', async (_name, fields, event, message, options = {}) => {
    const context = probe(() => undefined, { meta: META, ...options });
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

  test('states and events Juju could be in are not', async () => {
    const context = probe(() => undefined, { meta: META });
    const beside = subordinateRelation({ endpoint: 'beside', remoteUnit: 3 });
    const given = state({
      relations: [db, peers, beside],
      networks: { admin: network(), 'juju-info': network(), database: network() },
      openedPorts: ['80/tcp', '80/udp', '81-90/tcp', 'icmp'],
      storages: [data, storage({ name: 'data' })],
      plannedUnits: 0,
      leader: true,
    });
    await context.run(context.on.relationJoined(beside), given);
    await context.run(context.on.custom('gone-relation-changed'), given);
    expect(context.jujuLog).toHaveLength(1);
  });
});
