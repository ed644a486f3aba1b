/** What a charm says of itself, parsed and validated; how it is read is `charm-archive/`. */
import type { JsonRecord, JsonValue } from '../json.ts';
import type { Assumption } from './assumes.ts';

export type OptionType = 'string' | 'int' | 'float' | 'boolean' | 'secret';

export interface ConfigOption {
  readonly type: OptionType;
  readonly description?: string;
  readonly default?: JsonValue;
}

export interface EndpointMetadata {
  readonly name: string;
  readonly role: 'provider' | 'requirer' | 'peer';
  readonly interface: string;
  readonly scope: 'global' | 'container';
  readonly limit?: number;
}

export interface ActionMetadata {
  readonly name: string;
  readonly description?: string;
  /** Runs without the machine's lock. */
  readonly parallel?: boolean;
  readonly executionGroup?: string;
  /** As Juju generates it: title, type, description, properties, required, … */
  readonly schema: JsonRecord;
}

/** A store the charm asks for. */
export interface StorageMetadata {
  readonly name: string;
  readonly type: 'filesystem' | 'block';
  readonly description?: string;
  readonly shared: boolean;
  readonly readOnly: boolean;
  readonly countMin: number;
  /** -1: as many as one likes. */
  readonly countMax: number;
  /** MiB; 0 for none. */
  readonly minimumSize: number;
  /** Where the charm wants it mounted; empty for anywhere. */
  readonly location: string;
}

export interface ResourceMetadata {
  readonly name: string;
  readonly type: 'file' | 'oci-image';
  /** The file's name on the unit. */
  readonly path: string;
  readonly description?: string;
}

export interface CharmMetadata {
  readonly name: string;
  readonly summary: string;
  readonly description?: string;
  readonly subordinate: boolean;
  /** By name. */
  readonly endpoints: Readonly<Record<string, EndpointMetadata>>;
  readonly extraBindings: readonly string[];
  readonly options: Readonly<Record<string, ConfigOption>>;
  readonly actions: Readonly<Record<string, ActionMetadata>>;
  readonly resources: Readonly<Record<string, ResourceMetadata>>;
  readonly storage: Readonly<Record<string, StorageMetadata>>;
  /** What the charm needs of Juju. */
  readonly assumes: readonly Assumption[];
  /** Of the first base of the manifest. */
  readonly base?: { readonly name: string; readonly channel: string };
  /** All bases of the manifest; absent: any. */
  readonly bases?: readonly { readonly name: string; readonly channel: string }[];
  /** Content of the file `version`. */
  readonly version?: string;
}
