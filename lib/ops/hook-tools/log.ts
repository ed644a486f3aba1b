/** juju-log. */
import { callTool, type HookToolRunner } from './runner.ts';
import { argumentTexts } from './text.ts';

export type LogLevel = 'TRACE' | 'DEBUG' | 'INFO' | 'WARNING' | 'ERROR' | 'CRITICAL';

/** Logs one message, in several calls where it is longer than an argument may be. */
export function jujuLog(tools: HookToolRunner, level: LogLevel, message: string): void {
  for (const piece of argumentTexts(message)) {
    callTool(tools, { tool: 'juju-log', args: ['--log-level', level, '--', piece] });
  }
}
