/** Actions, operations and tasks, as the command and the daemon tell each other. */
import type { JsonRecord } from './json.ts';

export interface ActionSpec {
  readonly name: string;
  readonly description?: string;
  /** The complete JSON schema Juju generates. */
  readonly schema: JsonRecord;
}

export interface RunParams {
  /** `app/0` or `app/leader`. */
  readonly targets: readonly string[];
  readonly action: string;
  readonly params: JsonRecord;
}

export interface ExecParams {
  /** `app/0` or `app/leader`. */
  readonly units?: readonly string[];
  readonly applications?: readonly string[];
  readonly machines?: readonly string[];
  /** Every machine. */
  readonly all?: boolean;
  /** Without the machine's lock; true unless told. */
  readonly parallel?: boolean;
  readonly executionGroup?: string;
  /** Given to `/bin/bash -s` on standard input. */
  readonly command: string;
}

export interface EnqueuedOperation {
  /** Absent when nothing could be scheduled… of which an operation number is used all the same. */
  readonly operation: string;
  readonly tasks: readonly EnqueuedTask[];
}

export interface EnqueuedTask {
  /** The unit, resolved from `app/leader`, or the machine; as asked when it could not be. */
  readonly target: string;
  readonly id?: string;
  readonly error?: string;
}

export interface TaskParams {
  readonly id: string;
  /** Wait so long for the task to end, or for more log lines than `seenLogs`; 0 unless told. */
  readonly waitMs?: number;
  /** How many log lines the caller has already; without it only the end of the task is awaited. */
  readonly seenLogs?: number;
}

export type TaskStatus =
  | 'pending'
  | 'running'
  | 'completed'
  | 'failed'
  | 'cancelled'
  | 'aborting'
  | 'aborted'
  | 'error';

export interface TaskInfo {
  readonly id: string;
  readonly operation: string;
  /** Empty for a task on a machine. */
  readonly unit: string;
  readonly machine?: string;
  readonly action: string;
  readonly parameters: JsonRecord;
  readonly status: TaskStatus;
  readonly message?: string;
  /** Nested as set by action-set, with `return-code` (number), `stdout`, `stderr`. */
  readonly results: JsonRecord;
  readonly log: readonly { readonly time: string; readonly message: string }[];
  readonly enqueued: string;
  readonly started?: string;
  readonly completed?: string;
}

export interface OperationParams {
  readonly id: string;
  /** Wait so long for all tasks to end; 0 unless told. */
  readonly waitMs?: number;
}

export interface OperationInfo {
  readonly id: string;
  /** For example `backup run on unit-mysql-0`. */
  readonly summary: string;
  readonly status: TaskStatus;
  readonly action: { readonly name: string; readonly parameters: JsonRecord };
  readonly fail?: string;
  readonly enqueued: string;
  readonly started?: string;
  readonly completed?: string;
  readonly tasks: readonly TaskInfo[];
}
