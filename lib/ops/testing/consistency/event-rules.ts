/** Events: each carries the object it is about, and the state holds that object. */
import { type AnyRelationState, remoteUnitsOf } from '../relation-state.ts';
import type { TestEvent } from '../test-events.ts';
import type { Scene } from './scene.ts';

export function* eventProblems(scene: Scene): Generator<string> {
  yield* bareEventProblems(scene);
  yield* relationEventProblems(scene);
  yield* storageEventProblems(scene);
}

// Events of an object: their pattern, the object, and what makes one in tests.
const OF_OBJECTS = [
  [/^(.+)-relation-(?:created|joined|changed|departed|broken)$/, 'relation', 'relationChanged'],
  [/^(.+)-storage-(?:attached|detaching)$/, 'storage', 'storageAttached'],
  [/^(secret)-(?:changed|rotate|expired|remove)$/, 'secret', 'secretChanged'],
] as const;

/** Events made by `custom()` that are about an object, which they do not carry. */
function* bareEventProblems({ event, meta }: Scene): Generator<string> {
  const hook = event.path.replace('hooks/', '');
  const declared = {
    relation: meta.endpoints,
    storage: meta.storages,
    secret: new Set(['secret']),
  };
  for (const [pattern, object, maker] of OF_OBJECTS) {
    const [, name] = pattern.exec(hook) ?? [];
    // Of endpoints and storages the charm no longer declares it may get events yet.
    if (name !== undefined && declared[object].has(name) && event[object] === undefined) {
      yield `the event ${hook} is about a ${object} but carries none: make it with context.on.${maker}(…) or one of its kind`;
    }
  }
}

function* relationEventProblems({ state, event, meta }: Scene): Generator<string> {
  const { relation, relationKind } = event;
  if (relation === undefined) {
    return;
  }
  const present = state.relations.find(
    (it) => it.id === relation.id && it.endpoint === relation.endpoint,
  );
  if (present === undefined) {
    yield `the event is about relation ${relation.endpoint}:${relation.id}: add that to the state's relations`;
  }
  if (relationKind === 'broken' && meta.endpoints.get(relation.endpoint)?.role === 'peers') {
    yield `peer relation "${relation.endpoint}" can never be broken: use another event`;
  }
  const needsUnit = relationKind === 'joined' || relationKind === 'departed';
  if (needsUnit && event.remoteUnit === undefined) {
    yield `relation-${relationKind} is about a remote unit: give the relation one`;
  }
  yield* remoteUnitProblems(present ?? relation, event);
}

function* remoteUnitProblems(relation: AnyRelationState, event: TestEvent): Generator<string> {
  const { remoteUnit, relationKind } = event;
  if (remoteUnit !== undefined && remoteUnitsOf(relation)[remoteUnit] === undefined) {
    yield `relation-${relationKind ?? ''} is about remote unit ${remoteUnit}: add it to the units of relation ${relation.endpoint}:${relation.id}`;
  }
}

function* storageEventProblems({ state, event }: Scene): Generator<string> {
  const { storage } = event;
  if (storage !== undefined && !state.storages.some((known) => known.id === storage.id)) {
    yield `the event is about storage ${storage.id}: add that to the state's storages`;
  }
}
