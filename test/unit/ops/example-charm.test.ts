import { expect, test } from '@jest/globals';
import { ActiveStatus, WaitingStatus } from '#ops';
import { Context, relation, state } from '#ops/testing';
import { GreeterCharm } from '../../fixtures/ops/example-charm/charm.ts';

const context = new Context(GreeterCharm, { charmRoot: 'test/fixtures/ops/example-charm' });

test('every guest is greeted when the greeting changes', async () => {
  const guests = relation({ endpoint: 'guests', remoteApp: 'world' });
  const given = state({ relations: [guests], config: { greeting: 'Salut' } });

  const out = await context.run(context.on.configChanged(), given);

  expect(out.getRelation(guests).localUnitData['greeting']).toBe('Salut, world!');
  expect(out.unitStatus).toEqual(new ActiveStatus());
});

test('without guests it waits', async () => {
  const out = await context.run(context.on.updateStatus(), state());

  expect(out.unitStatus).toEqual(new WaitingStatus('for guests'));
});

test('the action greets, and says what to do when it cannot', async () => {
  await context.run(context.on.action('greet', { name: 'Ada' }), state());
  expect(context.actionResults).toEqual({ greeting: 'Hello, Ada!' });

  const silent = state({ config: { greeting: '' } });
  await context.run(context.on.action('greet', { name: 'Ada' }), silent);
  expect(context.actionFailure).toContain('juju config greeter greeting=Hello');
});
