/**
 * Real pipes for the output of a charm's processes. Node's own are sockets, and a charm that writes to
 * /dev/stdout or /dev/stderr cannot open those. They are named pipes; one that nobody holds any more is
 * used again, as making it costs a process.
 */
import { randomUUID } from 'node:crypto';
import { closeSync, constants, openSync, rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { runProcess } from '#system';

export interface OutputPipe {
  /** For the child's stdio; to be closed by `closeWriter` once the child has it. */
  readonly writer: number;
  readonly reader: Socket;
  closeWriter(): void;
}

// Units start together; their first hooks need two pipes each.
const MADE_AT_ONCE = 16;

export class OutputPipes {
  readonly #directory: string;
  readonly #free: string[] = [];
  #making: Promise<void> | undefined;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  /** Pipes in a directory of their own; those that a dead daemon left there go. */
  static async create(directory: string): Promise<OutputPipes> {
    rmSync(directory, { recursive: true, force: true });
    await mkdir(directory, { mode: 0o700 });
    return new OutputPipes(directory);
  }

  /** Two pipes that nobody else writes to. */
  async take(): Promise<readonly [stdout: OutputPipe, stderr: OutputPipe]> {
    for (;;) {
      const out = this.#free.pop();
      const err = this.#free.pop();
      if (out !== undefined && err !== undefined) {
        return [this.#open(out), this.#open(err)];
      }
      this.#free.push(...[out, err].filter((path) => path !== undefined));
      this.#making ??= this.#make();
      await this.#making;
    }
  }

  async #make(): Promise<void> {
    const paths = Array.from({ length: MADE_AT_ONCE }, () => join(this.#directory, randomUUID()));
    try {
      await runProcess('mkfifo', ['-m', '600', ...paths]);
      this.#free.push(...paths);
    } finally {
      this.#making = undefined;
    }
  }

  #open(path: string): OutputPipe {
    // Without O_NONBLOCK the reader would wait for a writer, and the writer for a reader.
    const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const writer = openSync(path, constants.O_WRONLY);
    const reader = new Socket({ fd: descriptor, readable: true, writable: false });
    // It ends when the last writer has closed; with the reader gone too, nothing of this use is left.
    reader.once('end', () => {
      reader.once('close', () => this.#free.push(path));
    });
    return {
      writer,
      reader,
      closeWriter: () => {
        closeSync(writer);
      },
    };
  }
}
