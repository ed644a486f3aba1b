/** One dispatch from start to end, the same for a real charm and for tests. */
import type { CharmBase, CharmConstructor } from './charm.ts';
import { DispatchEnd } from './dispatch-end.ts';
import { CollectStatusEvent } from './events.ts';
import { Framework } from './framework.ts';
import type { HookToolRunner } from './hook-tools/index.ts';
import type { JujuContext } from './juju-context.ts';
import { type EventScene, emitJujuEvent, type JujuEvent, parseJujuEvent } from './juju-event.ts';
import type { Logger } from './logger.ts';
import type { CharmMeta } from './meta.ts';
import { Model } from './model/model.ts';
import { Session } from './model/session.ts';
import { mostSevere } from './model/status.ts';

export interface DispatchParts {
  readonly context: JujuContext;
  readonly meta: CharmMeta;
  readonly tools: HookToolRunner;
  readonly log: Logger;
}

// Juju forbids most hook tools in these.
const RESTRICTED: readonly string[] = ['collect-metrics', 'meter-status-changed'];

/** Makes the charm, emits the event Juju named, then collects and sets statuses. */
export async function dispatch<C extends CharmBase>(
  charmClass: CharmConstructor<C>,
  parts: DispatchParts,
): Promise<C> {
  const { context, meta, tools, log } = parts;
  const event = parseJujuEvent(context, meta);
  const session = new Session(tools, { context, meta, ...brokenRelation(event, context) });
  const model = new Model(session);
  const charm = new charmClass(new Framework({ model, meta, juju: context, log }));
  try {
    await runEvents(charm, event, { on: charm.on, model, session, tools });
  } catch (error) {
    if (!(error instanceof DispatchEnd)) {
      throw error;
    }
    log.debug(`ended ${event.name} early: ${error.message}`);
  }
  return charm;
}

async function runEvents(charm: CharmBase, event: JujuEvent, scene: EventScene): Promise<void> {
  const known = await emitJujuEvent(event, scene);
  if (!known) {
    charm.log.debug(`ignored ${event.kind} "${event.name}": the charm does not know it`);
  }
  if (!RESTRICTED.includes(event.name)) {
    await collectStatuses(charm);
  }
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
  await source.emit(event);
  return mostSevere(event.statuses);
}
