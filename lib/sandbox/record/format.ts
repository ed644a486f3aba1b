/** The lines of a record of a run, see README.md. No behaviour. */

export const RECORD_FORMAT = 'juju-sandbox-record';
export const RECORD_VERSION = 1;

/** The first line. */
export interface RecordHeader {
  readonly format: typeof RECORD_FORMAT;
  readonly version: number;
  readonly started: string;
  readonly juju: string;
  readonly model: string;
}

/** Milliseconds since the start of the record. */
interface Timed {
  readonly at: number;
}

/** A call of the `juju` command that may change something. */
export interface RecordedCommand extends Timed {
  readonly type: 'command';
  readonly call: string;
  readonly params: unknown;
}

/** The start of a process of a charm. */
export interface RecordedDispatch extends Timed {
  readonly type: 'dispatch';
  /** Counts up from 1. */
  readonly dispatch: number;
  readonly unit: string;
  /** The charm's name and revision: `db-0`. */
  readonly charm: string;
  /** Hook or action name, or `run-commands`. */
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
  readonly stdin?: string;
  readonly env: Readonly<Record<string, string>>;
}

/** A call of a hook tool with its answer. */
export interface RecordedTool extends Timed {
  readonly type: 'tool';
  readonly dispatch: number;
  readonly command: string;
  readonly args: readonly string[];
  readonly stdin?: string;
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly ms: number;
}

/** The end of the process: `exitCode`, or `signal`, or why it could not be started. */
export interface RecordedEnd extends Timed {
  readonly type: 'end';
  readonly dispatch: number;
  readonly exitCode?: number;
  readonly signal?: string;
  readonly failure?: string;
  readonly ms: number;
}

/** Whether what the dispatch wrote became part of the model. */
export interface RecordedCommit extends Timed {
  readonly type: 'commit';
  readonly dispatch: number;
  readonly committed: boolean;
  readonly reason?: string;
}

/** The daemon was killed and started again. */
export interface RecordedResume extends Timed {
  readonly type: 'resume';
}

export type RecordLine =
  | RecordedCommand
  | RecordedDispatch
  | RecordedTool
  | RecordedEnd
  | RecordedCommit
  | RecordedResume;
