import { describe, expect, test } from '@jest/globals';
import { ActiveStatus } from '#ops';
import { relation, state } from '#ops/testing';
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
