/** What the unit keeps between dispatches: of somebody, simple, waiting for somebody. */
import { HintError } from '#system';
import { deferRefusal } from '../../event-facts.ts';
import type { Framework } from '../../framework.ts';
import { eventOfName } from '../../juju-event.ts';
import { checkSimple } from '../../simple-value.ts';
import { repeated, type Scene } from './scene.ts';

export function* storedProblems({ state, meta }: Scene): Generator<string> {
  const paths = state.storedStates.map(({ ownerPath, name }) => `${ownerPath}/${name}`);
  for (const path of repeated(paths)) {
    yield `stored state ${path} is there twice: give each owner and name once`;
  }
  for (const { ownerPath, name, content } of state.storedStates) {
    yield* simpleProblems(content, `${ownerPath}/${name}`);
  }
  for (const { event, observer, method, snapshot } of state.deferred) {
    yield* simpleProblems(snapshot, `the snapshot of deferred ${event}`);
    const [, name] = /^charm\/on\/(.+)$/.exec(event) ?? [];
    const refusal =
      name === undefined || name.endsWith('-action')
        ? undefined
        : deferRefusal(eventOfName(name, meta));
    if (refusal !== undefined) {
      yield `${event} cannot wait for ${observer}.${method}: ${refusal.reason}`;
    }
  }
}

/** Known only when the charm is made; after an upgrade, what waits may be for nobody. */
export function* observerProblems(
  framework: Framework,
  { state, event }: Pick<Scene, 'state' | 'event'>,
): Generator<string> {
  if (event.path === 'hooks/upgrade-charm') {
    return;
  }
  for (const notice of state.deferred) {
    if (framework.findSource(notice.event)?.hasObserver(notice) !== true) {
      yield `${notice.event} waits for ${notice.observer}.${notice.method}, which does not observe it: correct it, or run upgradeCharm() if an older version of the charm did`;
    }
  }
}

function* simpleProblems(value: unknown, path: string): Generator<string> {
  try {
    checkSimple(value, path);
  } catch (error) {
    if (!(error instanceof HintError)) {
      throw error;
    }
    yield `${error.message}: ${error.hint ?? ''}`;
  }
}
