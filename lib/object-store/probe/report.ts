/** What a probe of an S3 bucket found, as data and as text for an administrator. */
import type { ObjectStoreErrorCode } from '../errors.ts';

/** The requests that are tried, in this order. */
export type ProbeName =
  | 'list'
  | 'write'
  | 'listed-at-once'
  | 'read'
  | 'range'
  | 'conditional-write'
  | 'checksum'
  | 'payload-check'
  | 'multipart'
  | 'list-uploads'
  | 'batch-delete'
  | 'delete'
  | 'clock';

export interface ProbeFinding {
  readonly name: ProbeName;
  /**
   * `ok`; `limited`: works in another way, or is not needed; `failed`: backups or restores would fail; `skipped`:
   * not tried because something before it failed.
   */
  readonly outcome: 'ok' | 'limited' | 'failed' | 'skipped';
  /** What was seen, and what it means here. Holds no secret. */
  readonly detail?: string;
  /** The next thing to do. */
  readonly hint?: string;
  /** The permission it needs, in the words of AWS. */
  readonly permission?: string;
  readonly code?: ObjectStoreErrorCode;
  /** How long it took, in milliseconds. */
  readonly ms: number;
}

/** How the bucket has to be spoken to. */
export interface StorageProfile {
  /** May differ from what was asked for, where only that works. */
  readonly uriStyle: 'path' | 'host';
  /** May differ from what was asked for, where the server named another one. */
  readonly region: string;
  /** Whether the server itself refuses to overwrite; otherwise the store asks first. */
  readonly conditionalWrites: boolean;
  /** Whether many objects can be deleted with one request; otherwise one by one. */
  readonly batchDelete: boolean;
  readonly multipart: boolean;
  /** Whether the server compares what arrives with the SHA-256 that was signed. */
  readonly checksPayload: boolean;
}

export interface StorageReport {
  /** Whether backups could be written, listed, read back and deleted. */
  readonly usable: boolean;
  readonly findings: readonly ProbeFinding[];
  readonly profile: StorageProfile;
  /** Clock of the server minus that of this machine, in milliseconds; undefined when it did not tell. */
  readonly clockSkewMs: number | undefined;
  readonly elapsedMs: number;
}

/** The first thing that keeps backups from working; undefined where nothing does. */
export function firstFailure(report: StorageReport): ProbeFinding | undefined {
  return report.findings.find(({ outcome }) => outcome === 'failed');
}
