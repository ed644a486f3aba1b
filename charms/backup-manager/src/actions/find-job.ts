/** Which job somebody means who did not type all of its id. */
import { HintError } from '#system';
import type { Manager } from '../manager.ts';
import { quote } from './action-checks.ts';

// Less than the date in it says nothing.
const MIN_PREFIX = 8;
const MAX_LISTED = 3;

/**
 * The id of the job or the piece of upkeep that is called so, or the only one that begins so; the text itself where
 * there is none.
 * @throws HintError `ambiguous-job` where several begin so
 */
export async function fullJobId(manager: Manager, text: string): Promise<string> {
  const upkeep = [...(await manager.upkeep.records()), ...manager.peers.upkeepOfOthers()];
  const ids = new Set([
    ...manager.history().map(({ jobId }) => jobId),
    ...upkeep.map(({ id }) => id),
  ]);
  if (ids.has(text) || text.length < MIN_PREFIX) {
    return text;
  }
  const found = [...ids].filter((id) => id.startsWith(text));
  if (found.length > 1) {
    const listed = found.slice(0, MAX_LISTED).map(quote).join(', ');
    const more = found.length > MAX_LISTED ? ' and others' : '';
    throw new HintError(`several jobs begin with ${quote(text)}: ${listed}${more}`, {
      code: 'ambiguous-job',
      hint: 'repeat with more of the id',
    });
  }
  return found[0] ?? text;
}
