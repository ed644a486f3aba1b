import { describe, expect, test } from '@jest/globals';
import {
  type ActionEvent,
  type Application,
  DataModel,
  DataModelError,
  Secret,
  type Unit,
} from '#ops';
import {
  peerRelation,
  type RelationState,
  relation,
  type StateFields,
  secret,
  state,
  UncaughtCharmError,
} from '#ops/testing';
import { type ProbeCharm, probe } from '../../helpers/probe-charm.ts';

interface Access {
  readonly readOnlyUris: readonly string[];
  readonly maxConnections?: number | undefined;
}

const access = new DataModel<Access>({
  schema: {
    type: 'object',
    properties: {
      'read-only-uris': { type: 'array', items: { type: 'string' } },
      'max-connections': { type: 'integer', minimum: 1 },
    },
    required: ['read-only-uris'],
  },
});

const ran: string[] = [];

async function onStart(act: (charm: ProbeCharm) => Promise<unknown>, fields: StateFields = {}) {
  const seen: unknown[] = [];
  ran.length = 0;
  const context = probe((charm, framework) => {
    framework.observe(charm.on.start, async () => void seen.push(await act(charm)));
    framework.observe(charm.on.start, () => void ran.push('second handler'));
    framework.observe(charm.on.collectUnitStatus, () => void ran.push('collect'));
  });
  const out = await context.run(context.on.start(), state(fields));
  return { out, context, seen: seen[0] };
}

async function causeOf(run: Promise<unknown>): Promise<DataModelError> {
  const failure: unknown = await run.catch((error: unknown) => error);
  if (!(failure instanceof UncaughtCharmError && failure.cause instanceof DataModelError)) {
    throw new Error(`no DataModelError: ${String(failure)}`);
  }
  return failure.cause;
}

function find(charm: ProbeCharm, endpoint = 'database') {
  const found = charm.model.getRelation(endpoint);
  if (found === undefined) {
    throw new Error('no relation');
  }
  return found;
}

function db(fields: Partial<Omit<RelationState, 'kind'>> = {}) {
  return relation({
    endpoint: 'database',
    remoteApp: 'pg',
    remoteAppData: { 'read-only-uris': '["a"]', 'max-connections': '5', extra: '{' },
    ...fields,
  });
}

async function greet(times: number, act: (event: ActionEvent) => Promise<unknown>) {
  const seen: unknown[] = [];
  const context = probe((charm, framework) => {
    framework.observe(charm.on.action('greet'), async (event) => void seen.push(await act(event)));
  });
  await context.run(context.on.action('greet', { times }), state());
  return { context, seen };
}

describe('data of a relation', () => {
  test('are read from an application', async () => {
    const { seen } = await onStart(
      async (charm) => await find(charm).load(access, find(charm).app),
      { relations: [db()] },
    );
    expect(seen).toEqual({ readOnlyUris: ['a'], maxConnections: 5 });
  });

  test.each([
    ['unit pg/0', (charm: ProbeCharm): Application | Unit => charm.model.getUnit('pg/0')],
    ['application pg', (charm: ProbeCharm): Application | Unit => find(charm).app],
  ])('that do not fit name the relation and %s', async (whose, owner) => {
    const bad = { 'read-only-uris': '"geheim"' };
    const given = db({ remoteAppData: bad, remoteUnits: { 0: bad } });
    const run = onStart(async (charm) => await find(charm).load(access, owner(charm)), {
      relations: [given],
    });
    const error = await causeOf(run);
    expect(error.message).toContain(
      `cannot read the data of ${whose} in relation database:${given.id}: key "read-only-uris" must be of type array (schema #/properties/read-only-uris/type)`,
    );
    expect(error.message).not.toContain('geheim');
  });

  test('are written in one call; what is left out is erased, what is not the model’s stays', async () => {
    const given = db({
      localAppData: { 'max-connections': '5', 'read-only-uris': '["old"]', extra: 'kept' },
    });
    const { out, context } = await onStart(
      async (charm) =>
        await find(charm).save(
          access,
          { readOnlyUris: ['b', 'ü'], maxConnections: undefined },
          charm.app,
        ),
      { relations: [given], leader: true },
    );
    expect(out.getRelation(given).localAppData).toEqual({
      'read-only-uris': '["b","ü"]',
      extra: 'kept',
    });
    expect(context.hookToolCalls.filter(({ tool }) => tool === 'relation-set')).toHaveLength(1);
  });

  test('that are equal are not written', async () => {
    const peers = peerRelation({
      endpoint: 'cluster',
      localUnitData: { 'read-only-uris': '["b"]' },
    });
    const { context } = await onStart(
      async (charm) =>
        await find(charm, 'cluster').save(access, { readOnlyUris: ['b'] }, charm.unit),
      { relations: [peers] },
    );
    expect(context.hookToolCalls.map(({ tool }) => tool)).not.toContain('relation-set');
  });

  test('that do not fit are not written at all', async () => {
    const run = onStart(
      async (charm) =>
        await find(charm).save(access, { readOnlyUris: ['b'], maxConnections: 0 }, charm.unit),
      { relations: [db()] },
    );
    const error = await causeOf(run);
    expect(error.message).toMatch(
      /^cannot write the data of unit probe\/0 in relation database:\d+: key "max-connections" must be >= 1/,
    );
  });

  test('are written by Juju’s rules of who may', async () => {
    const run = onStart(
      async (charm) => await find(charm).save(access, { readOnlyUris: [] }, charm.app),
      { relations: [db()] },
    );
    await expect(run).rejects.toMatchObject({ cause: { code: 'databag-access' } });
  });
});

describe('config', () => {
  interface Options {
    readonly port: number;
    readonly debug: boolean;
    readonly title?: string;
    readonly credentials?: Secret;
  }
  const options = new DataModel<Options>({
    schema: {
      properties: {
        port: { type: 'integer', maximum: 65_535 },
        debug: { type: 'boolean' },
        title: { type: 'string', pattern: '^[A-Z]' },
        credentials: { type: 'string' },
      },
      required: ['port'],
    },
  });

  test('is read with the defaults of the charm; secrets come as such', async () => {
    const user = secret({ content: { password: 'x' } });
    const { seen } = await onStart(
      async (charm) => {
        const { credentials, ...others } = await charm.config.load(options);
        return { ...others, content: credentials?.getContent() };
      },
      { config: { title: 'Hi', credentials: user.id }, secrets: [user] },
    );
    expect(seen).toEqual({ port: 80, debug: false, title: 'Hi', content: { password: 'x' } });
  });

  test('that does not fit throws, naming the application', async () => {
    const config = { port: 70_000, title: 'geheim' };
    const error = await causeOf(
      onStart(async (charm) => await charm.config.load(options), { config }),
    );
    expect(error.message).toBe(
      'cannot read the configuration of probe: key "port" must be <= 65535 (schema #/properties/port/maximum); key "title" must match pattern "^[A-Z]" (schema #/properties/title/pattern)',
    );
  });

  test('that does not fit blocks the unit where asked to; nothing runs after it', async () => {
    const { out, seen } = await onStart(
      async (charm) => {
        charm.unit.openPort(80);
        await charm.config.load(options, { errors: 'blocked' });
        return 'went on';
      },
      { config: { port: 70_000 } },
    );
    expect(out.unitStatus).toMatchObject({
      name: 'blocked',
      message: 'invalid config: "port" must be <= 65535',
    });
    expect(out.openedPorts).toEqual(['80/tcp']);
    expect([seen, ran]).toEqual([undefined, []]);
  });

  test('of an option the charm does not declare is a mistake', async () => {
    const typo = new DataModel({ schema: { properties: { prot: {} } } });
    const run = onStart(async (charm) => await charm.config.load(typo, { errors: 'blocked' }));
    await expect(run).rejects.toMatchObject({ cause: { code: 'undeclared-name' } });
  });
});

describe('params of an action', () => {
  const params = new DataModel<{ name: string; times?: number }>({
    schema: { properties: { name: { type: 'string' }, times: { type: 'integer', maximum: 3 } } },
  });

  test('are read with the defaults of the action', async () => {
    const { seen } = await greet(2, async (event) => await event.loadParams(params));
    expect(seen).toEqual([{ name: 'you', times: 2 }]);
  });

  test('that do not fit throw', async () => {
    const error = await causeOf(greet(9, async (event) => await event.loadParams(params)));
    expect(error.message).toContain(
      'cannot read the params of action greet: key "times" must be <= 3',
    );
  });

  test('that do not fit fail the action where asked to', async () => {
    const { context, seen } = await greet(9, async (event) => {
      await event.loadParams(params, { errors: 'fail' });
      return 'went on';
    });
    expect(context.actionFailure).toBe('invalid params: "times" must be <= 3');
    expect(seen).toEqual([]);
  });
});
