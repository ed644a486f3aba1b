/** From JUJU_DISPATCH_PATH and its companions to the event a charm can observe. */
import { HintError } from '#system';
import { ActionEvent } from './action-event.ts';
import type { CharmEvents } from './charm-events.ts';
import type { EventFacts } from './event-facts.ts';
import type { EventSource } from './event-source.ts';
import {
  HookEvent,
  RelationDepartedEvent,
  RelationEvent,
  SecretEvent,
  StorageEvent,
} from './events.ts';
import type { HookToolRunner } from './hook-tools/index.ts';
import type { JujuContext } from './juju-context.ts';
import type { CharmMeta } from './meta.ts';
import type { Model } from './model/model.ts';
import type { Relation } from './model/relation.ts';
import { Secret } from './model/secret.ts';
import type { Session } from './model/session.ts';
import { Storage } from './model/storage.ts';

/** What Juju asks for, by kind. */
export type JujuEvent =
  | { readonly kind: 'hook'; readonly name: string }
  | { readonly kind: 'action'; readonly name: string }
  | {
      readonly kind: 'relation';
      readonly name: string;
      readonly endpoint: string;
      readonly suffix: RelationSuffix;
    }
  | {
      readonly kind: 'storage';
      readonly name: string;
      readonly storage: string;
      readonly suffix: 'attached' | 'detaching';
    };

type RelationSuffix = 'created' | 'joined' | 'changed' | 'departed' | 'broken';

/** @throws HintError when Juju named no event. */
export function parseJujuEvent(context: JujuContext, meta: CharmMeta): JujuEvent {
  if (context.dispatchPath === undefined) {
    throw new HintError('cannot dispatch: JUJU_DISPATCH_PATH is not set', {
      code: 'no-dispatch-path',
      hint: 'name an event, for example JUJU_DISPATCH_PATH=hooks/update-status',
    });
  }
  const [directory, name = ''] = context.dispatchPath.split('/').slice(-2);
  if (directory === 'actions') {
    return { kind: 'action', name };
  }
  return eventOfName(name, meta);
}

/** The event of a hook's name. */
export function eventOfName(name: string, meta: CharmMeta): JujuEvent {
  return parseRelationEvent(name, meta) ?? parseStorageEvent(name, meta) ?? { kind: 'hook', name };
}

function parseRelationEvent(name: string, meta: CharmMeta): JujuEvent | undefined {
  const [, endpoint = '', suffix] =
    /^(.+)-relation-(created|joined|changed|departed|broken)$/.exec(name) ?? [];
  return meta.endpoints.has(endpoint)
    ? { kind: 'relation', name, endpoint, suffix: suffix as RelationSuffix }
    : undefined;
}

function parseStorageEvent(name: string, meta: CharmMeta): JujuEvent | undefined {
  const [, storage = '', suffix] = /^(.+)-storage-(attached|detaching)$/.exec(name) ?? [];
  return meta.storages.has(storage)
    ? { kind: 'storage', name, storage, suffix: suffix === 'attached' ? 'attached' : 'detaching' }
    : undefined;
}

export interface EventScene {
  readonly on: CharmEvents;
  readonly model: Model;
  readonly session: Session;
  readonly tools: HookToolRunner;
  /** What the event is about. */
  readonly facts: EventFacts;
  /** The event was deferred: what it is about may be gone. */
  readonly again?: boolean;
}

/** What to do with an event and the source it belongs to. */
export type Deliver = <E extends HookEvent>(source: EventSource<E>, event: E) => Promise<void>;

/** `unknown`: the charm knows none of that name; `gone`: it is about a relation that is gone. */
export type Delivered = 'delivered' | 'unknown' | 'gone';

/** Makes the event and hands it to `deliver`. */
export async function routeJujuEvent(
  event: JujuEvent,
  scene: EventScene,
  deliver: Deliver,
): Promise<Delivered> {
  switch (event.kind) {
    case 'action':
      return await routeAction(event.name, scene, deliver);
    case 'relation':
      return await routeRelation(event, scene, deliver);
    case 'storage': {
      const id = required(scene.facts.storageId, 'JUJU_STORAGE_ID', event.name);
      const storage = new Storage(scene.session, id, scene.facts);
      const sources = scene.on.storage(event.storage);
      await deliver(sources[event.suffix], new StorageEvent(event.name, storage));
      return 'delivered';
    }
    case 'hook':
      return await routeHook(event.name, scene, deliver);
    default:
      return event satisfies never;
  }
}

async function routeAction(name: string, scene: EventScene, deliver: Deliver): Promise<Delivered> {
  const { context, meta } = scene.session;
  if (!meta.actions.has(name)) {
    return 'unknown';
  }
  const id = context.actionId ?? '';
  await deliver(scene.on.action(name), new ActionEvent(scene.tools, name, id));
  return 'delivered';
}

async function routeRelation(
  event: Extract<JujuEvent, { kind: 'relation' }>,
  scene: EventScene,
  deliver: Deliver,
): Promise<Delivered> {
  const { facts, model } = scene;
  const id = required(facts.relationId, 'JUJU_RELATION_ID', event.name);
  const relation = findRelation(event, id, scene);
  if (relation === undefined) {
    return 'gone';
  }
  const unitNamed = (name: string | undefined) =>
    name === undefined ? undefined : model.getUnit(name);
  const fields = { relation, app: relation.app, unit: unitNamed(facts.remoteUnit) };
  const sources = scene.on.relation(event.endpoint);
  if (event.suffix === 'departed') {
    const departingUnit = unitNamed(facts.departingUnit);
    await deliver(
      sources.departed,
      new RelationDepartedEvent(event.name, { ...fields, departingUnit }),
    );
  } else {
    await deliver(sources[event.suffix], new RelationEvent(event.name, fields));
  }
  return 'delivered';
}

/**
 * The relation of an event. Of a deferred one it may be gone: who defers departed or broken has
 * something left to clean up and is given it, inactive and empty; the other events ask to serve
 * somebody who is not there, and there is none.
 */
function findRelation(
  event: Extract<JujuEvent, { kind: 'relation' }>,
  id: number,
  { model, facts, again }: EventScene,
): Relation | undefined {
  if (again === true) {
    const isCleanUp = event.suffix === 'departed' || event.suffix === 'broken';
    return model.relationOfPast({ endpoint: event.endpoint, id }, isCleanUp ? facts : undefined);
  }
  const relation = model.relationById(id);
  if (relation === undefined || relation.endpoint !== event.endpoint) {
    throw new HintError(`cannot dispatch ${event.name}: relation ${id} is not of its endpoint`, {
      code: 'no-juju-environment',
      hint: 'set JUJU_RELATION and JUJU_RELATION_ID as Juju does',
    });
  }
  return relation;
}

const HOOKS = {
  install: 'install',
  start: 'start',
  stop: 'stop',
  remove: 'remove',
  'config-changed': 'configChanged',
  'update-status': 'updateStatus',
  'upgrade-charm': 'upgradeCharm',
  'leader-elected': 'leaderElected',
  'leader-settings-changed': 'leaderSettingsChanged',
} as const;

const SECRET_HOOKS = {
  'secret-changed': 'secretChanged',
  'secret-rotate': 'secretRotate',
  'secret-expired': 'secretExpired',
  'secret-remove': 'secretRemove',
} as const;

async function routeHook(name: string, scene: EventScene, deliver: Deliver): Promise<Delivered> {
  if (isKey(SECRET_HOOKS, name)) {
    await deliver(scene.on[SECRET_HOOKS[name]], secretEvent(name, scene));
    return 'delivered';
  }
  const source = isKey(HOOKS, name) ? scene.on[HOOKS[name]] : scene.on.findCustom(name);
  if (source === undefined) {
    return 'unknown';
  }
  await deliver(source, new HookEvent(name));
  return 'delivered';
}

function secretEvent(name: string, { facts, session }: EventScene): SecretEvent {
  const secret = new Secret(session, {
    id: required(facts.secretId, 'JUJU_SECRET_ID', name),
    ...(facts.secretLabel === undefined ? {} : { label: facts.secretLabel }),
  });
  return new SecretEvent(name, secret, facts.secretRevision);
}

function isKey<T extends object>(map: T, key: string): key is Extract<keyof T, string> {
  return Object.hasOwn(map, key);
}

function required<T>(value: T | undefined, variable: string, event: string): T {
  if (value === undefined) {
    throw new HintError(`cannot dispatch ${event}: ${variable} is not set`, {
      code: 'no-juju-environment',
      hint: 'let Juju run the charm, or set the variable as Juju does',
    });
  }
  return value;
}
