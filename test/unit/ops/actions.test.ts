import { describe, expect, test } from '@jest/globals';
import { type ActionEvent, CharmBase, type Framework } from '#ops';
import { Context, state } from '#ops/testing';
import { flattenResults } from '../../../lib/ops/action-results.ts';
import * as fc from '../../helpers/fast-check.ts';
import { probe } from '../../helpers/probe-charm.ts';

function onGreet(act: (event: ActionEvent) => void | Promise<void>) {
  return probe((charm, framework) => {
    framework.observe(charm.on.action('greet'), act);
  });
}

describe('an action', () => {
  test('has name, id and params with defaults, and gives nested results and logs', async () => {
    const seen: unknown[] = [];
    const context = onGreet(async (event) => {
      await Promise.resolve();
      seen.push(event.name, event.id, event.params);
      event.log('--greeting');
      event.setResults({ greeting: 'hello', facts: { count: 3, done: true, none: undefined } });
      event.setResults({ facts: { size: '3 B' } });
    });
    await context.run(context.on.action('greet', { times: 2 }), state());
    expect(seen).toEqual(['greet', '1', { name: 'you', times: 2 }]);
    expect(context.actionLogs).toEqual(['--greeting']);
    expect(context.actionResults).toEqual({
      greeting: 'hello',
      facts: { count: '3', done: 'true', size: '3 B' },
    });
    expect(context.actionFailure).toBeUndefined();
  });

  test.each([
    [{}, { style: { colour: 'black', frame: { width: 1 } } }],
    [{ style: {} }, { style: { colour: 'black', frame: { width: 1 } } }],
    [
      { style: { size: 2, frame: { width: 3 } } },
      { style: { size: 2, colour: 'black', frame: { width: 3 } } },
    ],
  ])('given %j has defaults also of members, as in Juju', async (given, expected) => {
    const seen: unknown[] = [];
    class DrawCharm extends CharmBase {
      constructor(framework: Framework) {
        super(framework);
        framework.observe(this.on.action('draw'), ({ params }) => {
          seen.push(params);
        });
      }
    }
    const frame = { type: 'object', properties: { width: { type: 'integer', default: 1 } } };
    const properties = { size: { type: 'integer' }, colour: { default: 'black' }, frame };
    const plain = { type: 'object', properties: { size: { type: 'integer' } } };
    const params = { style: { type: 'object', properties }, plain };
    const context = new Context(DrawCharm, {
      meta: { name: 'draw', actions: { draw: { params } } },
    });
    await context.run(context.on.action('draw', given), state());
    expect(seen).toEqual([expected]);
  });

  test('that fails goes on, keeps its results, and is reported as failed', async () => {
    const context = onGreet((event) => {
      event.fail('no one to greet');
      event.setResults({ tried: 1 });
      expect(event.hasFailed).toBe(true);
    });
    await context.run(context.on.action('greet'), state());
    expect(context.actionFailure).toBe('no one to greet');
    expect(context.actionResults).toEqual({ tried: '1' });
  });

  test('params are read once, and only when asked for', async () => {
    const lazy = onGreet(() => undefined);
    await lazy.run(lazy.on.action('greet'), state());
    expect(lazy.hookToolCalls).toEqual([]);
    const eager = onGreet((event) => [event.params, event.params].forEach(() => undefined));
    await eager.run(eager.on.action('greet'), state());
    expect(eager.hookToolCalls.map((call) => call.tool)).toEqual(['action-get']);
  });

  test('large results are set in several calls', async () => {
    const results = Object.fromEntries(
      Array.from({ length: 30 }, (_, index) => [`part-${index}`, 'x'.repeat(100_000)]),
    );
    const context = onGreet((event) => event.setResults(results));
    await context.run(context.on.action('greet'), state());
    expect(context.actionResults).toEqual(results);
    expect(context.hookToolCalls.length).toBeGreaterThan(5);
  });
});

describe('results', () => {
  test.each([
    [{ Upper: 1 }, 'Upper'],
    [{ under_score: 1 }, 'under_score'],
    [{ a: { '-b': 1 } }, 'a.-b'],
    [{ '': 1 }, ''],
    [{ stdout: 'x' }, 'stdout'],
    [{ a: { stderr: 'x' } }, 'a.stderr'],
    [{ 'a.b': 1, a: { b: 2 } }, 'a.b'],
    [{ big: 'x'.repeat(131_072) }, 'big'],
  ])('%j names the key that cannot be set', (results, key) => {
    expect(() => flattenResults(results)).toThrow(
      expect.objectContaining({
        code: 'invalid-action-result',
        message: `cannot set action result "${key}"`,
      }),
    );
  });

  test('flattening keeps every leaf under its dotted path', () => {
    const key = fc
      .stringMatching(/^[a-z0-9][a-z0-9-]{0,5}[a-z0-9]$/)
      .filter((text) => !text.startsWith('std'));
    const results = fc.dictionary(key, fc.dictionary(key, fc.string(), { minKeys: 1 }));
    fc.assert(
      fc.property(results, (nested) => {
        const expected = Object.entries(nested).flatMap(([outer, inner]) =>
          Object.entries(inner).map(([name, value]) => [`${outer}.${name}`, value]),
        );
        expect(flattenResults(nested)).toEqual(Object.fromEntries(expected));
      }),
    );
  });
});
