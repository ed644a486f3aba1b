import { describe, expect, test } from '@jest/globals';
import { CharmObject, storedState } from '#ops';
import { state, storedStateState } from '#ops/testing';
import { type ProbeCharm, probe } from '../../helpers/probe-charm.ts';

interface Stored {
  count: number;
  phase: 'idle' | 'busy';
  seen: string[];
  owner: { name: string; tags: Record<string, number> };
  last: string | null;
}

function makeStored(charm: ProbeCharm): Stored {
  return storedState<Stored>(charm, 'stored', {
    count: 0,
    phase: 'idle',
    seen: [],
    owner: { name: '', tags: {} },
    last: null,
  });
}

/** A charm that does something with its stored state at start. */
function storing(use: (stored: ReturnType<typeof makeStored>) => void) {
  return probe((charm, framework) => {
    const stored = makeStored(charm);
    framework.observe(charm.on.start, () => use(stored));
  });
}

const calls = (context: ReturnType<typeof storing>) =>
  context.hookToolCalls.map((call) => call.tool);

describe('stored state', () => {
  test('has its defaults first, and then what was kept', async () => {
    const seen: unknown[] = [];
    const context = storing((stored) => {
      seen.push(structuredClone({ ...stored }));
      stored.count += 1;
      stored.phase = 'busy';
      stored.seen.push('a');
      stored.owner.tags['x'] = 1;
      stored.last = 'now';
    });
    const one = await context.run(context.on.start(), state());
    expect(one.getStoredState('stored')).toEqual({
      ownerPath: 'charm',
      name: 'stored',
      content: {
        count: 1,
        phase: 'busy',
        seen: ['a'],
        owner: { name: '', tags: { x: 1 } },
        last: 'now',
      },
    });
    const two = await context.run(context.on.start(), one);
    expect(two.getStoredState('stored').content).toMatchObject({ count: 2, seen: ['a', 'a'] });
    expect(seen[1]).toEqual(one.getStoredState('stored').content);
    expect(calls(context)).toEqual(['state-get', 'state-set']);
  });

  test('is not read when nobody asks, and not written when nothing changes', async () => {
    const idle = storing(() => undefined);
    await idle.run(idle.on.start(), state());
    expect(calls(idle)).toEqual([]);

    const kept = state({
      storedStates: [storedStateState({ name: 'stored', content: { count: 1 } })],
    });
    const reading = storing((stored) => {
      stored.count = 1;
      stored.seen.push('a');
      stored.seen.pop();
    });
    const out = await reading.run(reading.on.start(), kept);
    expect(calls(reading)).toEqual(['state-get']);
    expect(out.storedStates).toEqual(kept.storedStates);
  });

  test('is lost with the dispatch that fails', async () => {
    const context = storing((stored) => {
      stored.count = 5;
      throw new Error('no luck');
    });
    await expect(context.run(context.on.start(), state())).rejects.toMatchObject({
      state: { storedStates: [] },
    });
  });

  test('values the charm no longer declares stay, those it declares anew have their default', async () => {
    const context = storing((stored) => {
      stored.last = `${stored.phase} ${stored.count}`;
    });
    const old = storedStateState({ name: 'stored', content: { count: 4, former: true } });
    const out = await context.run(context.on.start(), state({ storedStates: [old] }));
    expect(out.getStoredState('stored').content).toMatchObject({
      last: 'idle 4',
      former: true,
      count: 4,
    });
  });

  test.each([
    ['a date', new Date(0), 'charm/stored.last: it is an object of class Date'],
    ['undefined', undefined, 'charm/stored.last: it is undefined'],
    ['not a number', Number.NaN, 'charm/stored.last: it is NaN'],
    ['a function', () => 1, 'charm/stored.last: it is function'],
    ['a map inside', { a: [new Map()] }, 'charm/stored.last.a[0]: it is an object of class Map'],
    ['a big integer', 1n, 'charm/stored.last: it is bigint'],
  ])('refuses %s at once, with its place', async (_what, value, message) => {
    const context = storing((stored) => {
      stored.last = value as unknown as string;
    });
    await expect(context.run(context.on.start(), state())).rejects.toMatchObject({
      cause: { code: 'not-simple', message: `cannot keep ${message}` },
    });
  });

  test('refuses what was put into a container, when it is to be kept', async () => {
    const loop: unknown[] = [];
    loop.push(loop);
    const context = storing((stored) => {
      stored.seen.push(loop as unknown as string);
    });
    await expect(context.run(context.on.start(), state())).rejects.toMatchObject({
      cause: {
        message: 'cannot keep charm/stored.seen[0][0]: it is an object that contains itself',
      },
    });
  });

  test('refuses names it does not have', async () => {
    const context = storing((stored) => {
      Object.assign(stored, { cuont: 1 });
    });
    await expect(context.run(context.on.start(), state())).rejects.toThrow(/cuont/);
  });

  test('of one owner and name there is one; of several owners several, kept in one call', async () => {
    const twice = probe((charm) => [makeStored(charm), makeStored(charm)]);
    await expect(twice.run(twice.on.start(), state())).rejects.toMatchObject({
      cause: {
        code: 'duplicate-path',
        message: 'cannot make stored state charm/stored: there is one already',
      },
    });
    const two = probe((charm, framework) => {
      const library = new CharmObject(charm, 'library');
      const ofLibrary = storedState(library, 'stored', { at: 1 });
      const own = makeStored(charm);
      framework.observe(charm.on.start, () => {
        ofLibrary.at += 1;
        own.count += 1;
      });
    });
    const out = await two.run(two.on.start(), state());
    expect(out.getStoredState('stored', 'charm/library').content).toEqual({ at: 2 });
    expect(calls(two)).toEqual(['state-get', 'state-set']);
  });

  test.each(['', 'a/b'])('cannot be named "%s"', async (name) => {
    const context = probe((charm) => storedState(charm, name, { a: 1 }));
    await expect(context.run(context.on.start(), state())).rejects.toMatchObject({
      cause: { code: 'invalid-stored-state-name' },
    });
  });

  test('is refused where Juju would refuse its size, before Juju is asked', async () => {
    const context = storing((stored) => {
      stored.last = 'x'.repeat(70_000);
    });
    await expect(context.run(context.on.start(), state())).rejects.toMatchObject({
      cause: {
        code: 'unit-state-too-large',
        message: expect.stringMatching(
          /^cannot keep ops:stored:charm\/stored: it has 70\d+ bytes, .* 65536$/,
        ),
      },
    });
    expect(calls(context)).toEqual(['state-get']);
  });

  test('that is damaged is said to be, with what to do', async () => {
    const context = storing((stored) => {
      stored.count += 1;
    });
    const given = state({ unitState: { 'ops:stored:charm/stored': '[' } });
    await expect(context.run(context.on.start(), given)).rejects.toMatchObject({
      cause: { code: 'malformed-stored-state', hint: expect.stringContaining('state-delete') },
    });
  });
});

describe('the state of a test', () => {
  const context = storing((stored) => {
    stored.count += 1;
  });

  test('has each stored state once', async () => {
    const one = storedStateState({ name: 'stored', content: { count: 1 } });
    await expect(
      context.run(context.on.start(), state({ storedStates: [one, one] })),
    ).rejects.toMatchObject({ problems: [expect.stringContaining('charm/stored is there twice')] });
  });

  test('says which it does not have', () => {
    expect(() => state().getStoredState('stored')).toThrow('no stored state charm/stored');
  });

  test('has only simple values', async () => {
    const content = { at: new Date(0) } as unknown as Record<string, string>;
    const given = state({ storedStates: [storedStateState({ name: 'stored', content })] });
    await expect(context.run(context.on.start(), given)).rejects.toMatchObject({
      problems: [expect.stringContaining('charm/stored.at: it is an object of class Date')],
    });
  });
});
