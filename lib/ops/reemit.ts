/** Gives deferred events to those who wait for them, before the event of this dispatch. */
import type { CharmBase } from './charm.ts';
import type { Place } from './deferral.ts';
import { isNeverDeferred, loadFacts } from './event-facts.ts';
import { type Delivered, type EventScene, eventOfName, routeJujuEvent } from './juju-event.ts';

/** Asks Juju only where somebody may wait: where a method observes what can be deferred. */
export async function reemitDeferred(charm: CharmBase, scene: EventScene): Promise<void> {
  const { framework, meta } = charm;
  if ([...framework.namedSources].every((path) => isNeverDeferred(path, meta))) {
    return;
  }
  for (const place of framework.deferrals.pending()) {
    // In order: each sees what those before it did.
    // oxlint-disable-next-line no-await-in-loop
    const problem = await reemit(charm, scene, place);
    if (problem !== undefined) {
      framework.deferrals.drop(place);
      const { event, observer, method } = place;
      framework.log.warning(`dropped deferred ${event} for ${observer}.${method}: ${problem}`);
    }
  }
}

/** Why it cannot be, if so. */
async function reemit(
  charm: CharmBase,
  scene: EventScene,
  place: Place,
): Promise<string | undefined> {
  const source = charm.framework.findSource(place.event);
  if (source?.hasObserver(place) !== true) {
    return 'it does not observe that any more';
  }
  const event = source.load(place.snapshot());
  if (event !== undefined) {
    await source.redeliver(event, place);
    return undefined;
  }
  return PROBLEMS[await reemitJujus(charm, scene, place)];
}

async function reemitJujus(charm: CharmBase, scene: EventScene, place: Place): Promise<Delivered> {
  const [, name] = /^charm\/on\/(.+)$/.exec(place.event) ?? [];
  if (name === undefined) {
    return 'unknown';
  }
  const facts = loadFacts(place.snapshot());
  const past = { ...scene, facts, again: true };
  return await routeJujuEvent(eventOfName(name, charm.meta), past, async (source, event) => {
    await source.redeliver(event, place);
  });
}

const PROBLEMS: Readonly<Record<Delivered, string | undefined>> = {
  delivered: undefined,
  unknown: 'the charm does not know this event any more',
  gone: 'its relation is gone',
};
