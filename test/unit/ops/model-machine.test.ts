import { describe, expect, test } from '@jest/globals';
import { ActiveStatus, CloudAccessError } from '#ops';
import {
  type Context,
  type ContextOptions,
  relation,
  type StateFields,
  state,
  UncaughtCharmError,
} from '#ops/testing';
import { type ProbeCharm, probe } from '../../helpers/probe-charm.ts';

async function onStart(
  act: (charm: ProbeCharm) => void,
  fields: StateFields = {},
  options: Partial<ContextOptions> = {},
) {
  const context = probe((charm, framework) => {
    framework.observe(charm.on.start, () => act(charm));
  }, options);
  return { context, out: await context.run(context.on.start(), state(fields)) };
}

async function failureOf(run: Promise<unknown>): Promise<unknown> {
  const failure: unknown = await run.catch((error: unknown) => error);
  if (!(failure instanceof UncaughtCharmError)) {
    throw new Error('the charm did not throw');
  }
  return failure.cause;
}

describe('the cloud', () => {
  const cloudSpec = {
    type: 'openstack',
    name: 'blue',
    identityEndpoint: 'https://id.example',
    credential: { authType: 'userpass', attributes: { username: 'u', password: 'geheim' } },
  };

  test('is told to trusted charms, read once', async () => {
    const seen: unknown[] = [];
    const { context } = await onStart(
      ({ model }) => {
        seen.push(model.cloudSpec());
        seen.push(model.cloudSpec());
      },
      { model: { cloudSpec } },
      { trusted: true },
    );
    expect(seen[0]).toMatchObject({
      ...cloudSpec,
      region: undefined,
      credential: { ...cloudSpec.credential, redacted: [] },
      caCertificates: [],
      isControllerCloud: false,
    });
    expect(seen[1]).toBe(seen[0]);
    expect(context.hookToolCalls.filter(({ tool }) => tool === 'credential-get')).toHaveLength(1);
  });

  test('is refused to others, with what the administrator is to do', async () => {
    const error = await failureOf(
      onStart(({ model }) => void model.cloudSpec(), { model: { cloudSpec } }),
    );
    expect(error).toBeInstanceOf(CloudAccessError);
    expect(error).toMatchObject({
      code: 'cloud-access-denied',
      hint: 'trust the application with "juju trust probe"',
    });
    expect(String(error)).not.toContain('geheim');
  });

  test('that no cloud is like is refused in a state', async () => {
    const context = probe(() => undefined);
    const nameless = { type: '', name: '', credential: { authType: '' } };
    await expect(
      context.run(context.on.start(), state({ model: { cloudSpec: nameless } })),
    ).rejects.toMatchObject({
      problems: [expect.stringContaining('no type'), expect.stringContaining('authType')],
    });
  });
});

describe('a reboot', () => {
  test('after the hook lets it end as ever', async () => {
    const { context, out } = await onStart((charm) => {
      charm.unit.reboot();
      charm.unit.openPort(80);
    });
    expect(context.requestedReboot).toBe('after the hook');
    expect(out.openedPorts).toEqual(['80/tcp']);
  });

  test('now ends the dispatch: nothing after it runs, and Juju drops what was changed', async () => {
    const ran: string[] = [];
    const context = probe((charm, framework) => {
      framework.observe(charm.on.start, () => {
        charm.unit.openPort(80);
        charm.unit.status = new ActiveStatus('rebooting');
        charm.unit.reboot({ now: true });
      });
      framework.observe(charm.on.start, () => void ran.push('second handler'));
      framework.observe(charm.on.collectUnitStatus, () => void ran.push('collect'));
    });
    const out = await context.run(context.on.start(), state());
    expect(ran).toEqual([]);
    expect(context.requestedReboot).toBe('now');
    expect(out.openedPorts).toEqual([]);
    expect(out.unitStatus).toEqual(new ActiveStatus('rebooting'));
    expect(context.hookToolCalls).toContainEqual({ tool: 'juju-reboot', args: ['--now'] });
  });

  test('is refused in actions, before Juju is asked', async () => {
    const context: Context<ProbeCharm> = probe((charm, framework) => {
      framework.observe(charm.on.action('greet'), () => charm.unit.reboot());
    });
    const run = context.run(context.on.action('greet'), state());
    expect(await failureOf(run)).toMatchObject({ code: 'reboot-in-action' });
    expect(context.requestedReboot).toBeUndefined();
  });

  test('is of the own machine only', async () => {
    const error = await failureOf(onStart(({ model }) => model.getUnit('pg/0').reboot()));
    expect(error).toMatchObject({ code: 'not-own-unit' });
  });
});

describe('storages', () => {
  test('are requested by name and count, and not there yet', async () => {
    const seen: unknown[] = [];
    const { context } = await onStart(({ model }) => {
      model.requestStorage('data', 3);
      model.requestStorage('data');
      seen.push(model.storages('data'));
    });
    expect(context.requestedStorages).toEqual({ data: 4 });
    expect(seen).toEqual([[]]);
  });

  test.each([
    ['nope', 1, 'undeclared-name'],
    ['data', 0, 'invalid-storage-count'],
    ['data', 1.5, 'invalid-storage-count'],
    ['data', 5, 'hook-tool-failed'],
  ])('cannot be requested as %s × %d', async (name, count, code) => {
    const error = await failureOf(onStart(({ model }) => model.requestStorage(name, count)));
    expect(error).toMatchObject({ code });
  });
});

test('the network of a relation is that of its endpoint, asked for the relation', async () => {
  const db = relation({ endpoint: 'database', remoteModelUuid: 'other-model' });
  const seen: unknown[] = [];
  const { context } = await onStart(
    ({ model, unit }) => {
      const found = model.getRelation('database');
      seen.push(found && unit.networkGet(found).binding, found?.remoteModelUuid());
    },
    { relations: [db] },
  );
  expect(seen).toEqual(['database', 'other-model']);
  expect(context.hookToolCalls).toContainEqual({
    tool: 'network-get',
    args: ['--format=json', '-r', `database:${db.id}`, 'database'],
  });
});
