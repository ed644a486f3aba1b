/** The log of one job: JSON lines, each written at once, without secrets. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { type Clock, hasErrorCode } from '#system';
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

/** What a databag can carry. */
const TAIL_LINES = 20;
const TAIL_LINE_LENGTH = 240;
const TAIL_BYTES = 16_384;

/** The last lines of a job's log, at most 20, in words for people; none where there is no log. */
export async function readLogTail(path: string): Promise<readonly string[]> {
  const text = await readEnd(path);
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.slice(-TAIL_LINES).map(readable);
}

async function readEnd(path: string): Promise<string> {
  try {
    await using file = await open(path);
    const { size } = await file.stat();
    const start = Math.max(0, size - TAIL_BYTES);
    const { buffer, bytesRead } = await file.read(
      Buffer.alloc(size - start),
      0,
      size - start,
      start,
    );
    const text = buffer.toString('utf8', 0, bytesRead);
    // The first line is cut where the log is longer than what is read.
    return start === 0 ? text : text.slice(text.indexOf('\n') + 1);
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) {
      return '';
    }
    throw error;
  }
}

function readable(line: string): string {
  const text = plain(line);
  return text.length > TAIL_LINE_LENGTH ? `${text.slice(0, TAIL_LINE_LENGTH)}…` : text;
}

function plain(line: string): string {
  try {
    const { at, level, message, ...fields } = JSON.parse(line) as Record<string, unknown>;
    const rest = Object.entries(fields).map(([name, value]) => ` ${name}=${JSON.stringify(value)}`);
    return `${String(at)} ${String(level)} ${String(message)}${rest.join('')}`;
  } catch {
    return line;
  }
}
