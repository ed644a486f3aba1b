/**
 * A real pipe for the output of a charm's process. Node's own are sockets, and a charm that writes
 * to /dev/stdout or /dev/stderr cannot open those.
 */

import { randomUUID } from 'node:crypto';
import { closeSync, constants, openSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { runProcess } from '#system';

export interface OutputPipe {
  /** For the child's stdio; to be closed by `closeWriter` once the child has it. */
  readonly writer: number;
  readonly reader: Socket;
  closeWriter(): void;
}

/** Two pipes, made as named ones in `directory`, where nothing of them stays. */
export async function createOutputPipes(
  directory: string,
): Promise<readonly [stdout: OutputPipe, stderr: OutputPipe]> {
  const paths = [join(directory, randomUUID()), join(directory, randomUUID())] as const;
  await runProcess('mkfifo', ['-m', '600', ...paths]);
  try {
    return [open(paths[0]), open(paths[1])];
  } finally {
    for (const path of paths) {
      rmSync(path, { force: true });
    }
  }
}

function open(path: string): OutputPipe {
  // Without O_NONBLOCK the reader would wait for a writer, and the writer for a reader.
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(path, constants.O_WRONLY);
  const reader = new Socket({ fd: descriptor, readable: true, writable: false });
  return {
    writer,
    reader,
    closeWriter: () => {
      closeSync(writer);
    },
  };
}
