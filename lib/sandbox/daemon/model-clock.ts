/** The clock of the model: the machine's, moved forward by `juju sandbox advance`. */
import { type Clock, systemClock } from '#system';
import { MODEL } from '../model/documents.ts';
import type { Reader } from '../store/store.ts';

/**
 * Time as the model has it; how far it is ahead is kept in the model, so that it never goes back. Whoever
 * sleeps until some time is woken by the commit that moves the clock, and looks again.
 */
export function createModelClock(store: Reader): Clock {
  return {
    now: () => new Date(Date.now() + (store.get('model', MODEL)?.clockAheadMs ?? 0)),
    sleep: async (ms, signal) => systemClock.sleep(ms, signal),
  };
}
