/** A bundle that has been understood: no behaviour. */
import type { JsonRecord } from '../../api.ts';
import type { StorageDirective } from '../../api-storage.ts';

export interface Bundle {
  readonly applications: Readonly<Record<string, BundleApplication>>;
  readonly machines: Readonly<Record<string, BundleMachine>>;
  /** `application` or `application:endpoint`, twice. */
  readonly relations: readonly (readonly [string, string])[];
}

export interface BundleApplication {
  /** The absolute path of a charm. */
  readonly charm: string;
  /** As typed; the bundle's own where the application has none. */
  readonly base?: string;
  readonly units: number;
  readonly to: readonly string[];
  readonly options: JsonRecord;
  readonly expose: boolean;
  readonly trust: boolean;
  readonly constraints: JsonRecord;
  readonly storage: Readonly<Record<string, StorageDirective>>;
  /** Absolute paths by the names of resources. */
  readonly resources: Readonly<Record<string, string>>;
}

export interface BundleMachine {
  readonly base?: string;
}
