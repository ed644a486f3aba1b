import { describe, expect, test } from '@jest/globals';
import { ActiveStatus, MaintenanceStatus } from '#ops';
import { Context, relation, secret, state } from '#ops/testing';
import { toolsFor } from '../../helpers/memory-tools.ts';
import { PROBE_META, ProbeCharm, probe } from '../../helpers/probe-charm.ts';

const TYPES = ['string', 'boolean', 'integer', 'number', 'array', 'object', 'null'];

test.each([
  ['a', ['string']],
  [true, ['boolean']],
  [1, ['integer', 'number']],
  [1.5, ['number']],
  [[1], ['array']],
  [{ a: 1 }, ['object']],
  [null, ['null']],
])('the param %j is of type %j and of no other', async (value, fitting) => {
  for (const type of TYPES) {
    const actions = { act: { params: { value: { type } } } };
    const context = probe(() => undefined, { meta: { ...PROBE_META, actions } });
    const run = context.run(context.on.action('act', { value }), state());
    const accepted = await run.then(() => true).catch(() => false);
    expect([type, accepted]).toEqual([type, fitting.includes(type)]);
  }
});

test('a param of several types may be of each', async () => {
  const actions = { act: { params: { value: { type: ['string', 'integer'] } } } };
  const context = probe(() => undefined, { meta: { ...PROBE_META, actions } });
  await context.run(context.on.action('act', { value: 1 }), state());
  await expect(context.run(context.on.action('act', { value: [] }), state())).rejects.toThrow(
    'must be of type ["string","integer"]: [] is not',
  );
});

test.each([
  ['port', 80, 80.5],
  ['ratio', 0.5, '0.5'],
  ['debug', false, 'false'],
  ['title', 'x', true],
  ['credentials', 'secret:9m4e2mr0ui3e8a215n4g', 'secret:x'],
])('the option %s may be %j, and not %j', async (name, fine, wrong) => {
  const context = probe(() => undefined);
  await context.run(context.on.configChanged(), state({ config: { [name]: fine } }));
  await expect(
    context.run(context.on.configChanged(), state({ config: { [name]: wrong } })),
  ).rejects.toThrow(`config option "${name}" is declared as`);
});

describe('a context', () => {
  test('needs to know the charm', async () => {
    const context = new Context(ProbeCharm, {});
    await expect(context.run(context.on.start(), state())).rejects.toThrow(
      'a Context needs to know the charm',
    );
  });

  test('keeps every status of the application, of the last run only', async () => {
    const context = probe((charm, framework) => {
      framework.observe(charm.on.start, () => {
        charm.app.status = new MaintenanceStatus('starting');
        charm.app.status = new ActiveStatus();
      });
    });
    await context.run(context.on.start(), state({ leader: true }));
    expect(context.appStatusHistory).toEqual([
      new MaintenanceStatus('starting'),
      new ActiveStatus(),
    ]);
    expect(context.requestedStorages).toEqual({});
    await context.run(context.on.updateStatus(), state({ leader: true }));
    expect(context.appStatusHistory).toEqual([]);
  });
});

test('a secret is replaced by the one of its id, however that is spelt', () => {
  const user = secret({ content: { key: 'a' } });
  const bare = user.id.replace('secret:', '');
  const changed = secret({ id: `secret://5e7d5c9e/${bare}`, content: { key: 'b' } });
  expect(state({ secrets: [user] }).withSecret(changed).secrets).toEqual([changed]);
});

test('the model of the other end is the own one unless told', () => {
  const near = relation({ endpoint: 'database' });
  const far = relation({ endpoint: 'cache', remoteModelUuid: 'far' });
  const { run } = toolsFor({ relations: [near, far], model: { uuid: 'near' } });
  expect(run('relation-model-get', '-r', String(near.id))).toEqual({ uuid: 'near' });
  expect(run('relation-model-get', '-r', String(far.id))).toEqual({ uuid: 'far' });
});
