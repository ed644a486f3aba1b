/**
 * Runs one process of a charm to its end. Waits for the process, not for its pipes: children it left
 * behind may hold them open for as long as they like, and are still heard.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { createLineReader } from '../client/wire.ts';
import type { Environment } from './environment.ts';
import type { OutputPipes } from './output-pipe.ts';

// What a process wrote before it ended arrives within this time (Juju's hook logger waits as long).
const DRAIN_MS = 100;

// Actions with more output than this are cut; a result is a document in a database.
const MAX_CAPTURE_BYTES = 8 * 1024 * 1024;

export interface CharmProcess {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Environment;
  /** Empty unless told. */
  readonly stdin?: string;
  /** Where its output goes. */
  readonly pipes: OutputPipes;
  /** Called at once with the process id. */
  readonly onStarted: (pid: number) => void;
  /** Called with each line of output; without it the output is only captured. */
  readonly onLine?: (stream: 'stdout' | 'stderr', line: string) => void;
}

export interface CharmProcessEnd {
  /** Undefined when the process could not be started or was killed. */
  readonly exitCode?: number;
  readonly signal?: NodeJS.Signals;
  /** Why it could not be started. */
  readonly failure?: string;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

export async function runCharmProcess(request: CharmProcess): Promise<CharmProcessEnd> {
  const [out, err] = await request.pipes.take();
  const child = spawn(request.file, request.args, {
    cwd: request.cwd,
    env: { ...request.env },
    // A session of its own: signals to the daemon's terminal do not reach hooks.
    detached: true,
    stdio: [request.stdin === undefined ? 'ignore' : 'pipe', out.writer, err.writer],
  });
  out.closeWriter();
  err.closeWriter();
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(request.stdin);
  const stdout = listen(out.reader, 'stdout', request.onLine);
  const stderr = listen(err.reader, 'stderr', request.onLine);
  if (child.pid !== undefined) {
    request.onStarted(child.pid);
  }
  const end = await waitForExit(child);
  await Promise.race([Promise.all([stdout.ended, stderr.ended]), delay(DRAIN_MS)]);
  return { ...end, stdout: stdout.captured(), stderr: stderr.captured() };
}

async function waitForExit(
  child: ChildProcess,
): Promise<Omit<CharmProcessEnd, 'stdout' | 'stderr'>> {
  return await new Promise((resolve) => {
    child.once('error', (error) => {
      if (child.pid === undefined) {
        resolve({ failure: error.message });
      }
    });
    child.once('exit', (exitCode, signal) => {
      resolve({
        ...(exitCode === null ? {} : { exitCode }),
        ...(signal === null ? {} : { signal }),
      });
    });
  });
}

interface Listener {
  readonly ended: Promise<void>;
  readonly captured: () => Buffer;
}

function listen(
  stream: Readable,
  name: 'stdout' | 'stderr',
  onLine: CharmProcess['onLine'],
): Listener {
  const pieces: Buffer[] = [];
  let size = 0;
  const decoder = new TextDecoder();
  let rest = '';
  const readLines = createLineReader((line) => onLine?.(name, line));
  const read = (text: string) => {
    rest = text.endsWith('\n') ? '' : `${rest}${text}`;
    readLines(text);
  };
  stream.on('data', (piece: Buffer) => {
    if (onLine !== undefined) {
      read(decoder.decode(piece, { stream: true }));
    } else if (size < MAX_CAPTURE_BYTES) {
      pieces.push(piece);
      size += piece.length;
    }
  });
  const ended = new Promise<void>((resolve) => {
    stream.once('close', () => {
      // A last line without its newline.
      if (rest !== '') {
        read('\n');
      }
      resolve();
    });
  });
  return { ended, captured: () => Buffer.concat(pieces) };
}

async function delay(ms: number): Promise<void> {
  await new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
