import { describe, expect, test } from '@jest/globals';
import { ActiveStatus } from '#ops';
import {
  deliver,
  peerRelation,
  relation,
  type State,
  type StateFields,
  secret,
  state,
} from '#ops/testing';
import * as fc from '../../helpers/fast-check.ts';
import { type ProbeCharm, probe } from '../../helpers/probe-charm.ts';

async function runAs(unitId: number, act: (charm: ProbeCharm) => void, given: State) {
  const context = probe(
    (charm, framework) => {
      framework.observe(charm.on.start, () => act(charm));
    },
    { unitId },
  );
  return await context.run(context.on.start(), given);
}

describe('between units of one application', () => {
  const cluster = peerRelation({ endpoint: 'cluster', id: 1, localUnitData: {} });

  test('a peer sees unit data, and of the leader application data, status and secrets', async () => {
    const leader = await runAs(
      0,
      (charm) => {
        const peers = charm.model.getRelation('cluster');
        peers?.data(charm.unit).set('address', '10.0.0.1');
        peers?.data(charm.app).set('token', 'abc');
        charm.app.addSecret({ password: 'x' }, { label: 'admin' });
        charm.unit.addSecret({ own: 'x' });
        charm.app.status = new ActiveStatus('up');
      },
      state({ relations: [cluster], leader: true }),
    );
    const follower = deliver({
      from: { unit: 'probe/0', state: leader },
      to: { unit: 'probe/1', state: state({ relations: [cluster] }) },
    });
    expect(follower.getRelation(1)).toEqual({
      ...cluster,
      localAppData: { token: 'abc' },
      peers: { 0: { address: '10.0.0.1' } },
    });
    expect(follower.appStatus).toEqual(new ActiveStatus('up'));
    expect(follower.secrets.map((it) => [it.label, it.trackedContent])).toEqual([
      ['admin', undefined],
    ]);
    const seen: unknown[] = [];
    const read = await runAs(
      1,
      (charm) => {
        const peers = charm.model.getRelation('cluster');
        seen.push(peers?.units.map((unit) => peers.data(unit).get('address')));
        seen.push(peers?.data(charm.app).get('token'));
        seen.push(charm.model.getSecret({ label: 'admin' }).getContent());
      },
      follower,
    );
    expect(seen).toEqual([['10.0.0.1'], 'abc', { password: 'x' }]);
    expect(read.getSecret({ label: 'admin' }).trackedRevision).toBe(1);
  });

  test('what a unit tracks is its own, whatever the leader delivers', () => {
    const admin = secret({ content: { key: 'b' }, owner: 'application', revision: 2 });
    const tracked = { ...admin, trackedContent: { key: 'a' }, trackedRevision: 1 };
    const follower = deliver({
      from: { unit: 'probe/0', state: state({ leader: true, secrets: [admin] }) },
      to: { unit: 'probe/1', state: state({ secrets: [tracked] }) },
    });
    expect(follower.getSecret(admin)).toEqual(tracked);
  });

  test('a unit that does not lead delivers nothing of the application', () => {
    const from = state({
      relations: [{ ...cluster, localAppData: { token: 'stale' } }],
      appStatus: new ActiveStatus('stale'),
      secrets: [secret({ content: { key: 'b' }, owner: 'application' })],
    });
    const target = { ...cluster, localAppData: { token: 'new' } };
    const to = state({ relations: [target], leader: true });
    const out = deliver({
      from: { unit: 'probe/1', state: from },
      to: { unit: 'probe/0', state: to },
    });
    expect(out).toEqual(state({ relations: [{ ...target, peers: { 1: {} } }], leader: true }));
  });

  test('all units share what the leader wrote for other applications', () => {
    const db = relation({ endpoint: 'database', id: 2 });
    const from = state({ relations: [{ ...db, localAppData: { name: 'x' } }], leader: true });
    const to = state({ relations: [db] });
    const out = deliver({
      from: { unit: 'probe/0', state: from },
      to: { unit: 'probe/1', state: to },
    });
    expect(out.getRelation(2)).toEqual({ ...db, localAppData: { name: 'x' } });
  });
});

describe('between related applications', () => {
  const here = relation({ endpoint: 'database', id: 5, remoteApp: 'pg', remoteUnits: {} });
  const there = relation({ endpoint: 'website', id: 5, remoteApp: 'probe', remoteUnits: {} });

  function toPg(from: StateFields, to: StateFields = {}) {
    return deliver({
      from: { unit: 'probe/3', state: state({ relations: [here], ...from }) },
      to: { unit: 'pg/0', state: state({ relations: [there], ...to }) },
    });
  }

  test('unit data are seen, and application data of the leader', () => {
    const written = { ...here, localUnitData: { host: 'h' }, localAppData: { name: 'n' } };
    expect(toPg({ relations: [written] }).getRelation(5)).toMatchObject({
      remoteUnits: { 3: { host: 'h' } },
      remoteAppData: {},
    });
    expect(toPg({ relations: [written], leader: true }).getRelation(5)).toMatchObject({
      remoteAppData: { name: 'n' },
    });
  });

  test('granted secrets appear, new revisions are not tracked, revoked ones are refused', () => {
    const own = secret({ content: { key: 'a' }, owner: 'unit', grants: { 5: ['pg'] } });
    const first = toPg({ secrets: [own, secret({ content: { key: 'b' }, owner: 'unit' })] });
    expect(first.secrets).toEqual([
      secret({ id: own.id, content: { key: 'a' }, trackedContent: undefined }),
    ]);
    const tracking = { ...first.getSecret(own), trackedContent: { key: 'a' }, trackedRevision: 1 };
    const updated = { ...own, latestContent: { key: 'c' }, revision: 2 };
    const second = toPg({ secrets: [updated] }, { secrets: [tracking] });
    expect(second.getSecret(own)).toMatchObject({
      latestContent: { key: 'c' },
      revision: 2,
      trackedContent: { key: 'a' },
      trackedRevision: 1,
      granted: true,
    });
    const revoked = toPg({ secrets: [{ ...updated, grants: {} }] }, { secrets: second.secrets });
    expect(revoked.getSecret(own).granted).toBe(false);
  });

  test('a secret granted to one unit is delivered to that unit only', () => {
    const own = secret({ content: { key: 'a' }, owner: 'unit', grants: { 5: ['pg/1'] } });
    expect(toPg({ secrets: [own] }).secrets).toEqual([]);
  });

  test('relations are told by id; by application where there is one only', () => {
    const other = { ...there, id: 6 };
    expect(toPg({}, { relations: [there, other] }).getRelation(6)).toEqual(other);
    expect(toPg({}, { relations: [other] }).getRelation(6)).toMatchObject({
      remoteUnits: { 3: here.localUnitData },
    });
  });

  test.each([
    ['probe/0', 'redis/0', 'probe and redis are not related'],
    ['probe/0', 'probe/0', 'cannot deliver from probe/0 to itself'],
    ['probe', 'pg/0', '"probe" is no unit'],
  ])('from %s to %s is refused', (from, to, message) => {
    const given = state({ relations: [here] });
    expect(() =>
      deliver({ from: { unit: from, state: given }, to: { unit: to, state: given } }),
    ).toThrow(message);
  });
});

test('delivering twice is delivering once, and the sender keeps what it has', () => {
  const data = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.string({ minLength: 1 }));
  const side = (remoteApp: string) =>
    fc
      .record({
        localUnitData: data,
        localAppData: data,
        remoteAppData: data,
        leader: fc.boolean(),
      })
      .map(({ leader, ...fields }) =>
        state({
          relations: [relation({ endpoint: 'cache', id: 9, remoteApp, ...fields })],
          leader,
        }),
      );
  fc.assert(
    fc.property(side('redis'), side('probe'), (from, to) => {
      const before = structuredClone(from.relations);
      const ends = (receiver: State) => ({
        from: { unit: 'probe/0', state: from },
        to: { unit: 'redis/0', state: receiver },
      });
      const once = deliver(ends(to));
      expect(deliver(ends(once))).toEqual(once);
      expect(from.relations).toEqual(before);
      expect(once.getRelation(9)).toMatchObject({
        localUnitData: to.getRelation(9).localUnitData,
        localAppData: to.getRelation(9).localAppData,
        remoteUnits: { 0: from.getRelation(9).localUnitData },
      });
    }),
  );
});
