/** What the SDK and charms log through: a message and fields, to Juju's log. */

import { jujuLog, type LogLevel } from './hook-tools/log.ts';
import type { HookToolRunner } from './hook-tools/runner.ts';

export type LogFields = Readonly<Record<string, unknown>>;

/** Fields are appended to the message as `name=value`. Never log a secret. */
export interface Logger {
  trace(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warning(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  critical(message: string, fields?: LogFields): void;
}

/**
 * Logs with juju-log. A line Juju does not take goes to `fallback` (stderr, which Juju keeps as
 * well), because logging must not fail a hook.
 */
export function createJujuLogger(tools: HookToolRunner, fallback: (line: string) => void): Logger {
  const write = (level: LogLevel, message: string, fields: LogFields | undefined): void => {
    const line = formatLine(message, fields);
    try {
      jujuLog(tools, level, line);
    } catch {
      fallback(`${level} ${line}\n`);
    }
  };
  return {
    trace: (message, fields) => write('TRACE', message, fields),
    debug: (message, fields) => write('DEBUG', message, fields),
    info: (message, fields) => write('INFO', message, fields),
    warning: (message, fields) => write('WARNING', message, fields),
    error: (message, fields) => write('ERROR', message, fields),
    critical: (message, fields) => write('CRITICAL', message, fields),
  };
}

function formatLine(message: string, fields: LogFields = {}): string {
  const shown = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${formatValue(value)}`);
  return [message, ...shown].join(' ');
}

function formatValue(value: unknown): string {
  if (typeof value === 'string') {
    return /^[\w./:@%+-]+$/.test(value) ? value : JSON.stringify(value);
  }
  return Error.isError(value) ? JSON.stringify(value.message) : (JSON.stringify(value) ?? 'null');
}
