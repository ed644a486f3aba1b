/**
 * What a charm's metadata declare, as types. `ops-types` writes them from charmcraft.yaml; they are gone
 * when the charm runs.
 */
import type { ActionResults } from './action-results.ts';
import type { OptionType, OptionValue } from './meta.ts';

/**
 * The shape of the types ops-types writes, and the types of a charm that has none written: any name
 * will do then, and names that are not declared throw when they are used.
 */
export interface CharmTypes {
  /** What reading each option gives: never undefined where there is a default. */
  readonly config: Readonly<Record<string, OptionValue | undefined>>;
  /** Names of the options of each type. */
  readonly optionNames: Readonly<Record<OptionType, string>>;
  readonly actions: Readonly<Record<string, ActionTypes>>;
  readonly endpoints: Readonly<Record<string, EndpointTypes>>;
  readonly storages: Readonly<Record<string, StorageTypes>>;
  readonly resources: Readonly<Record<string, ResourceTypes>>;
  readonly extraBindings: Readonly<Record<string, object>>;
}

/** No names at all: what a charm without storages declares of storages. */
// oxlint-disable-next-line typescript/no-generated-empty-object-type -- so that every name is an error
export type Nothing = Record<never, never>;

/** One action. */
export interface ActionTypes {
  /** With the defaults Juju fills in. */
  readonly params: ActionParams;
  readonly results: ActionResults;
}

/** Params of an action by name. */
export type ActionParams = Readonly<Record<string, unknown>>;

/** One endpoint. */
export interface EndpointTypes {
  readonly role: 'provides' | 'requires' | 'peers';
  readonly interface: string;
  readonly scope: 'global' | 'container';
  readonly limit: number | undefined;
}

/** One storage. */
export interface StorageTypes {
  readonly type: string;
  /** Whether there can be several. */
  readonly multiple: boolean;
}

/** One resource. */
export interface ResourceTypes {
  readonly type: string;
}

/** Names of the options of a charm. */
export type OptionName<T extends CharmTypes> = keyof T['config'] & string;

/** Names of the options read as text. */
export type TextOption<T extends CharmTypes> =
  | T['optionNames']['string']
  | T['optionNames']['secret'];

/** Names of the options read as numbers. */
export type NumberOption<T extends CharmTypes> =
  | T['optionNames']['int']
  | T['optionNames']['float'];

/** What reading an option gives, as far as it can be a `Kind`: `string` of a string option. */
export type OptionValueOf<T extends CharmTypes, Name, Kind = OptionValue> = Extract<
  T['config'][Name & OptionName<T>],
  Kind | undefined
>;

/** Names of the actions of a charm. */
export type ActionName<T extends CharmTypes> = keyof T['actions'] & string;

/** Names of the endpoints of a charm. */
export type EndpointName<T extends CharmTypes> = keyof T['endpoints'] & string;

/**
 * Names of the endpoints of a charm that are declared so, for libraries:
 * `EndpointOf<T, { role: 'requires'; interface: 's3' }>`. Of a charm without types, any name.
 */
export type EndpointOf<T extends CharmTypes, Declared extends Partial<EndpointTypes>> = {
  [Name in EndpointName<T>]: [T['endpoints'][Name] & Declared] extends [never] ? never : Name;
}[EndpointName<T>];

/** Names of the storages of a charm. */
export type StorageName<T extends CharmTypes> = keyof T['storages'] & string;

/** Names of the resources of a charm. */
export type ResourceName<T extends CharmTypes> = keyof T['resources'] & string;

/** What has a network: every endpoint, the names of `extra-bindings`, and the machine itself. */
export type BindingName<T extends CharmTypes> =
  | EndpointName<T>
  | (keyof T['extraBindings'] & string)
  | 'juju-info';
