/** From JUJU_DISPATCH_PATH and its companions to the event a charm can observe. */
import { HintError } from '#system';
import { ActionEvent } from './action-event.ts';
import type { CharmEvents } from './charm-events.ts';
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
}

/** Emits the event; false when the charm knows none of that name. */
export async function emitJujuEvent(event: JujuEvent, scene: EventScene): Promise<boolean> {
  switch (event.kind) {
    case 'action':
      return await emitAction(event.name, scene);
    case 'relation':
      await emitRelation(event, scene);
      return true;
    case 'storage': {
      const id = required(scene.session.context.storageId, 'JUJU_STORAGE_ID', event.name);
      const storage = new Storage(scene.session, id);
      const sources = scene.on.storage(event.storage);
      await sources[event.suffix].emit(new StorageEvent(event.name, storage));
      return true;
    }
    case 'hook':
      return await emitHook(event.name, scene);
    default:
      return event satisfies never;
  }
}

async function emitAction(name: string, scene: EventScene): Promise<boolean> {
  const { context, meta } = scene.session;
  if (!meta.actions.has(name)) {
    return false;
  }
  const id = context.actionId ?? '';
  await scene.on.action(name).emit(new ActionEvent(scene.tools, name, id));
  return true;
}

async function emitRelation(
  event: Extract<JujuEvent, { kind: 'relation' }>,
  scene: EventScene,
): Promise<void> {
  const { context } = scene.session;
  const id = required(context.relationId, 'JUJU_RELATION_ID', event.name);
  const relation = scene.model.relationById(id);
  if (relation === undefined || relation.endpoint !== event.endpoint) {
    throw new HintError(`cannot dispatch ${event.name}: relation ${id} is not of its endpoint`, {
      code: 'no-juju-environment',
      hint: 'set JUJU_RELATION and JUJU_RELATION_ID as Juju does',
    });
  }
  const unitNamed = (name: string | undefined) =>
    name === undefined ? undefined : scene.model.getUnit(name);
  const fields = { relation, app: relation.app, unit: unitNamed(context.remoteUnit) };
  const sources = scene.on.relation(event.endpoint);
  if (event.suffix === 'departed') {
    const departingUnit = unitNamed(context.departingUnit);
    await sources.departed.emit(
      new RelationDepartedEvent(event.name, { ...fields, departingUnit }),
    );
  } else {
    await sources[event.suffix].emit(new RelationEvent(event.name, fields));
  }
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

async function emitHook(name: string, scene: EventScene): Promise<boolean> {
  if (isKey(SECRET_HOOKS, name)) {
    await scene.on[SECRET_HOOKS[name]].emit(secretEvent(name, scene.session));
    return true;
  }
  const source = isKey(HOOKS, name) ? scene.on[HOOKS[name]] : scene.on.findCustom(name);
  await source?.emit(new HookEvent(name));
  return source !== undefined;
}

function secretEvent(name: string, session: Session): SecretEvent {
  const { context } = session;
  const secret = new Secret(session, {
    id: required(context.secretId, 'JUJU_SECRET_ID', name),
    ...(context.secretLabel === undefined ? {} : { label: context.secretLabel }),
  });
  return new SecretEvent(name, secret, context.secretRevision);
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
