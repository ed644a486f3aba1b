/** What a test's unit keeps between dispatches: stored states and deferred events. */
import { DEFERRED_KEY, type Notice, parseNotices } from '../deferral.ts';
import type { SimpleValue } from '../simple-value.ts';
import { STORED_PREFIX } from '../stored-state.ts';
import { frozenCopy } from './freeze.ts';

/** What storedState(owner, name, …) of the charm keeps. */
export interface StoredStateFields {
  /** Path of the owner; the charm's own, `charm`, unless told. */
  readonly ownerPath?: string;
  readonly name: string;
  readonly content: Readonly<Record<string, SimpleValue>>;
}

export type StoredStateState = Required<StoredStateFields>;

/** A deferred event, as `context.deferred()` makes those of Juju. */
export type DeferredState = Notice;

export function storedStateState(fields: StoredStateFields): StoredStateState {
  return frozenCopy({ ownerPath: 'charm', ...fields });
}

interface Kept {
  readonly storedStates: readonly StoredStateState[];
  readonly deferred: readonly DeferredState[];
  readonly unitState: Readonly<Record<string, string>>;
}

/** What state-get prints. */
export function toUnitState(kept: Kept): Map<string, string> {
  const stored = kept.storedStates.map(
    ({ ownerPath, name, content }) =>
      [`${STORED_PREFIX}${ownerPath}/${name}`, JSON.stringify(content)] as const,
  );
  const deferred = [[DEFERRED_KEY, JSON.stringify(kept.deferred)]] as const;
  return new Map([
    ...Object.entries(kept.unitState),
    ...stored,
    ...(kept.deferred.length === 0 ? [] : deferred),
  ]);
}

/** What a run left, of what state-get prints. */
export function fromUnitState(values: ReadonlyMap<string, string>): Kept {
  const storedStates: StoredStateState[] = [];
  const others: [string, string][] = [];
  for (const [key, value] of values) {
    if (key.startsWith(STORED_PREFIX)) {
      const path = key.slice(STORED_PREFIX.length);
      const cut = path.lastIndexOf('/');
      const content = JSON.parse(value) as StoredStateState['content'];
      storedStates.push({ ownerPath: path.slice(0, cut), name: path.slice(cut + 1), content });
    } else if (key !== DEFERRED_KEY) {
      others.push([key, value]);
    }
  }
  const deferred = parseNotices(values.get(DEFERRED_KEY));
  return { storedStates, deferred, unitState: Object.fromEntries(others) };
}
