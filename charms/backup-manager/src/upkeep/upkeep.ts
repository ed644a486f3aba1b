/**
 * Upkeep: long work on the bucket, done by a process of its own beside the charm: verification of whole backups,
 * retention, sweeps. The words the charm and that process share.
 */
import type { StorageConfig } from '#database-backup';
import type { ProcessIdentity } from '#system';
import type { RetentionTarget } from '../retention-targets.ts';

export type UpkeepKind = 'verify' | 'retention' | 'sweep';

export type UpkeepTask =
  | { readonly kind: 'verify'; readonly subject: string; readonly artefactPath: string }
  | {
      readonly kind: 'retention';
      readonly subject: string;
      readonly rules: string;
      readonly targets: readonly RetentionTarget[];
      /** Whether to sweep afterwards. */
      readonly sweeps: boolean;
    }
  | {
      readonly kind: 'sweep';
      readonly subject: string;
      /** Application prefixes. */
      readonly prefixes: readonly string[];
      readonly isDryRun: boolean;
      /** Retention; what it says about failed backups counts here. */
      readonly rules?: string | undefined;
    };

/** What upkeep works with. Holds secrets. */
export interface UpkeepAccess {
  readonly config: StorageConfig;
  /** What opens encrypted backups. */
  readonly passphrases: readonly string[] | undefined;
}

/** A backup found sound, and when; ISO 8601. */
export interface Proof {
  readonly artefactPath: string;
  readonly verifiedAt: string;
}

/** What is known of one piece of upkeep. Holds no secret. */
export interface UpkeepRecord {
  readonly id: string;
  readonly kind: UpkeepKind;
  /** What it is about, for people: an artefact path, or names of databases. */
  readonly subject: string;
  readonly state: 'running' | 'success' | 'error';
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly finishedAt?: string | undefined;
  readonly bytes?: number | undefined;
  readonly totalBytes?: number | undefined;
  readonly message?: string | undefined;
  readonly errorCode?: string | undefined;
  readonly hint?: string | undefined;
  /** What turned out to be verified. */
  readonly proofs?: readonly Proof[] | undefined;
  readonly process?: ProcessIdentity | undefined;
}

/** What the process is told on standard input. Holds secrets. */
export interface UpkeepOrder {
  readonly id: string;
  readonly task: UpkeepTask;
  readonly storageConfig: StorageConfig;
  readonly passphrases?: readonly string[] | undefined;
  /** Where the rate is told. */
  readonly ratesPath: string;
  /** Where records are kept. */
  readonly directory: string;
  readonly unitName: string;
  readonly charmDir: string;
  /** The event to fire at the end. */
  readonly eventName: string;
}

/** What the charm wants from upkeep; replaced in tests. */
export interface UpkeepPort {
  /** @throws HintError `cannot-start`, or `busy` where as much as may be runs already */
  start(task: UpkeepTask, access: UpkeepAccess, now: Date): Promise<UpkeepRecord>;
  /** Newest first; those whose process is gone have ended. */
  records(now: Date): Promise<readonly UpkeepRecord[]>;
  /** How fast each may go from now on, in bytes per second; undefined for no limit. Also those that run. */
  limit(rate: number | undefined): Promise<void>;
  /** Asks it to end; it does within seconds. */
  cancel(record: UpkeepRecord): void;
  /** Forgets what has ended. @returns how many */
  forget(): Promise<number>;
  /** Ends everything and removes all traces: the unit is going. */
  remove(): Promise<void>;
}

/** For databags of other versions and other units. Never throws. */
export function parseRecords(text: string | undefined): readonly UpkeepRecord[] {
  try {
    const value: unknown = JSON.parse(text ?? '[]');
    return Array.isArray(value) ? value.filter(isRecord) : [];
  } catch {
    return [];
  }
}

const KINDS: readonly unknown[] = ['verify', 'retention', 'sweep'];
const STATES: readonly unknown[] = ['running', 'success', 'error'];

export function isRecord(value: unknown): value is UpkeepRecord {
  const { id, kind, subject, state, startedAt } = (
    typeof value === 'object' && value !== null ? value : {}
  ) as Record<string, unknown>;
  return (
    typeof id === 'string' &&
    typeof subject === 'string' &&
    typeof startedAt === 'string' &&
    KINDS.includes(kind) &&
    STATES.includes(state)
  );
}
