/** The log of one job: JSON lines, each written at once, without secrets. */
import { closeSync, openSync, writeSync } from 'node:fs';
import type { Clock } from '#system';
import type { Redact } from './redact.ts';

type JobLogFields = Readonly<Record<string, string | number | boolean | undefined>>;

export interface JobLog {
  info(message: string, fields?: JobLogFields): void;
  warning(message: string, fields?: JobLogFields): void;
  error(message: string, fields?: JobLogFields): void;
  close(): void;
}

/** Appends to `path`; only its owner may read it. */
export function openJobLog(path: string, clock: Clock, redact: Redact): JobLog {
  const descriptor = openSync(path, 'a', 0o600);
  const write = (level: string, message: string, fields: JobLogFields = {}): void => {
    const line = JSON.stringify({ at: clock.now().toISOString(), level, message, ...fields });
    writeSync(descriptor, `${redact(line)}\n`);
  };
  return {
    info: (message, fields) => write('info', message, fields),
    warning: (message, fields) => write('warning', message, fields),
    error: (message, fields) => write('error', message, fields),
    close: () => closeSync(descriptor),
  };
}
