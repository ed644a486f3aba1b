/** Storage, as the command and the daemon tell each other. */
import type { StatusInfo } from './api-status.ts';

/** What was asked for; the model's defaults fill in the rest. */
export interface StorageDirective {
  readonly pool?: string;
  readonly count: number;
  /** MiB. */
  readonly size?: number;
}

export interface AddStorageParams {
  readonly unit: string;
  readonly directives: Readonly<Record<string, StorageDirective>>;
}

export interface AddStorageResult {
  readonly name: string;
  /** Ids of what was added. */
  readonly storage: readonly string[];
  readonly error?: string;
}

export interface AttachStorageParams {
  readonly unit: string;
  readonly storage: readonly string[];
}

export interface DetachStorageParams {
  readonly storage: readonly string[];
  readonly force?: boolean;
}

export interface RemoveStorageParams {
  readonly storage: readonly string[];
  /** Also where it is attached: it is detached first. */
  readonly force?: boolean;
  /** Keep what is stored and only forget it (`--no-destroy`); refused. */
  readonly release?: boolean;
}

export interface StorageResult {
  readonly storage: string;
  readonly error?: string;
  /** The error is that the storage is attached. */
  readonly attached?: boolean;
}

export interface StorageInfo {
  readonly id: string;
  readonly kind: 'filesystem';
  readonly pool: string;
  /** MiB. */
  readonly size: number;
  readonly life: string;
  readonly status: StatusInfo;
  /** Juju's number of the file system: `0/3` on a machine, `3` for itself. */
  readonly filesystem: string;
  readonly attachment?: StorageAttachmentInfo;
}

export interface StorageAttachmentInfo {
  readonly unit: string;
  readonly machine: string;
  /** Absolute path. */
  readonly location: string;
  readonly life: string;
  readonly readOnly: boolean;
}

export interface StoragePool {
  readonly name: string;
  readonly provider: string;
}
