/** New charms and resources of applications, as the command and the daemon tell each other. */
import type { StorageDirective } from './api-storage.ts';
import type { JsonRecord } from './json.ts';

export interface AttachResourceParams {
  readonly application: string;
  readonly name: string;
  /** Absolute path of the file. */
  readonly path: string;
}

export interface ResourceInfo {
  readonly name: string;
  readonly type: string;
  /** The file's name on units. */
  readonly path: string;
  readonly description?: string;
  /** Absent: nothing was uploaded yet. */
  readonly upload?: ResourceUpload;
}

export interface ResourceUpload {
  /** Counts from 1. */
  readonly revision: number;
  readonly size: number;
  /** SHA-384, hexadecimal. */
  readonly fingerprint: string;
  readonly uploaded: string;
}

export interface ApplicationResources {
  readonly resources: readonly ResourceInfo[];
  /** Revisions that units have a copy of, by unit and resource. */
  readonly units: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

export interface RefreshParams {
  readonly application: string;
  /** Absolute path of a charm directory or of a `.charm` file. */
  readonly path: string;
  /** The charm may have another name (`--switch`). */
  readonly anyName?: boolean;
  readonly config?: JsonRecord;
  readonly storage?: Readonly<Record<string, StorageDirective>>;
  /** Absolute paths by the names of resources. */
  readonly resources?: Readonly<Record<string, string>>;
  readonly trust?: boolean;
  /** Also units with a failed hook take the new files at once. */
  readonly forceUnits?: boolean;
  readonly forceBase?: boolean;
  /** Ignore limits of relations. */
  readonly force?: boolean;
}

export interface RefreshResult {
  readonly charm: string;
  readonly revision: number;
}
