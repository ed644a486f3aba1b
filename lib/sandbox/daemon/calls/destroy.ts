/** The end of the sandbox: all units leave in order within a bounded time, then the daemon ends. */
import { signalNotedProcess } from '../../agent/orphans.ts';
import { unitDirectory } from '../../agent/unit-directory.ts';
import type { DestroyParams, DestroyProgress } from '../../api.ts';
import { destroyApplication, removeUnit } from '../../model/removal.ts';
import type { Transaction } from '../../store/store.ts';
import type { CallContext } from './call-context.ts';
import { skipFailedHook } from './removal.ts';

const DEFAULT_TIMEOUT_MS = 60_000;
const LOOK_MS = 20;

export async function* destroy(
  { services, agents, links, end }: CallContext,
  { timeoutMs = DEFAULT_TIMEOUT_MS }: DestroyParams,
): AsyncGenerator<DestroyProgress, void> {
  const { store, clock } = services;
  const deadline = clock.now().getTime() + timeoutMs;
  store.transact((transaction) => {
    for (const { name } of transaction.all('application')) {
      destroyApplication(transaction, name);
    }
    removeLost(transaction);
  });
  let shown = -1;
  while (agents.count > 0 && clock.now().getTime() < deadline) {
    const units = store.all('unit').map(({ name }) => name);
    if (units.length !== shown) {
      shown = units.length;
      yield { units };
    }
    // Nobody is there to resolve a failed hook.
    if (store.all('unit').some(({ pending }) => pending?.state === 'failed' && !pending.resolved)) {
      store.transact(skipAllFailed);
    }
    for (const name of units) {
      // A frozen hook would not end by itself.
      signalNotedProcess(unitDirectory(services.paths, name), 'SIGCONT');
    }
    await clock.sleep(LOOK_MS);
  }
  await links.farewell();
  // The answer goes out before the process ends.
  setTimeout(end, LOOK_MS);
}

/** No hook of a unit without an agent runs again, so nobody is to wait for it. */
function removeLost(transaction: Transaction): void {
  for (const { name, agentStoppedAt } of transaction.all('unit')) {
    if (agentStoppedAt !== undefined) {
      removeUnit(transaction, name);
    }
  }
}

function skipAllFailed(transaction: Transaction): void {
  for (const { name } of transaction.all('unit')) {
    skipFailedHook(transaction, name);
  }
}
