/** Deferred events of a test's state. */
import { saveFacts } from '../event-facts.ts';
import { parseJujuContext } from '../juju-context.ts';
import { parseJujuEvent } from '../juju-event.ts';
import type { CharmMeta } from '../meta.ts';
import { frozenCopy } from './freeze.ts';
import type { DeferredState } from './stored-state.ts';
import { relationEnvironment, type TestEvent } from './test-events.ts';

/** What is kept of an event of Juju that a method deferred. */
export function deferredState(
  event: TestEvent,
  facts: {
    readonly meta: CharmMeta;
    readonly appName: string;
    readonly observer: string;
    readonly method: string;
  },
): DeferredState {
  const { meta, appName, observer, method } = facts;
  const context = parseJujuContext({
    JUJU_UNIT_NAME: `${appName}/0`,
    JUJU_CHARM_DIR: '/',
    JUJU_DISPATCH_PATH: event.path,
    ...event.environment,
    ...relationEnvironment(event, appName),
  });
  const parsed = parseJujuEvent(context, meta);
  const snapshot = saveFacts(parsed, context);
  return frozenCopy({ event: `charm/on/${parsed.name}`, observer, method, snapshot });
}
