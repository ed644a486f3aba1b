/** One line of `juju debug-log`. */
import type { LogLine } from '../../api.ts';
import { calendarDate, type ZoneChoice } from '../output/timestamp.ts';

export interface LogFormat extends ZoneChoice {
  readonly date: boolean;
  readonly milliseconds: boolean;
}

/** From least to most severe. */
export const LOG_LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL'] as const;

/** `unit-foo-0: 15:32:38 INFO unit.foo/0.juju-log db:1: msg`, with its newline. */
export function formatLogLine(line: LogLine, format: LogFormat): string {
  return `${line.entity}: ${moment(line.time, format)} ${line.level} ${line.module} ${line.message}\n`;
}

function moment(at: string, format: LogFormat): string {
  const date = new Date(at);
  const local = format.utc ? date : new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
  const time = local.toISOString().slice(11, format.milliseconds ? 23 : 19);
  return format.date ? `${calendarDate(date, format)} ${time}` : time;
}
