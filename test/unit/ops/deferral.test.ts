import { describe, expect, test } from '@jest/globals';
import {
  CharmBase,
  CharmObject,
  EventBase,
  EventSource,
  type Framework,
  HookEvent,
  type RelationDepartedEvent,
  type RelationEvent,
  type SecretEvent,
  type StorageEvent,
} from '#ops';
import { Context, peerRelation, relation, secret, state, storage } from '#ops/testing';
import { DispatchEnd } from '../../../lib/ops/dispatch-end.ts';
import { PROBE_META } from '../../helpers/probe-charm.ts';

/** What handlers saw, and whether they defer: shared with the charm, which is made anew each run. */
const plan = { seen: [] as unknown[], defer: true };

class TideEvent extends EventBase {
  readonly metres: number;

  constructor(metres: number) {
    super();
    this.metres = metres;
  }
}

class Harbour extends CharmObject {
  readonly tide = new EventSource<TideEvent>(this, 'tide', {
    save: (event) => ({ metres: event.metres }),
    load: (saved) => new TideEvent(Number(Object(saved).metres)),
  });
  readonly fog = new EventSource<TideEvent>(this, 'fog');

  onStart(event: HookEvent): void {
    plan.seen.push(`harbour ${event.name}`);
  }
}

class WaitingCharm extends CharmBase {
  readonly harbour: Harbour;

  constructor(framework: Framework) {
    super(framework);
    this.harbour = new Harbour(this, 'harbour');
    const { on } = this;
    framework.observe(on.start, this, 'onEvent');
    framework.observe(on.start, this.harbour, 'onStart');
    framework.observe(on.configChanged, this, 'onEvent');
    framework.observe(on.relation('database').created, this, 'onRelation');
    framework.observe(on.relation('database').changed, this, 'onRelation');
    framework.observe(on.relation('database').broken, this, 'onRelation');
    framework.observe(on.relation('database').departed, this, 'onDeparted');
    framework.observe(on.relation('cluster').changed, this, 'onRelation');
    framework.observe(on.secretChanged, this, 'onSecret');
    framework.observe(on.secretRemove, this, 'onSecret');
    framework.observe(on.storage('data').attached, this, 'onStorage');
    framework.observe(on.custom('tide'), this, 'onTide');
    framework.observe(on.custom('fog'), this, 'onFog');
    framework.observe(this.harbour.tide, this, 'onEvent');
    framework.observe(this.harbour.fog, this, 'onEvent');
    framework.observe(on.custom('broken'), () => {
      throw new Error('broken on request');
    });
  }

  onEvent(event: EventBase): void {
    this.#note(event, event instanceof TideEvent ? event.metres : this.#nameOf(event));
  }

  onRelation(event: RelationEvent): void {
    this.#note(event, [event.name, event.relation.id, event.app.name, event.unit?.name]);
  }

  onDeparted(event: RelationDepartedEvent): void {
    const { relation: gone } = event;
    const data = { ...gone.data(event.app).entries() };
    this.#note(event, [event.departingUnit?.name, gone.isActive, gone.units.length, data]);
  }

  onSecret(event: SecretEvent): void {
    this.#note(event, [event.name, event.secret.id, event.secret.label, event.revision]);
  }

  onStorage(event: StorageEvent): void {
    this.#note(event, [event.storage.id, event.storage.location, event.storage.kind]);
  }

  async onTide(): Promise<void> {
    await this.harbour.tide.emit(new TideEvent(3));
  }

  async onFog(): Promise<void> {
    await this.harbour.fog.emit(new TideEvent(0));
  }

  #nameOf(event: EventBase): string {
    return event instanceof HookEvent ? event.name : '';
  }

  #note(event: EventBase, what: unknown): void {
    plan.seen.push(what);
    if (plan.defer) {
      event.defer();
      event.defer();
    }
  }
}

const context = new Context(WaitingCharm, { meta: PROBE_META });
const { on } = context;

/** Runs with a handler that defers (or does not); answers what was seen too. */
async function run(event: Parameters<typeof context.run>[0], given = state(), defer = true) {
  plan.seen = [];
  plan.defer = defer;
  const out = await context.run(event, given);
  return { out, seen: plan.seen };
}

const CALLS = () => context.hookToolCalls.map((call) => call.tool);

describe('an event that was deferred', () => {
  test('comes again before the next event, to those who deferred it only, until they are done', async () => {
    const first = await run(on.start());
    expect(first.seen).toEqual(['start', 'harbour start']);
    expect(first.out.deferred).toEqual([
      { event: 'charm/on/start', observer: 'charm', method: 'onEvent', snapshot: {} },
    ]);

    const second = await run(on.updateStatus(), first.out);
    expect(second.seen).toEqual(['start']);
    expect(second.out.deferred).toEqual(first.out.deferred);

    const third = await run(on.configChanged(), second.out, false);
    expect(third.seen).toEqual(['start', 'config-changed']);
    expect(third.out.deferred).toEqual([]);
    expect((await run(on.updateStatus(), third.out)).seen).toEqual([]);
  });

  test('is said at debug level, and nothing is written that did not change', async () => {
    const { out } = await run(on.start());
    expect(CALLS().filter((tool) => tool.startsWith('state-'))).toEqual(['state-get', 'state-set']);
    await run(on.updateStatus(), out);
    expect(CALLS().filter((tool) => tool.startsWith('state-'))).toEqual(['state-get']);
    expect(context.jujuLog).toContainEqual({
      level: 'DEBUG',
      message: 'deferred event again: charm/on/start for charm.onEvent',
    });
    expect(context.emittedEvents.map(({ path, again }) => [path, again])).toEqual([
      ['charm/on/start', true],
      ['charm/on/update-status', false],
    ]);
  });

  test('comes in the order of the first emissions, whatever is deferred again', async () => {
    const one = await run(on.start());
    const two = await run(on.configChanged(), one.out);
    expect(two.seen).toEqual(['start', 'config-changed']);
    expect(two.out.deferred.map(({ event }) => event)).toEqual([
      'charm/on/start',
      'charm/on/config-changed',
    ]);
  });

  test('is not queued twice: an equal one that waits is not emitted anew', async () => {
    const one = await run(on.configChanged());
    const two = await run(on.configChanged(), one.out);
    expect(two.seen).toEqual(['config-changed']);
    expect(two.out.deferred).toHaveLength(1);
    expect(context.jujuLog).toContainEqual({
      level: 'DEBUG',
      message: 'not queued twice: charm/on/config-changed for charm.onEvent waits for it already',
    });
    // Once it is done, the event of this dispatch is a new one.
    expect((await run(on.configChanged(), one.out, false)).seen).toEqual([
      'config-changed',
      'config-changed',
    ]);
  });

  test('comes in actions and custom events too, and not where Juju forbids most tools', async () => {
    const { out } = await run(on.start());
    expect((await run(on.action('greet'), out)).seen).toEqual(['start']);
    expect((await run(on.custom('from-afar'), out)).seen).toEqual(['start']);
    const restricted = await run(on.custom('collect-metrics'), out);
    expect(restricted.seen).toEqual([]);
    expect(restricted.out.deferred).toEqual(out.deferred);
  });

  test('is not lost, nor is anything gained, when the dispatch fails', async () => {
    const { out } = await run(on.start());
    plan.defer = false;
    const failure = await context.run(on.custom('broken'), out).catch((e: unknown) => e);
    expect(failure).toMatchObject({
      code: 'uncaught-charm-error',
      state: { deferred: out.deferred },
    });
    expect(CALLS()).not.toContain('state-set');
  });

  test('carries relation, application and unit as it did', async () => {
    const db = relation({ endpoint: 'database', remoteApp: 'pg', remoteUnits: { 3: {} } });
    const peers = peerRelation({ endpoint: 'cluster', peers: { 1: {} } });
    const given = state({ relations: [db, peers] });
    const one = await run(on.relationChanged(db), given);
    const two = await run(on.relationChanged(peers), one.out);
    const three = await run(on.relationCreated(db), two.out);
    expect((await run(on.updateStatus(), three.out)).seen).toEqual([
      ['database-relation-changed', db.id, 'pg', 'pg/3'],
      ['cluster-relation-changed', peers.id, 'probe', 'probe/1'],
      ['database-relation-created', db.id, 'pg', undefined],
    ]);
  });

  test('of another unit of the same relation is another one', async () => {
    const db = relation({ endpoint: 'database', remoteUnits: { 0: {}, 1: {} } });
    const given = state({ relations: [db] });
    const one = await run(on.relationChanged(db, { remoteUnit: 0 }), given);
    const two = await run(on.relationChanged(db, { remoteUnit: 1 }), one.out);
    expect(two.out.deferred).toHaveLength(2);
  });

  test('of a relation that is gone is dropped, with a warning, unless it is about going', async () => {
    const db = relation({ endpoint: 'database', remoteApp: 'pg', remoteAppData: { uri: 'x' } });
    const given = state({ relations: [db] });
    const one = await run(on.relationChanged(db), given);
    const two = await run(on.relationDeparted(db), one.out);
    const three = await run(on.relationBroken(db), two.out);
    const gone = three.out.with({ relations: [] });
    const { out, seen } = await run(on.updateStatus(), gone);
    expect(seen).toEqual([
      ['pg/0', false, 0, {}],
      ['database-relation-broken', db.id, 'pg', undefined],
    ]);
    expect(out.deferred.map(({ event }) => event)).toEqual([
      'charm/on/database-relation-departed',
      'charm/on/database-relation-broken',
    ]);
    expect(context.jujuLog).toContainEqual({
      level: 'WARNING',
      message:
        'dropped deferred charm/on/database-relation-changed for charm.onRelation: its relation is gone',
    });
  });

  test('carries secret and revision, storage and place', async () => {
    const own = secret({ content: { password: 'x' }, owner: 'unit', label: 'mine', revision: 3 });
    const data = storage({ name: 'data' });
    const given = state({ secrets: [own], storages: [data] });
    const one = await run(on.secretRemove(own, { revision: 2 }), given);
    const two = await run(on.secretChanged(own), one.out);
    const three = await run(on.storageAttached(data), two.out);
    const { seen } = await run(on.updateStatus(), three.out);
    expect(seen).toEqual([
      ['secret-remove', own.id, 'mine', 2],
      ['secret-changed', own.id, 'mine', undefined],
      [data.id, data.location, 'filesystem'],
    ]);
    expect(JSON.stringify(three.out.deferred)).not.toContain('"x"');
  });

  test('of a library comes again by its codec', async () => {
    const { out, seen } = await run(on.custom('tide'));
    expect(seen).toEqual([3]);
    expect(out.deferred).toEqual([
      {
        event: 'charm/harbour/on/tide',
        observer: 'charm',
        method: 'onEvent',
        snapshot: { metres: 3 },
      },
    ]);
    expect((await run(on.updateStatus(), out, false)).seen).toEqual([3]);
  });

  test('that an older version of the charm deferred is dropped with a warning', async () => {
    const old = [
      { event: 'charm/on/start', observer: 'charm', method: 'onOld', snapshot: {} },
      { event: 'charm/on/old-relation-changed', observer: 'charm', method: 'x', snapshot: {} },
      { event: 'charm/attic/on/found', observer: 'charm', method: 'x', snapshot: null },
    ];
    const { out, seen } = await run(on.upgradeCharm(), state({ deferred: old }));
    expect({ seen, deferred: out.deferred }).toEqual({ seen: [], deferred: [] });
    expect(context.jujuLog.filter(({ level }) => level === 'WARNING')).toHaveLength(3);
    expect(context.jujuLog[0]?.message).toBe(
      'dropped deferred charm/on/start for charm.onOld: it does not observe that any more',
    );
  });

  test('is kept where the store was damaged: nothing runs until somebody looks', async () => {
    const failure = await context
      .run(on.start(), state({ unitState: { 'ops:deferred': '{' } }))
      .catch((e: unknown) => e);
    expect(failure).toMatchObject({ cause: { code: 'malformed-deferred-events' } });
  });
});

test('an event that its own handler emits again, and that both defer, is queued once', async () => {
  class EchoCharm extends CharmBase {
    readonly harbour = new Harbour(this, 'harbour');
    depth = 0;

    constructor(framework: Framework) {
      super(framework);
      framework.observe(this.on.custom('tide'), async () => {
        await this.harbour.tide.emit(new TideEvent(1));
      });
      framework.observe(this.harbour.tide, this, 'onTide');
    }

    async onTide(event: TideEvent): Promise<void> {
      this.depth += 1;
      if (this.depth === 1) {
        await this.harbour.tide.emit(new TideEvent(1));
      }
      event.defer();
    }
  }
  const echo = new Context(EchoCharm, { meta: PROBE_META });
  const out = await echo.run(echo.on.custom('tide'), state());
  expect(echo.emittedEvents.filter(({ path }) => path.endsWith('/tide')).length).toBe(3);
  expect(out.deferred).toHaveLength(1);
});

test('a deferred event whose handler ends the dispatch early waits on, and so do those after it', async () => {
  class EndingCharm extends CharmBase {
    constructor(framework: Framework) {
      super(framework);
      framework.observe(this.on.start, this, 'onStart');
      framework.observe(this.on.configChanged, this, 'onStart');
    }

    onStart(event: HookEvent): void {
      if (this.config.boolean('debug') === true) {
        throw new DispatchEnd('invalid config');
      }
      event.defer();
    }
  }
  const ending = new Context(EndingCharm, { meta: PROBE_META });
  const one = await ending.run(ending.on.start(), state());
  const two = await ending.run(ending.on.configChanged(), one);
  const ended = await ending.run(ending.on.updateStatus(), two.with({ config: { debug: true } }));
  expect(two.deferred).toHaveLength(2);
  expect(ended.deferred).toEqual(two.deferred);
});

describe('a test can start with deferred events', () => {
  test('made from events of Juju', async () => {
    const db = relation({ endpoint: 'database', remoteApp: 'pg' });
    const waiting = await context.deferred(on.relationChanged(db), 'onRelation');
    const given = state({ relations: [db], deferred: [waiting] });
    const { out, seen } = await run(on.updateStatus(), given, false);
    expect(seen).toEqual([['database-relation-changed', db.id, 'pg', 'pg/0']]);
    expect(out.deferred).toEqual([]);
  });

  test('but not for somebody who does not observe, or of events that cannot wait', async () => {
    const wrong = await context.deferred(on.start(), 'onEvnt');
    await expect(run(on.updateStatus(), state({ deferred: [wrong] }))).rejects.toMatchObject({
      code: 'inconsistent-state',
      problems: [expect.stringContaining('charm/on/start waits for charm.onEvnt')],
    });
    const stop = await context.deferred(on.stop(), 'onEvent');
    await expect(run(on.updateStatus(), state({ deferred: [stop] }))).rejects.toMatchObject({
      problems: [expect.stringContaining('charm/on/stop cannot wait')],
    });
  });
});
