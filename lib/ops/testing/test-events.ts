/** `context.on`: the events a test can run, as the environment Juju would give. */
import type { ActionName, CharmTypes } from '../charm-types.ts';
import { frozenCopy } from './freeze.ts';
import { type AnyRelationState, remoteUnitsOf } from './relation-state.ts';
import type { SecretState } from './secret-state.ts';
import { type StorageState, storageName } from './storage-state.ts';
import type { GivenParams } from './typed-fields.ts';

/** One event, and the objects of the state it is about. */
export interface TestEvent {
  /** `hooks/config-changed` */
  readonly path: string;
  /** Variables Juju adds for this event; those of relations are told by `relation`. */
  readonly environment: Readonly<Record<string, string>>;
  readonly relation?: AnyRelationState;
  readonly relationKind?: RelationKind;
  readonly remoteUnit?: number;
  readonly departingUnit?: string;
  readonly secret?: SecretState;
  readonly secretRevision?: number;
  readonly storage?: StorageState;
  readonly action?: {
    readonly name: string;
    readonly params: Readonly<Record<string, unknown>>;
  };
}

type RelationKind = 'created' | 'joined' | 'changed' | 'departed' | 'broken';

export interface RemoteUnitOption {
  /** Number of the remote unit; the lowest unless told; null for a change of the application's data. */
  readonly remoteUnit?: number | null;
}

export class TestEvents<T extends CharmTypes = CharmTypes> {
  install(): TestEvent {
    return hook('install');
  }

  start(): TestEvent {
    return hook('start');
  }

  stop(): TestEvent {
    return hook('stop');
  }

  remove(): TestEvent {
    return hook('remove');
  }

  configChanged(): TestEvent {
    return hook('config-changed');
  }

  updateStatus(): TestEvent {
    return hook('update-status');
  }

  upgradeCharm(): TestEvent {
    return hook('upgrade-charm');
  }

  leaderElected(): TestEvent {
    return hook('leader-elected');
  }

  leaderSettingsChanged(): TestEvent {
    return hook('leader-settings-changed');
  }

  relationCreated(relation: AnyRelationState): TestEvent {
    return relationHook(relation, 'created', undefined);
  }

  relationJoined(relation: AnyRelationState, options: RemoteUnitOption = {}): TestEvent {
    return relationHook(relation, 'joined', remoteUnit(relation, options));
  }

  relationChanged(relation: AnyRelationState, options: RemoteUnitOption = {}): TestEvent {
    return relationHook(relation, 'changed', remoteUnit(relation, options));
  }

  /** Without `departingUnit` (a unit name) it is the remote unit that goes. */
  relationDeparted(
    relation: AnyRelationState,
    options: RemoteUnitOption & { readonly departingUnit?: string } = {},
  ): TestEvent {
    const event = relationHook(relation, 'departed', remoteUnit(relation, options));
    const { departingUnit } = options;
    return departingUnit === undefined ? event : frozenCopy({ ...event, departingUnit });
  }

  relationBroken(relation: AnyRelationState): TestEvent {
    return relationHook(relation, 'broken', undefined);
  }

  secretChanged(secret: SecretState): TestEvent {
    return secretHook('secret-changed', secret);
  }

  secretRotate(secret: SecretState): TestEvent {
    return secretHook('secret-rotate', secret);
  }

  secretExpired(secret: SecretState, options: { readonly revision: number }): TestEvent {
    return secretHook('secret-expired', secret, options.revision);
  }

  secretRemove(secret: SecretState, options: { readonly revision: number }): TestEvent {
    return secretHook('secret-remove', secret, options.revision);
  }

  storageAttached(storage: StorageState): TestEvent {
    return storageHook(storage, 'attached');
  }

  storageDetaching(storage: StorageState): TestEvent {
    return storageHook(storage, 'detaching');
  }

  action<Name extends ActionName<T>>(
    name: Name,
    params?: GivenParams<T['actions'][Name]['params']>,
    options?: { readonly id?: string },
  ): TestEvent;
  action(
    name: string,
    params: Readonly<Record<string, unknown>> = {},
    options: { readonly id?: string } = {},
  ): TestEvent {
    const { id = '1' } = options;
    return frozenCopy({
      path: `actions/${name}`,
      environment: {
        JUJU_ACTION_NAME: name,
        JUJU_ACTION_UUID: id,
        JUJU_ACTION_TAG: `action-${id}`,
      },
      action: { name, params },
    });
  }

  /** An event the charm fires itself, or any Juju may add one day. */
  custom(name: string): TestEvent {
    return hook(name);
  }
}

/** Variables Juju sets for a relation event. */
export function relationEnvironment(event: TestEvent, ownApp: string): Record<string, string> {
  const { relation, relationKind, remoteUnit: number } = event;
  if (relation === undefined) {
    return {};
  }
  const app = relation.kind === 'peer' ? ownApp : relation.remoteApp;
  const unit = number === undefined ? '' : `${app}/${number}`;
  return {
    JUJU_RELATION: relation.endpoint,
    JUJU_RELATION_ID: `${relation.endpoint}:${relation.id}`,
    JUJU_REMOTE_APP: app,
    JUJU_REMOTE_UNIT: unit,
    ...(relationKind === 'departed' ? { JUJU_DEPARTING_UNIT: event.departingUnit ?? unit } : {}),
  };
}

function relationHook(
  relation: AnyRelationState,
  kind: RelationKind,
  unit: number | undefined,
): TestEvent {
  return frozenCopy({
    ...hook(`${relation.endpoint}-relation-${kind}`),
    relation,
    relationKind: kind,
    ...(unit === undefined ? {} : { remoteUnit: unit }),
  });
}

function remoteUnit(relation: AnyRelationState, options: RemoteUnitOption): number | undefined {
  if (options.remoteUnit !== undefined) {
    return options.remoteUnit ?? undefined;
  }
  const first = Object.keys(remoteUnitsOf(relation))[0];
  return first === undefined ? undefined : Number(first);
}

function hook(name: string): TestEvent {
  return frozenCopy({ path: `hooks/${name}`, environment: { JUJU_HOOK_NAME: name } });
}

function secretHook(name: string, secret: SecretState, revision?: number): TestEvent {
  return frozenCopy({
    path: `hooks/${name}`,
    environment: {
      JUJU_SECRET_ID: secret.id,
      JUJU_SECRET_LABEL: secret.label ?? '',
      ...(revision === undefined ? {} : { JUJU_SECRET_REVISION: String(revision) }),
    },
    secret,
    ...(revision === undefined ? {} : { secretRevision: revision }),
  });
}

function storageHook(storage: StorageState, suffix: 'attached' | 'detaching'): TestEvent {
  return frozenCopy({
    path: `hooks/${storageName(storage.id)}-storage-${suffix}`,
    environment: {
      JUJU_STORAGE_ID: storage.id,
      JUJU_STORAGE_LOCATION: storage.location,
      JUJU_STORAGE_KIND: storage.kind,
    },
    storage,
  });
}
