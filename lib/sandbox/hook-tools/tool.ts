/** What a hook tool is. */
import type { HookContext } from '../agent/hook-context.ts';
import type { FlagSpec, ParsedFlags } from './flags.ts';

/** One call of a tool as it arrived from the charm. */
export interface ToolCall {
  readonly context: HookContext;
  readonly flags: ParsedFlags;
  readonly args: readonly string[];
  /** Where the tool was called, for file arguments. */
  readonly cwd: string;
  /** Standard input. @throws NeedStdin on the first attempt, when it has not been sent yet. */
  readonly stdin: () => string;
}

export interface ToolOutput {
  readonly stdout?: string;
  readonly stderr?: string;
}

export interface Tool {
  readonly name: string;
  readonly summary: string;
  readonly usage: string;
  readonly flags: Readonly<Record<string, FlagSpec>>;
  /** Does the work. @throws ToolError; other expected failures are answered with exit code 1. */
  readonly run: (call: ToolCall) => ToolOutput | undefined;
}
