/** All Juju knows that a charm can see, as immutable data. */
import { HintError } from '#system';
import type { OptionValue } from '../meta.ts';
import { isSameSecret } from '../model/secret.ts';
import { type Status, UnknownStatus } from '../model/status.ts';
import type { CloudSpecFields } from './cloud-state.ts';
import { frozenCopy } from './freeze.ts';
import type { NetworkState } from './network-state.ts';
import type { AnyRelationState } from './relation-state.ts';
import type { SecretState } from './secret-state.ts';
import type { StorageState } from './storage-state.ts';
import type { DeferredState, StoredStateState } from './stored-state.ts';

export interface ModelState {
  readonly name: string;
  readonly uuid: string;
  /** What charms are told that are trusted. */
  readonly cloudSpec?: CloudSpecFields;
}

export interface StateFields {
  /** Options that are set; defaults of the metadata need not be named. */
  readonly config?: Readonly<Record<string, OptionValue>>;
  readonly relations?: readonly AnyRelationState[];
  readonly secrets?: readonly SecretState[];
  readonly leader?: boolean;
  readonly plannedUnits?: number;
  readonly unitStatus?: Status;
  readonly appStatus?: Status;
  readonly workloadVersion?: string;
  /** As Juju writes them: `80/tcp`; `80/tcp (a, b)` where opened for some endpoints only. */
  readonly openedPorts?: readonly string[];
  /** Binding → addresses; bindings not named have an address from 192.0.2.0/24. */
  readonly networks?: Readonly<Record<string, NetworkState>>;
  readonly storages?: readonly StorageState[];
  /** Resource name → path. */
  readonly resources?: Readonly<Record<string, string>>;
  readonly model?: Partial<ModelState>;
  /** Events that wait to be given again, in order; `context.deferred()` makes those of Juju. */
  readonly deferred?: readonly DeferredState[];
  readonly storedStates?: readonly StoredStateState[];
  /** What the charm keeps with state-set itself. */
  readonly unitState?: Readonly<Record<string, string>>;
}

/** Never changes: a run returns a new one. */
export class State {
  readonly config: Readonly<Record<string, OptionValue>>;
  readonly relations: readonly AnyRelationState[];
  readonly secrets: readonly SecretState[];
  readonly leader: boolean;
  readonly plannedUnits: number;
  readonly unitStatus: Status;
  readonly appStatus: Status;
  readonly workloadVersion: string;
  readonly openedPorts: readonly string[];
  readonly networks: Readonly<Record<string, NetworkState>>;
  readonly storages: readonly StorageState[];
  readonly resources: Readonly<Record<string, string>>;
  readonly model: ModelState;
  readonly deferred: readonly DeferredState[];
  readonly storedStates: readonly StoredStateState[];
  readonly unitState: Readonly<Record<string, string>>;

  constructor(fields: StateFields = {}) {
    const { model, ...others } = fields;
    const copy = frozenCopy({ ...DEFAULTS, ...others });
    this.config = copy.config;
    this.relations = copy.relations;
    this.secrets = copy.secrets;
    this.leader = copy.leader;
    this.plannedUnits = copy.plannedUnits;
    this.unitStatus = copy.unitStatus;
    this.appStatus = copy.appStatus;
    this.workloadVersion = copy.workloadVersion;
    this.openedPorts = copy.openedPorts;
    this.networks = copy.networks;
    this.storages = copy.storages;
    this.resources = copy.resources;
    this.deferred = copy.deferred;
    this.storedStates = copy.storedStates;
    this.unitState = copy.unitState;
    this.model = frozenCopy({ ...DEFAULTS.model, ...model });
    Object.freeze(this);
  }

  /** A copy with some fields replaced. */
  with(changes: StateFields): State {
    return new State({ ...fieldsOf(this), ...changes });
  }

  /** A copy in which a relation replaces the one with its id. */
  withRelation(replacement: AnyRelationState): State {
    const others = this.relations.filter((candidate) => candidate.id !== replacement.id);
    return this.with({ relations: [...others, replacement] });
  }

  /** The relation with the id (of the relation) given. @throws HintError when there is none. */
  getRelation(which: number | { readonly id: number }): AnyRelationState {
    const id = typeof which === 'number' ? which : which.id;
    const found = this.relations.find((candidate) => candidate.id === id);
    return found ?? missing(`relation ${id}`);
  }

  getRelations(endpoint: string): readonly AnyRelationState[] {
    return this.relations.filter((candidate) => candidate.endpoint === endpoint);
  }

  /** A copy in which a secret replaces the one with its id. */
  withSecret(replacement: SecretState): State {
    const others = this.secrets.filter((known) => !isSameSecret(known.id, replacement.id));
    return this.with({ secrets: [...others, replacement] });
  }

  /** The storage with the id given. @throws HintError when there is none. */
  getStorage(which: string | { readonly id: string }): StorageState {
    const id = typeof which === 'string' ? which : which.id;
    return this.storages.find((known) => known.id === id) ?? missing(`storage ${id}`);
  }

  /** What a stored state of the charm, or of another owner, keeps. @throws HintError when nothing. */
  getStoredState(name: string, ownerPath = 'charm'): StoredStateState {
    const found = this.storedStates.find(
      (known) => known.name === name && known.ownerPath === ownerPath,
    );
    return found ?? missing(`stored state ${ownerPath}/${name}`);
  }

  /** The secret with the label or id given. @throws HintError when there is none. */
  getSecret(which: {
    readonly id?: string | undefined;
    readonly label?: string | undefined;
  }): SecretState {
    const found = this.secrets.find(
      (candidate) =>
        (which.id !== undefined && isSameSecret(candidate.id, which.id)) ||
        (which.label !== undefined && candidate.label === which.label),
    );
    return found ?? missing(`secret ${which.id ?? which.label ?? ''}`);
  }
}

function fieldsOf(given: State): StateFields {
  return Object.fromEntries(Object.entries(given)) as StateFields;
}

const DEFAULTS = {
  config: {} as Readonly<Record<string, OptionValue>>,
  relations: [] as readonly AnyRelationState[],
  secrets: [] as readonly SecretState[],
  leader: false,
  plannedUnits: 1,
  unitStatus: new UnknownStatus() as Status,
  appStatus: new UnknownStatus() as Status,
  workloadVersion: '',
  openedPorts: [] as readonly string[],
  networks: {} as Readonly<Record<string, NetworkState>>,
  storages: [] as readonly StorageState[],
  resources: {} as Readonly<Record<string, string>>,
  deferred: [] as readonly DeferredState[],
  storedStates: [] as readonly StoredStateState[],
  unitState: {} as Readonly<Record<string, string>>,
  model: { name: 'testing', uuid: '5e7d5c9e-4b5b-4c0a-8e0e-2f4c7e0f4a11' } as ModelState,
};

/** A state; what is not given is as in a new unit without relations. */
export function state(fields: StateFields = {}): State {
  return new State(fields);
}

function missing(what: string): never {
  throw new HintError(`there is no ${what} in the state`, { code: 'not-in-state' });
}
