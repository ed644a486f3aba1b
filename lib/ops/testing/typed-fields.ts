/** What a test gives to a charm with types: the names its metadata declare, and values of their types. */
import type { BindingName, CharmTypes, ResourceName } from '../charm-types.ts';
import type { NetworkState } from './network-state.ts';
import type { StateFields } from './state.ts';

/** Params as they are given to an action: those with a default may be left out. */
export type GivenParams<P> = P extends readonly unknown[]
  ? P
  : P extends object
    ? { readonly [Name in keyof P]?: GivenParams<P[Name]> }
    : P;

/** StateFields with the option, binding and resource names of a charm. */
export type TypedStateFields<T extends CharmTypes> = Omit<
  StateFields,
  'config' | 'networks' | 'resources'
> & {
  readonly config?: {
    readonly [Name in keyof T['config']]?: Exclude<T['config'][Name], undefined>;
  };
  readonly networks?: { readonly [Name in BindingName<T>]?: NetworkState };
  readonly resources?: { readonly [Name in ResourceName<T>]?: string };
};
