/** juju-log. */
import { callTool, type HookToolRunner } from './runner.ts';
import { argumentText, MAX_ARGUMENT_BYTES, splitText } from './text.ts';

export type LogLevel = 'TRACE' | 'DEBUG' | 'INFO' | 'WARNING' | 'ERROR' | 'CRITICAL';

/** Logs one message, in several calls where it is longer than an argument may be. */
export function jujuLog(tools: HookToolRunner, level: LogLevel, message: string): void {
  for (const piece of splitText(argumentText(message), MAX_ARGUMENT_BYTES)) {
    // Juju refuses an empty message.
    if (piece !== '') {
      callTool(tools, { tool: 'juju-log', args: ['--log-level', level, '--', piece] });
    }
  }
}
