/** One call of a hook tool or of juju-exec, and its answer. */

export interface ToolCallMessage {
  readonly command: string;
  readonly contextId: string;
  readonly cwd: string;
  /** JUJU_UNIT_NAME of the caller; for juju-exec. */
  readonly unit: string;
  readonly args: readonly string[];
}

export interface BinaryResult {
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}
