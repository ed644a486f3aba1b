import { describe, expect, test } from '@jest/globals';
import {
  type ActionEvent,
  CharmBase,
  CharmObject,
  type CollectStatusEvent,
  EventBase,
  EventSource,
  type Framework,
  HookEvent,
  type RelationEvent,
} from '#ops';
import { Context, secret, state } from '#ops/testing';
import { PROBE_META } from '../../helpers/probe-charm.ts';

/** Shared with the charms, which are made anew each run. */
const plan = { seen: [] as unknown[], fail: false };

class FogEvent extends EventBase {
  readonly thick = true;
}

class Harbour extends CharmObject {
  readonly fog = new EventSource<FogEvent>(this, 'fog');
}

describe('what cannot be deferred says why', () => {
  class EagerCharm extends CharmBase {
    readonly harbour = new Harbour(this, 'harbour');

    constructor(framework: Framework) {
      super(framework);
      framework.observe(this.on.stop, this, 'onAny');
      framework.observe(this.on.remove, this, 'onAny');
      framework.observe(this.on.secretRotate, this, 'onAny');
      framework.observe(this.on.secretExpired, this, 'onAny');
      framework.observe(this.on.collectUnitStatus, this, 'onStatus');
      framework.observe(this.on.action('greet'), this, 'onAction');
      framework.observe(this.on.custom('fog'), this, 'onFog');
      framework.observe(this.harbour.fog, this, 'onAny');
      framework.observe(this.on.start, (event) => event.defer());
      framework.observe(this.on.custom('later'), this, 'onLater');
    }

    onAny(event: EventBase): void {
      event.defer();
    }

    onAction(event: ActionEvent): void {
      event.defer();
    }

    onStatus(event: CollectStatusEvent): void {
      if (plan.fail) {
        event.defer();
      }
    }

    async onFog(): Promise<void> {
      await this.harbour.fog.emit(new FogEvent());
    }

    onLater(event: HookEvent): void {
      const unawaited = Promise.resolve().then(() => Promise.resolve());
      plan.seen = [event, unawaited];
    }
  }

  const eager = new Context(EagerCharm, { meta: PROBE_META });
  const own = secret({ content: { password: 'x' }, owner: 'unit', revision: 2 });
  const secrets = state({ secrets: [own] });

  test.each([
    ['stop', eager.on.stop(), state(), 'the unit is going'],
    ['remove', eager.on.remove(), state(), 'the unit is going'],
    ['secret-rotate', eager.on.secretRotate(own), secrets, 'Juju sends it again'],
    [
      'secret-expired',
      eager.on.secretExpired(own, { revision: 1 }),
      secrets,
      'Juju sends it again',
    ],
    ['an action', eager.on.action('greet'), state(), 'somebody waits for the action'],
    ['a library without codec', eager.on.custom('fog'), state(), 'does not say how to keep it'],
    ['a function', eager.on.start(), state(), 'a function observes it'],
  ])('%s', async (_what, event, given, reason) => {
    plan.fail = false;
    const failure = await eager.run(event, given).catch((e: unknown) => e);
    expect(failure).toMatchObject({
      cause: {
        code: 'cannot-defer',
        message: expect.stringContaining(reason),
        hint: expect.any(String),
      },
    });
  });

  test('collect-status', async () => {
    plan.fail = true;
    await expect(eager.run(eager.on.updateStatus(), state())).rejects.toMatchObject({
      cause: { code: 'cannot-defer', message: expect.stringContaining('belongs to this dispatch') },
    });
  });

  test('an event whose handler has ended', async () => {
    plan.fail = false;
    await eager.run(eager.on.custom('later'), state());
    const [event] = plan.seen;
    expect(event).toBeInstanceOf(HookEvent);
    expect(() => event instanceof HookEvent && event.defer()).toThrow('is not being handled');
  });
});

describe('observers as methods', () => {
  test('must exist and take the event', () => {
    class WrongCharm extends CharmBase {
      constructor(framework: Framework) {
        super(framework);
        // @ts-expect-error -- there is no such method
        framework.observe(this.on.start, this, 'onStrat');
        // @ts-expect-error -- start has no relation
        framework.observe(this.on.start, this, 'onRelation');
        framework.observe(this.on.relation('database').departed, this, 'onRelation');
      }

      onRelation(event: RelationEvent): void {
        plan.seen.push(event.relation.id);
      }
    }
    expect(WrongCharm.name).toBe('WrongCharm');
  });

  test('observe an event once', async () => {
    class TwiceCharm extends CharmBase {
      constructor(framework: Framework) {
        super(framework);
        framework.observe(this.on.start, this, 'onStart');
        framework.observe(this.on.start, this, 'onStart');
      }

      onStart(): void {
        plan.seen.push('start');
      }
    }
    const twice = new Context(TwiceCharm, { meta: PROBE_META });
    await expect(twice.run(twice.on.start(), state())).rejects.toMatchObject({
      cause: { code: 'duplicate-observer' },
    });
  });

  test('cost nothing where none of their events can be deferred', async () => {
    class AnsweringCharm extends CharmBase {
      constructor(framework: Framework) {
        super(framework);
        framework.observe(this.on.action('greet'), this, 'onGreet');
        framework.observe(this.on.stop, this, 'onStop');
      }

      onGreet(event: ActionEvent): void {
        event.setResults({ greeting: 'hello' });
      }

      onStop(): void {
        plan.seen.push('stop');
      }
    }
    const answering = new Context(AnsweringCharm, { meta: PROBE_META });
    await answering.run(answering.on.action('greet'), state());
    expect(answering.hookToolCalls.map((call) => call.tool)).toEqual(['action-set']);
  });
});
