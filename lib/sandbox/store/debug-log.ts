/**
 * The log of the model: what `juju debug-log` shows. Lines of JSON in a file, in the page cache when
 * `write` returns, so that they survive kill -9 of the daemon (not a power cut: it is a log).
 */
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import type { Clock } from '#system';
import type { LogLine } from '../api.ts';
import { unitTag } from '../model/names.ts';

export interface LogEntry {
  /** Absent: the controller itself. */
  readonly unit?: string;
  readonly level: string;
  readonly module: string;
  readonly message: string;
}

export class DebugLog {
  readonly #path: string;
  readonly #descriptor: number;
  readonly #clock: Clock;
  readonly #listeners = new Set<(line: LogLine) => void>();

  constructor(path: string, clock: Clock) {
    this.#path = path;
    this.#clock = clock;
    this.#descriptor = openSync(path, 'a', 0o600);
  }

  write({ unit, level, module, message }: LogEntry): void {
    const line: LogLine = {
      time: this.#clock.now().toISOString(),
      entity: unit === undefined ? 'controller-0' : unitTag(unit),
      level,
      module,
      message,
    };
    writeSync(this.#descriptor, `${JSON.stringify(line)}\n`);
    for (const listener of this.#listeners) {
      listener(line);
    }
  }

  /** Everything so far. A line torn by a crash is left out. */
  read(): readonly LogLine[] {
    return readFileSync(this.#path, 'utf8').split('\n').flatMap(parseLine);
  }

  /** Calls back with each new line until the answer is called. */
  follow(listener: (line: LogLine) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

function parseLine(text: string): LogLine[] {
  try {
    return text === '' ? [] : [JSON.parse(text) as LogLine];
  } catch {
    return [];
  }
}
