/**
 * The one port through which the SDK speaks to Juju. The process runner implements it with Juju's
 * executables, the test kit in memory; everything above is the same code.
 */
import { HookToolError, hookToolError } from './errors.ts';

export interface HookToolCall {
  /** `relation-get` */
  readonly tool: string;
  /** Never secret content: others on the machine can read them. */
  readonly args: readonly string[];
  readonly stdin?: string;
  /** Deadline of this call, where it differs from the runner's. */
  readonly timeoutMs?: number;
  /** What errors show instead of `args`, where those say too much. */
  readonly shownArgs?: readonly string[];
}

export interface HookToolOutcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one hook tool to its end, synchronously; a non-zero exit code is an outcome, not a throw. */
export interface HookToolRunner {
  run(call: HookToolCall): HookToolOutcome;
}

/**
 * Standard output of a hook tool.
 * @throws HookToolError of the type its message asks for when the exit code is not 0.
 */
export function callTool(tools: HookToolRunner, call: HookToolCall): string {
  const outcome = tools.run(call);
  if (outcome.exitCode !== 0) {
    throw hookToolError(call, outcome);
  }
  return outcome.stdout;
}

/**
 * The value a hook tool prints with `--format=json`; undefined for nothing or null.
 * @throws HookToolError also when the output is not JSON.
 */
export function callJson(tools: HookToolRunner, call: HookToolCall): unknown {
  const stdout = callTool(tools, { ...call, args: ['--format=json', ...call.args] });
  if (stdout.trim() === '') {
    return undefined;
  }
  try {
    const value: unknown = JSON.parse(stdout);
    return value ?? undefined;
  } catch (error) {
    throw new HookToolError({
      tool: call.tool,
      args: call.shownArgs ?? call.args,
      exitCode: 0,
      stderr: '',
      reason: 'its output is not JSON',
      hint: "see that the tool on PATH is Juju's, and look into the log of the unit agent",
      cause: error,
    });
  }
}
