/** The part of Juju's environment that one event is about: what a deferred event is made of again. */
import type { Refusal } from './event-source.ts';
import type { JujuEvent } from './juju-event.ts';
import type { CharmMeta } from './meta.ts';
import type { SimpleValue } from './simple-value.ts';

/** What an event is about; the fields are those of JujuContext. */
export interface EventFacts {
  readonly relationId?: number | undefined;
  readonly remoteApp?: string | undefined;
  readonly remoteUnit?: string | undefined;
  readonly departingUnit?: string | undefined;
  readonly secretId?: string | undefined;
  readonly secretLabel?: string | undefined;
  readonly secretRevision?: number | undefined;
  readonly storageId?: string | undefined;
  readonly storageKind?: string | undefined;
  readonly storageLocation?: string | undefined;
}

const RELATION = ['relationId', 'remoteApp', 'remoteUnit', 'departingUnit'] as const;
const SECRET = ['secretId', 'secretLabel', 'secretRevision'] as const;
const STORAGE = ['storageId', 'storageKind', 'storageLocation'] as const;
const NUMBERS: readonly string[] = ['relationId', 'secretRevision'];

/** The facts of an event as they are kept: those Juju told that it needs. */
export function saveFacts(event: JujuEvent, facts: EventFacts): SimpleValue {
  return Object.fromEntries(
    neededBy(event).flatMap((name) => {
      const value = facts[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

function neededBy({ kind, name }: JujuEvent): readonly (keyof EventFacts)[] {
  switch (kind) {
    case 'relation':
      return RELATION;
    case 'storage':
      return STORAGE;
    case 'hook':
      return name.startsWith('secret-') ? SECRET : [];
    case 'action':
      return [];
    default:
      return kind satisfies never;
  }
}

/** The facts that were kept; what is not of its type is left out. */
export function loadFacts(saved: SimpleValue): EventFacts {
  const fields = new Map<string, unknown>(Object.entries(Object(saved)));
  const kept = [...RELATION, ...SECRET, ...STORAGE].filter(
    (name) => typeof fields.get(name) === (NUMBERS.includes(name) ? 'number' : 'string'),
  );
  return Object.fromEntries(kept.map((name) => [name, fields.get(name)]));
}

const GOING: Refusal = {
  reason: 'the unit is going, there may be no later event',
  hint: 'do what is left now, or throw to have Juju run the hook again',
};
const REPEATED: Refusal = {
  reason: 'Juju sends it again until it is dealt with',
  hint: 'return from the handler: the next one comes by itself',
};
export const LIFE_CYCLE: Refusal = {
  reason: 'it belongs to this dispatch, and each dispatch has its own',
  hint: 'add the status the unit has now',
};
const ACTION: Refusal = {
  reason: 'somebody waits for the action',
  hint: 'call event.fail() and say when to run it again',
};

const REFUSED: ReadonlyMap<string, Refusal> = new Map([
  ['stop', GOING],
  ['remove', GOING],
  ['secret-rotate', REPEATED],
  ['secret-expired', REPEATED],
  ['collect-unit-status', LIFE_CYCLE],
  ['collect-app-status', LIFE_CYCLE],
]);

/** Why an event of Juju cannot be deferred, as in Python ops; undefined when it can. */
export function deferRefusal(event: Pick<JujuEvent, 'kind' | 'name'>): Refusal | undefined {
  return event.kind === 'action' ? ACTION : REFUSED.get(event.name);
}

/** Whether a source, by its path, is one of Juju's that never can be deferred. */
export function isNeverDeferred(path: string, meta: CharmMeta): boolean {
  const [, name = ''] = /^charm\/on\/(.+)$/.exec(path) ?? [];
  return REFUSED.has(name) || (name.endsWith('-action') && meta.actions.has(name.slice(0, -7)));
}
