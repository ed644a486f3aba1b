import { describe, expect, test } from '@jest/globals';
import { CharmObject, EventSource, type Framework, type RelationEvent } from '#ops';
import { peerRelation, relation, secret, state } from '#ops/testing';
import { probe } from '../../helpers/probe-charm.ts';

describe('dispatch', () => {
  test('each life-cycle hook reaches the observer of its event and no other', async () => {
    const seen: string[] = [];
    const context = probe((charm, framework) => {
      for (const [name, source] of [
        ['install', charm.on.install],
        ['start', charm.on.start],
        ['stop', charm.on.stop],
        ['remove', charm.on.remove],
        ['config-changed', charm.on.configChanged],
        ['update-status', charm.on.updateStatus],
        ['upgrade-charm', charm.on.upgradeCharm],
        ['leader-elected', charm.on.leaderElected],
        ['leader-settings-changed', charm.on.leaderSettingsChanged],
      ] as const) {
        framework.observe(source, (event) => {
          seen.push(name, event.name);
        });
      }
    });
    const { on } = context;
    for (const event of [
      on.install(),
      on.start(),
      on.stop(),
      on.remove(),
      on.configChanged(),
      on.updateStatus(),
      on.upgradeCharm(),
      on.leaderElected(),
      on.leaderSettingsChanged(),
    ]) {
      seen.length = 0;
      await context.run(event, state());
      expect(seen).toEqual([event.path.slice('hooks/'.length), event.path.slice('hooks/'.length)]);
    }
  });

  test('events of several types can share a handler, and a handler of another event does not fit', async () => {
    const seen: string[] = [];
    const context = probe((charm, framework) => {
      for (const source of [charm.on.start, charm.on.relation('database').changed]) {
        framework.observe(source, (event) => {
          seen.push(event.name);
        });
      }
      // @ts-expect-error -- start has no relation
      framework.observe(charm.on.start, (event: RelationEvent) => event.relation);
    });
    await context.run(context.on.start(), state());
    expect(seen).toEqual(['start']);
  });

  test('observers run in the order they observed, each awaited before the next', async () => {
    const seen: string[] = [];
    const context = probe((charm, framework) => {
      framework.observe(charm.on.start, async () => {
        await Promise.resolve();
        await Promise.resolve();
        seen.push('first');
      });
      framework.observe(charm.on.start, () => {
        seen.push('second');
      });
    });
    await context.run(context.on.start(), state());
    expect(seen).toEqual(['first', 'second']);
  });

  test('an unknown event is ignored and said so at debug level', async () => {
    const context = probe(() => undefined);
    await context.run(context.on.custom('leader-deposed'), state());
    expect(context.jujuLog).toEqual([
      { level: 'DEBUG', message: 'ignored hook "leader-deposed": the charm does not know it' },
    ]);
  });

  test('a relation event of an endpoint the charm does not declare is an unknown event', async () => {
    const context = probe(() => undefined);
    await context.run(context.on.custom('old-relation-changed'), state());
    expect(context.jujuLog[0]?.message).toContain('ignored hook "old-relation-changed"');
  });

  test('an event nobody observes makes no hook tool call at all', async () => {
    const context = probe(() => undefined);
    const db = relation({ endpoint: 'database' });
    await context.run(context.on.configChanged(), state({ relations: [db] }));
    await context.run(context.on.relationChanged(db), state({ relations: [db] }));
    expect(context.hookToolCalls).toEqual([]);
  });

  test('what a handler throws ends the dispatch, and later observers do not run', async () => {
    const seen: string[] = [];
    const context = probe((charm, framework) => {
      framework.observe(charm.on.start, async () => {
        await Promise.reject(new Error('disk full'));
      });
      framework.observe(charm.on.start, () => {
        seen.push('second');
      });
    });
    await expect(context.run(context.on.start(), state())).rejects.toMatchObject({
      code: 'uncaught-charm-error',
      message: 'the charm threw: disk full',
    });
    expect(seen).toEqual([]);
  });
});

describe('relation events', () => {
  test('carry relation, application and unit', async () => {
    const seen: unknown[] = [];
    const context = probe((charm, framework) => {
      framework.observe(charm.on.relation('database').changed, (event) => {
        seen.push([event.relation.id, event.app.name, event.unit?.name, event.relation.isActive]);
      });
    });
    const db = relation({ endpoint: 'database', remoteApp: 'pg', remoteUnits: { 3: {} } });
    await context.run(context.on.relationChanged(db), state({ relations: [db] }));
    await context.run(
      context.on.relationChanged(db, { remoteUnit: null }),
      state({ relations: [db] }),
    );
    expect(seen).toEqual([
      [db.id, 'pg', 'pg/3', true],
      [db.id, 'pg', undefined, true],
    ]);
  });

  test('the relation of a broken event is inactive, not among the relations, and readable', async () => {
    const seen: unknown[] = [];
    const context = probe((charm, framework) => {
      framework.observe(charm.on.relation('database').broken, (event) => {
        seen.push(
          event.relation.isActive,
          charm.model.relations('database').length,
          charm.model.getRelation('database'),
          charm.model.relationById(event.relation.id) === event.relation,
          event.relation.units.length,
          event.relation.data(event.app).get('uri'),
        );
      });
    });
    const db = relation({ endpoint: 'database', remoteAppData: { uri: 'pg://' } });
    await context.run(context.on.relationBroken(db), state({ relations: [db] }));
    expect(seen).toEqual([false, 0, undefined, true, 0, 'pg://']);
  });

  test('a departed unit is out of the relation, and its data can still be read', async () => {
    const seen: unknown[] = [];
    const context = probe((charm, framework) => {
      framework.observe(charm.on.relation('database').departed, (event) => {
        seen.push(
          event.departingUnit?.name,
          event.relation.units.map((unit) => unit.name),
          event.unit && event.relation.data(event.unit).get('host'),
        );
      });
    });
    const db = relation({ endpoint: 'database', remoteUnits: { 0: {}, 1: { host: 'b' } } });
    await context.run(
      context.on.relationDeparted(db, { remoteUnit: 1 }),
      state({ relations: [db] }),
    );
    expect(seen).toEqual(['remote/1', ['remote/0'], 'b']);
  });

  test('the unit being removed is told as departing', async () => {
    const seen: unknown[] = [];
    const context = probe((charm, framework) => {
      framework.observe(charm.on.relation('cluster').departed, (event) => {
        seen.push(event.departingUnit === charm.unit, event.app === charm.app);
      });
    });
    const peers = peerRelation({ endpoint: 'cluster', peers: { 1: {} } });
    await context.run(
      context.on.relationDeparted(peers, { departingUnit: 'probe/0' }),
      state({ relations: [peers] }),
    );
    expect(seen).toEqual([true, true]);
  });
});

describe('other events', () => {
  test('secret events carry the secret without reading it, and the revision where there is one', async () => {
    const seen: unknown[] = [];
    const context = probe((charm, framework) => {
      framework.observe(charm.on.secretRemove, (event) => {
        seen.push(event.secret.id, event.secret.label, event.revision);
      });
      framework.observe(charm.on.secretChanged, (event) => {
        seen.push(event.secret.label, event.revision);
      });
    });
    const own = secret({
      content: { password: 'x' },
      label: 'admin',
      owner: 'application',
      revision: 5,
    });
    const given = state({ secrets: [own], leader: true });
    await context.run(context.on.secretRemove(own, { revision: 4 }), given);
    await context.run(context.on.secretChanged(own), given);
    expect(seen).toEqual([own.id, 'admin', 4, 'admin', undefined]);
    expect(context.hookToolCalls).toEqual([]);
  });

  test('storage events know kind and location from the environment', async () => {
    const seen: unknown[] = [];
    const context = probe((charm, framework) => {
      framework.observe(charm.on.storage('data').attached, ({ storage }) => {
        seen.push(storage.name, storage.id, storage.location, storage.kind);
      });
    });
    const data = { id: 'data/0', location: '/srv', kind: 'filesystem' } as const;
    await context.run(context.on.storageAttached(data), state({ storages: [data] }));
    expect(seen).toEqual(['data', 'data/0', '/srv', 'filesystem']);
    expect(context.hookToolCalls).toEqual([]);
  });

  test('a custom event reaches its observer by name', async () => {
    const seen: string[] = [];
    const context = probe((charm, framework) => {
      framework.observe(charm.on.custom('backup-progress'), (event) => {
        seen.push(event.name);
      });
    });
    await context.run(context.on.custom('backup-progress'), state());
    expect(seen).toEqual(['backup-progress']);
  });

  test.each([
    'install',
    'database-relation-changed',
    'x-storage-attached',
    'Über',
    'a b',
    'greet-action',
    'w-pebble-ready',
  ])('a custom event cannot be named %s', async (name) => {
    const context = probe((charm) => {
      charm.on.custom(name);
    });
    await expect(context.run(context.on.start(), state())).rejects.toMatchObject({
      cause: { code: 'invalid-event-name' },
    });
  });

  test.each([
    ['endpoint', 'databse'],
    ['storage', 'dta'],
    ['action', 'gret'],
  ] as const)('observing an %s that is not declared names what is', async (kind, name) => {
    const context = probe((charm) => {
      if (kind === 'endpoint') {
        charm.on.relation(name);
      } else if (kind === 'storage') {
        charm.on.storage(name);
      } else {
        charm.on.action(name);
      }
    });
    await expect(context.run(context.on.start(), state())).rejects.toMatchObject({
      cause: { code: 'undeclared-name', message: `${kind} "${name}" is not declared by the charm` },
    });
  });
});

describe("a library's own events", () => {
  class Library extends CharmObject {
    readonly ready = new EventSource<{ readonly port: number }>(this, 'ready');

    constructor(parent: CharmObject | Framework) {
      super(parent, 'library');
    }
  }

  test('are delivered at once, nested in the event that caused them, and awaited', async () => {
    const seen: string[] = [];
    const context = probe((charm, framework) => {
      const library = new Library(charm);
      framework.observe(charm.on.start, async () => {
        seen.push('before');
        await library.ready.emit({ port: 5432 });
        seen.push('after');
      });
      framework.observe(library.ready, async ({ port }) => {
        await Promise.resolve();
        seen.push(`ready ${port}`);
      });
    });
    await context.run(context.on.start(), state());
    expect(seen).toEqual(['before', 'ready 5432', 'after']);
  });

  test('two libraries cannot take the same name', async () => {
    const context = probe((charm) => {
      return [new Library(charm), new Library(charm)];
    });
    await expect(context.run(context.on.start(), state())).rejects.toMatchObject({
      cause: { code: 'duplicate-path' },
    });
  });
});
