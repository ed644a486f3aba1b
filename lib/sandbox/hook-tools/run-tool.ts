/** Runs one hook tool: finds it, parses its flags, turns failures into exit codes. */
import { HintError, hasErrorCode } from '#system';
import type { HookContext } from '../agent/hook-context.ts';
import { actionTools } from './action-tools.ts';
import { applicationTools } from './application-tools.ts';
import { parseFlags } from './flags.ts';
import { machineTools } from './machine-tools.ts';
import { networkTools } from './network-tools.ts';
import { chooseFormat } from './output.ts';
import { portTools } from './port-tools.ts';
import { relationTools } from './relation-tools.ts';
import { resourceTools } from './resource-tools.ts';
import { secretAccessTools } from './secret-access-tools.ts';
import { secretOwnerTools } from './secret-owner-tools.ts';
import { stateTools } from './state-tools.ts';
import { statusTools } from './status-tools.ts';
import { storageTools } from './storage-tools.ts';
import type { Tool } from './tool.ts';
import { NeedStdin, ToolError } from './tool-error.ts';

const TOOLS: ReadonlyMap<string, Tool> = new Map(
  [
    ...relationTools,
    ...applicationTools,
    ...statusTools,
    ...actionTools,
    ...portTools,
    ...networkTools,
    ...stateTools,
    ...secretOwnerTools,
    ...secretAccessTools,
    ...storageTools,
    ...resourceTools,
    ...machineTools,
  ].map((tool) => [tool.name, tool]),
);

/** Names of all hook tools, for the links in the tools directory. */
export const hookToolNames: readonly string[] = [...TOOLS.keys()];

export interface ToolRequest {
  readonly context: HookContext;
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** Undefined on the first attempt: most tools read none. */
  readonly stdin?: string;
}

export interface ToolResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The result, or `need-stdin` when the tool must be called again with its standard input. */
export function runTool(request: ToolRequest): ToolResult | 'need-stdin' {
  const tool = TOOLS.get(request.command);
  if (tool === undefined) {
    return failure(`bad request: unknown command: ${request.command}`, 1);
  }
  if (asksForHelp(request.args)) {
    return { code: 0, stdout: help(tool), stderr: '' };
  }
  try {
    return { code: 0, stdout: '', stderr: '', ...call(tool, request) };
  } catch (error) {
    return answerFailure(error);
  }
}

function call(tool: Tool, { context, args, cwd, stdin }: ToolRequest) {
  const { flags, positionals } = parseFlags(args, tool.flags);
  const stdinReader = () => {
    if (stdin === undefined) {
      throw new NeedStdin();
    }
    return stdin;
  };
  const parsed = { context, flags, args: positionals, cwd, stdin: stdinReader };
  if (tool.flags['output'] !== undefined) {
    // A bad --format is bad usage, whatever the tool would have said.
    chooseFormat(parsed);
  }
  return tool.run(parsed);
}

function answerFailure(error: unknown): ToolResult | 'need-stdin' {
  if (error instanceof NeedStdin) {
    return 'need-stdin';
  }
  if (error instanceof ToolError) {
    return failure(error.message, error.exitCode);
  }
  if (error instanceof HintError || hasErrorCode(error, 'ENOENT')) {
    return failure((error as Error).message, 1);
  }
  throw error;
}

function failure(message: string, code: number): ToolResult {
  return { code, stdout: '', stderr: `ERROR ${message}\n` };
}

function asksForHelp(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  const flags = end === -1 ? args : args.slice(0, end);
  return flags.includes('--help') || flags.includes('-h');
}

function help({ name, usage, summary, flags }: Tool): string {
  const options = Object.entries(flags)
    .map(([flag, { aliases = [] }]) => [flag, ...aliases])
    .map((names) => names.map((one) => (one.length === 1 ? `-${one}` : `--${one}`)).join(', '));
  const list = options.length === 0 ? '' : `\nOptions:\n${options.join('\n')}\n`;
  return `Usage: ${name} ${usage}\n\nSummary:\n${summary}\n${list}`;
}
