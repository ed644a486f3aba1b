/** `charm.on`: the events Juju fires, and those fired from the charm's background processes. */
import { HintError } from '#system';
import type { ActionEvent } from './action-event.ts';
import type { ActionName, CharmTypes, EndpointName, StorageName } from './charm-types.ts';
import { EventSource } from './event-source.ts';
import type {
  CollectStatusEvent,
  HookEvent,
  RelationDepartedEvent,
  RelationEvent,
  SecretEvent,
  StorageEvent,
} from './events.ts';
import type { CharmObject } from './framework.ts';
import type { CharmMeta } from './meta.ts';
import { UndeclaredNameError } from './model/errors.ts';

/** Events of the relations of one endpoint. */
export interface RelationEvents {
  readonly created: EventSource<RelationEvent>;
  readonly joined: EventSource<RelationEvent>;
  readonly changed: EventSource<RelationEvent>;
  readonly departed: EventSource<RelationDepartedEvent>;
  readonly broken: EventSource<RelationEvent>;
}

export interface StorageEvents {
  readonly attached: EventSource<StorageEvent>;
  readonly detaching: EventSource<StorageEvent>;
}

export class CharmEvents<out T extends CharmTypes = CharmTypes> {
  readonly install: EventSource<HookEvent>;
  readonly start: EventSource<HookEvent>;
  readonly stop: EventSource<HookEvent>;
  readonly remove: EventSource<HookEvent>;
  readonly configChanged: EventSource<HookEvent>;
  readonly updateStatus: EventSource<HookEvent>;
  readonly upgradeCharm: EventSource<HookEvent>;
  readonly leaderElected: EventSource<HookEvent>;
  readonly leaderSettingsChanged: EventSource<HookEvent>;
  /** A secret this unit has read has a new revision. */
  readonly secretChanged: EventSource<SecretEvent>;
  /** An own secret is due for rotation. */
  readonly secretRotate: EventSource<SecretEvent>;
  /** A revision of an own secret expired. */
  readonly secretExpired: EventSource<SecretEvent>;
  /** A revision of an own secret is used by nobody any more. */
  readonly secretRemove: EventSource<SecretEvent>;
  /** After each event: say how the unit is. */
  readonly collectUnitStatus: EventSource<CollectStatusEvent>;
  /** After each event, on the leader: say how the application is. */
  readonly collectAppStatus: EventSource<CollectStatusEvent>;
  readonly #owner: CharmObject;
  readonly #meta: CharmMeta;
  readonly #relations = new Map<string, RelationEvents>();
  readonly #storages = new Map<string, StorageEvents>();
  readonly #actions = new Map<string, EventSource<ActionEvent>>();
  readonly #customs = new Map<string, EventSource<HookEvent>>();

  constructor(owner: CharmObject) {
    this.#owner = owner;
    this.#meta = owner.framework.meta;
    this.install = new EventSource(owner, 'install');
    this.start = new EventSource(owner, 'start');
    this.stop = new EventSource(owner, 'stop');
    this.remove = new EventSource(owner, 'remove');
    this.configChanged = new EventSource(owner, 'config-changed');
    this.updateStatus = new EventSource(owner, 'update-status');
    this.upgradeCharm = new EventSource(owner, 'upgrade-charm');
    this.leaderElected = new EventSource(owner, 'leader-elected');
    this.leaderSettingsChanged = new EventSource(owner, 'leader-settings-changed');
    this.secretChanged = new EventSource(owner, 'secret-changed');
    this.secretRotate = new EventSource(owner, 'secret-rotate');
    this.secretExpired = new EventSource(owner, 'secret-expired');
    this.secretRemove = new EventSource(owner, 'secret-remove');
    this.collectUnitStatus = new EventSource(owner, 'collect-unit-status');
    this.collectAppStatus = new EventSource(owner, 'collect-app-status');
  }

  /** Events of an endpoint. @throws UndeclaredNameError */
  relation(endpoint: EndpointName<T>): RelationEvents {
    requireDeclared('endpoint', endpoint, this.#meta.endpoints);
    return getOrMake(this.#relations, endpoint, () => ({
      created: new EventSource<RelationEvent>(this.#owner, `${endpoint}-relation-created`),
      joined: new EventSource<RelationEvent>(this.#owner, `${endpoint}-relation-joined`),
      changed: new EventSource<RelationEvent>(this.#owner, `${endpoint}-relation-changed`),
      departed: new EventSource<RelationDepartedEvent>(
        this.#owner,
        `${endpoint}-relation-departed`,
      ),
      broken: new EventSource<RelationEvent>(this.#owner, `${endpoint}-relation-broken`),
    }));
  }

  /** Events of a storage. @throws UndeclaredNameError */
  storage(name: StorageName<T>): StorageEvents {
    requireDeclared('storage', name, this.#meta.storages);
    return getOrMake(this.#storages, name, () => ({
      attached: new EventSource<StorageEvent>(this.#owner, `${name}-storage-attached`),
      detaching: new EventSource<StorageEvent>(this.#owner, `${name}-storage-detaching`),
    }));
  }

  /** An action. @throws UndeclaredNameError */
  action<Name extends ActionName<T>>(name: Name): EventSource<ActionEvent<T['actions'][Name]>>;
  action(name: string): EventSource<ActionEvent> {
    requireDeclared('action', name, this.#meta.actions);
    return getOrMake(this.#actions, name, () => new EventSource(this.#owner, `${name}-action`));
  }

  /** An event of the charm's own, fired with fireCustomEvent() from a background process. */
  custom(name: string): EventSource<HookEvent> {
    if (!isCustomEventName(name, this.#meta)) {
      throw new HintError(`cannot use "${name}" as the name of a custom event`, {
        code: 'invalid-event-name',
        hint: "use lower-case letters, digits and dashes, and none of Juju's own event names",
      });
    }
    return getOrMake(this.#customs, name, () => new EventSource(this.#owner, name));
  }

  /** The custom event of a name, if the charm uses it. */
  findCustom(name: string): EventSource<HookEvent> | undefined {
    return this.#customs.get(name);
  }
}

const JUJU_EVENTS: readonly string[] = [
  'install',
  'start',
  'stop',
  'remove',
  'config-changed',
  'update-status',
  'upgrade-charm',
  'leader-elected',
  'leader-deposed',
  'leader-settings-changed',
  'secret-changed',
  'secret-rotate',
  'secret-expired',
  'secret-remove',
  'collect-unit-status',
  'collect-app-status',
  'collect-metrics',
  'meter-status-changed',
  'pre-series-upgrade',
  'post-series-upgrade',
];

// Also those of endpoints and containers the charm does not declare: they may come to be.
const JUJU_PATTERN =
  /-relation-(created|joined|changed|departed|broken)$|-storage-(attached|detaching)$|-pebble-/;

function isCustomEventName(name: string, meta: CharmMeta): boolean {
  return (
    /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name) &&
    !JUJU_EVENTS.includes(name) &&
    !JUJU_PATTERN.test(name) &&
    ![...meta.actions.keys()].some((action) => `${action}-action` === name)
  );
}

function requireDeclared(kind: string, name: string, known: ReadonlyMap<string, unknown>): void {
  if (!known.has(name)) {
    throw new UndeclaredNameError(kind, name, known.keys());
  }
}

function getOrMake<T>(map: Map<string, T>, name: string, make: () => T): T {
  const value = map.get(name) ?? make();
  map.set(name, value);
  return value;
}
