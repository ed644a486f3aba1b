/** One dispatch from start to end, the same for a real charm and for tests. */
import type { CharmBase, CharmConstructor } from './charm.ts';
import { DispatchEnd } from './dispatch-end.ts';
import { deferRefusal, LIFE_CYCLE, saveFacts } from './event-facts.ts';
import type { Keeping } from './event-source.ts';
import { CollectStatusEvent } from './events.ts';
import { Framework, type OnEmitted } from './framework.ts';
import type { HookToolRunner } from './hook-tools/index.ts';
import type { JujuContext } from './juju-context.ts';
import { type EventScene, type JujuEvent, parseJujuEvent, routeJujuEvent } from './juju-event.ts';
import type { Logger } from './logger.ts';
import type { CharmMeta } from './meta.ts';
import { Model } from './model/model.ts';
import { Session } from './model/session.ts';
import { mostSevere } from './model/status.ts';
import { reemitDeferred } from './reemit.ts';
import { UnitState } from './unit-state.ts';

export interface DispatchParts {
  readonly context: JujuContext;
  readonly meta: CharmMeta;
  readonly tools: HookToolRunner;
  readonly log: Logger;
  /** Called when the charm is made, before any event. */
  readonly onMade?: (framework: Framework) => void;
  readonly onEmitted?: OnEmitted;
}

// Juju forbids most hook tools in these.
const RESTRICTED: readonly string[] = ['collect-metrics', 'meter-status-changed'];

/**
 * Makes the charm, gives deferred events again, emits the event Juju named, collects and sets
 * statuses, and, all of that done, hands Juju what is kept for the next dispatch.
 */
export async function dispatch<C extends CharmBase>(
  charmClass: CharmConstructor<C>,
  parts: DispatchParts,
): Promise<C> {
  const { context, meta, tools, log } = parts;
  const event = parseJujuEvent(context, meta);
  const session = new Session(tools, { context, meta, ...brokenRelation(event, context) });
  const model = new Model(session);
  const unitState = new UnitState(tools);
  const { onEmitted } = parts;
  const framework = new Framework({ model, meta, juju: context, log, unitState, onEmitted });
  const charm = new charmClass(framework);
  parts.onMade?.(framework);
  try {
    await runEvents(charm, event, { on: charm.on, model, session, tools, facts: context });
  } catch (error) {
    if (!(error instanceof DispatchEnd)) {
      throw error;
    }
    log.debug(`ended ${event.name} early: ${error.message}`);
  }
  unitState.save(log);
  return charm;
}

async function runEvents(charm: CharmBase, event: JujuEvent, scene: EventScene): Promise<void> {
  const isRestricted = RESTRICTED.includes(event.name);
  if (!isRestricted) {
    await reemitDeferred(charm, scene);
  }
  const keeping = keepingOf(event, charm.juju);
  const outcome = await routeJujuEvent(event, scene, async (source, made) => {
    await source.deliver(made, keeping);
  });
  if (outcome === 'unknown') {
    charm.log.debug(`ignored ${event.kind} "${event.name}": the charm does not know it`);
  }
  if (!isRestricted) {
    await collectStatuses(charm);
  }
}

function keepingOf(event: JujuEvent, context: JujuContext): Keeping {
  const refusal = deferRefusal(event);
  return refusal === undefined ? { snapshot: () => saveFacts(event, context) } : { refusal };
}

function brokenRelation(event: JujuEvent, context: JujuContext) {
  const isBroken = event.kind === 'relation' && event.suffix === 'broken';
  return { brokenRelationId: isBroken ? context.relationId : undefined };
}

async function collectStatuses(charm: CharmBase): Promise<void> {
  const { on, app, unit } = charm;
  // Asked in this order, so that a charm without statuses costs no call at all.
  if (on.collectAppStatus.isObserved && unit.isLeader()) {
    const status = await collect(on.collectAppStatus, 'collect-app-status');
    if (status !== undefined) {
      app.status = status;
    }
  }
  if (on.collectUnitStatus.isObserved) {
    const status = await collect(on.collectUnitStatus, 'collect-unit-status');
    if (status !== undefined) {
      unit.status = status;
    }
  }
}

async function collect(source: CharmBase['on']['collectUnitStatus'], name: string) {
  const event = new CollectStatusEvent(name);
  await source.deliver(event, { refusal: LIFE_CYCLE });
  return mostSevere(event.statuses);
}
