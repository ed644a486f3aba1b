import { describe, expect, test } from '@jest/globals';
import { peerRelation, type RelationState, relation, state } from '#ops/testing';
import { probe } from '../../helpers/probe-charm.ts';

const db: RelationState = relation({
  endpoint: 'database',
  remoteApp: 'pg',
  localAppData: { name: 'mine' },
  localUnitData: { host: 'a' },
  remoteAppData: { uri: 'pg://' },
  remoteUnits: { 0: { role: 'primary' } },
});
const peers = peerRelation({
  endpoint: 'cluster',
  localAppData: { token: 't' },
  peers: { 1: { vote: 'yes' } },
});

/** Runs `act` on update-status with a database relation and a peer relation. */
async function onUpdateStatus(
  act: (charm: Parameters<Parameters<typeof probe>[0]>[0]) => void,
  { leader = false } = {},
) {
  const context = probe((charm, framework) => {
    framework.observe(charm.on.updateStatus, () => act(charm));
  });
  const out = await context.run(
    context.on.updateStatus(),
    state({ relations: [db, peers], leader }),
  );
  return { out, context, tools: context.hookToolCalls.map((call) => call.tool) };
}

describe('reading', () => {
  test('every databag Juju shows a unit can be read', async () => {
    const seen: unknown[] = [];
    await onUpdateStatus((charm) => {
      const database = charm.model.getRelation('database');
      const cluster = charm.model.getRelation('cluster');
      seen.push(
        database?.data(database.app).get('uri'),
        database?.units.map((unit) => database.data(unit).entries()),
        database?.data(charm.unit).get('host'),
        cluster?.data(charm.app).get('token'),
        cluster?.units.map((unit) => cluster.data(unit).get('vote')),
        cluster?.data(charm.unit).get('absent'),
      );
    });
    expect(seen).toEqual(['pg://', [{ role: 'primary' }], 'a', 't', ['yes'], undefined]);
  });

  test("a unit that does not lead cannot read its application's data, and Juju is not asked", async () => {
    const { tools } = await onUpdateStatus((charm) => {
      const database = charm.model.getRelation('database');
      expect(() => database?.data(charm.app).get('name')).toThrow(
        expect.objectContaining({ code: 'databag-access' }),
      );
    });
    expect(tools).not.toContain('relation-get');
  });

  test('the leader can', async () => {
    const seen: unknown[] = [];
    await onUpdateStatus(
      (charm) => {
        const database = charm.model.getRelation('database');
        seen.push(database?.data(charm.app).get('name'));
      },
      { leader: true },
    );
    expect(seen).toEqual(['mine']);
  });

  test('a databag is fetched once a dispatch', async () => {
    const { tools } = await onUpdateStatus((charm) => {
      for (const found of [1, 2, 3].flatMap(() => charm.model.relations('database'))) {
        found.data(found.app).get('uri');
        found.data(found.app).entries();
      }
    });
    expect(tools).toEqual(['relation-ids', 'relation-list', 'relation-get']);
  });
});

describe('writing', () => {
  test('several keys are written in one call, and can be read back', async () => {
    const seen: unknown[] = [];
    const { out, tools } = await onUpdateStatus((charm) => {
      const databag = charm.model.getRelation('database')?.data(charm.unit);
      databag?.update({ host: 'b', port: '5432' });
      seen.push(databag?.entries());
    });
    expect(out.getRelation(db).localUnitData).toEqual({ host: 'b', port: '5432' });
    expect(seen).toEqual([{ host: 'b', port: '5432' }]);
    expect(tools).toEqual(['relation-ids', 'relation-get', 'relation-set']);
  });

  test('equal values make no call', async () => {
    const { tools } = await onUpdateStatus((charm) => {
      const databag = charm.model.getRelation('database')?.data(charm.unit);
      databag?.set('host', 'a');
      databag?.delete('absent');
      databag?.update({ host: 'a', absent: undefined });
    });
    expect(tools).not.toContain('relation-set');
  });

  test('an empty value and delete() remove the key', async () => {
    const { out } = await onUpdateStatus((charm) => {
      const databag = charm.model.getRelation('database')?.data(charm.unit);
      databag?.update({ one: '1', two: '2', three: '3' });
      databag?.set('one', '');
      databag?.delete('two');
      expect(databag?.get('one')).toBeUndefined();
    });
    expect(out.getRelation(db).localUnitData).toEqual({ host: 'a', three: '3' });
  });

  test('text of every kind arrives unchanged', async () => {
    const text = '{"a":"ü€😀\u007f\ufeff\u2028"}\n\ttab "quoted" # : - \\ end ';
    const { out } = await onUpdateStatus((charm) => {
      charm.model.getRelation('database')?.data(charm.unit).set('jobs', text);
    });
    expect(out.getRelation(db).localUnitData['jobs']).toBe(text);
  });

  test('the leader writes the data of its application', async () => {
    const { out } = await onUpdateStatus(
      (charm) => {
        charm.model.getRelation('database')?.data(charm.app).set('name', 'new');
        charm.model.getRelation('cluster')?.data(charm.app).set('token', 'u');
      },
      { leader: true },
    );
    expect(out.getRelation(db).localAppData).toEqual({ name: 'new' });
    expect(out.getRelation(peers).localAppData).toEqual({ token: 'u' });
  });

  test.each(['database', 'cluster'])(
    'a unit that does not lead cannot write the data of its application in %s',
    async (endpoint) => {
      const { tools } = await onUpdateStatus((charm) => {
        const databag = charm.model.getRelation(endpoint)?.data(charm.app);
        expect(() => databag?.set('name', 'x')).toThrow(
          expect.objectContaining({
            code: 'databag-access',
            message: expect.stringContaining('probe/0 is not the leader'),
          }),
        );
      });
      expect(tools).not.toContain('relation-set');
    },
  );

  test('nobody writes the data of the other end', async () => {
    await onUpdateStatus(
      (charm) => {
        const database = charm.model.getRelation('database');
        const cluster = charm.model.getRelation('cluster');
        for (const owner of [database?.app, database?.units[0]]) {
          expect(() => owner && database?.data(owner).set('a', 'b')).toThrow(
            expect.objectContaining({ code: 'databag-access' }),
          );
        }
        const [peer] = cluster?.units ?? [];
        expect(() => peer && cluster?.data(peer).set('a', 'b')).toThrow(
          expect.objectContaining({ code: 'databag-access' }),
        );
      },
      { leader: true },
    );
  });

  test('half a character and other non-text is refused before Juju is asked', async () => {
    const { tools } = await onUpdateStatus((charm) => {
      const databag = charm.model.getRelation('database')?.data(charm.unit);
      expect(() => databag?.set('key', '\ud83d')).toThrow(
        expect.objectContaining({ code: 'invalid-databag-value' }),
      );
      expect(() => databag?.set('key', 5 as unknown as string)).toThrow(
        expect.objectContaining({ code: 'invalid-databag-value' }),
      );
    });
    expect(tools).not.toContain('relation-set');
  });
});

describe('relations of a model', () => {
  test('several relations of one endpoint cannot be got as one', async () => {
    const context = probe((charm, framework) => {
      framework.observe(charm.on.start, () => {
        charm.model.getRelation('website');
      });
    });
    const relations = [relation({ endpoint: 'website' }), relation({ endpoint: 'website' })];
    await expect(context.run(context.on.start(), state({ relations }))).rejects.toMatchObject({
      cause: { code: 'too-many-relations' },
    });
  });

  test('relations come by ascending id, as numbers', async () => {
    const seen: unknown[] = [];
    const context = probe((charm, framework) => {
      framework.observe(charm.on.start, () => {
        seen.push(...charm.model.relations('website').map((it) => [it.id, it.app.name]));
        seen.push(charm.model.relationById(10)?.endpoint, charm.model.relationById(11));
      });
    });
    const relations = [10, 9, 100].map((id) =>
      relation({ endpoint: 'website', id, remoteApp: `r${id}` }),
    );
    await context.run(context.on.start(), state({ relations }));
    expect(seen).toEqual([[9, 'r9'], [10, 'r10'], [100, 'r100'], 'website', undefined]);
  });

  test('an endpoint that is not declared is refused with those that are', async () => {
    await onUpdateStatus((charm) => {
      expect(() => charm.model.relations('databse')).toThrow(
        expect.objectContaining({
          code: 'undeclared-name',
          hint: 'it declares website, database, cache, cluster',
        }),
      );
    });
  });
});
