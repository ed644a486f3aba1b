/** The one place that runs a child process to its end and collects what it says. */
import { type ChildProcess, spawn } from 'node:child_process';
import { HintError } from './errors.ts';

export interface RunOptions {
  /** The whole environment of the child; nothing is inherited unless named here. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Bytes for the child's standard input, which is closed after them; empty unless told. */
  readonly stdin?: string | Uint8Array;
  /** Kills the child (SIGKILL) when it aborts. */
  readonly signal?: AbortSignal;
  /** Kills the child (SIGKILL) after so many milliseconds. */
  readonly timeoutMs?: number;
  /** Exit codes that are an answer rather than a failure; only 0 unless told. */
  readonly acceptExitCodes?: readonly number[];
  /** What to call the command in messages, where its arguments are long or unhelpful. */
  readonly label?: string;
}

export interface RunResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command that could not be started, was killed, or ended with an exit code not accepted. */
export class ProcessError extends HintError {
  readonly command: string;
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;

  constructor(
    message: string,
    details: {
      command: string;
      exitCode?: number;
      stdout: string;
      stderr: string;
      cause?: unknown;
    },
  ) {
    super(message, { code: 'process-failed', cause: details.cause });
    this.command = details.command;
    this.exitCode = details.exitCode;
    this.stdout = details.stdout;
    this.stderr = details.stderr;
  }
}

/** Runs a command without a shell. Secrets belong into `stdin` or `env`, never into `args`. */
export type RunProcess = (
  command: string,
  args: readonly string[],
  options?: RunOptions,
) => Promise<RunResult>;

/** @throws ProcessError when the command cannot start, is killed, or its exit code is not accepted. */
export const runProcess: RunProcess = async (command, args, options = {}) => {
  const child = spawn(command, args, {
    env: options.env ?? minimalEnvironment(),
    stdio: ['pipe', 'pipe', 'pipe'],
    killSignal: 'SIGKILL',
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    ...(options.timeoutMs === undefined ? {} : { timeout: options.timeoutMs }),
  });
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  // A child that does not read its input closes the pipe; its exit code tells more than EPIPE.
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.stdin ?? '');
  const ended = await waitForEnd(child);
  return judge(
    options.label ?? command,
    ended,
    { stdout: stdout(), stderr: stderr() },
    options.acceptExitCodes,
  );
};

interface Ended {
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly failure: Error | undefined;
}

async function waitForEnd(child: ChildProcess): Promise<Ended> {
  return await new Promise((resolve) => {
    let failure: Error | undefined;
    child.once('error', (error) => {
      failure = error;
      if (child.pid === undefined) {
        resolve({ exitCode: null, signal: null, failure });
      }
    });
    child.once('close', (exitCode, signal) => resolve({ exitCode, signal, failure }));
  });
}

function judge(
  command: string,
  ended: Ended,
  output: { readonly stdout: string; readonly stderr: string },
  accepted: readonly number[] = [0],
): RunResult {
  const details = { command, ...output };
  if (ended.failure !== undefined) {
    throw new ProcessError(`cannot run ${command}: ${ended.failure.message}`, {
      ...details,
      cause: ended.failure,
    });
  }
  if (ended.exitCode === null) {
    throw new ProcessError(`${command} was killed by ${ended.signal ?? 'a signal'}`, details);
  }
  if (!accepted.includes(ended.exitCode)) {
    const reason = lastLine(output.stderr) ?? lastLine(output.stdout);
    throw new ProcessError(
      `${command} ended with exit code ${ended.exitCode}${reason === undefined ? '' : `: ${reason}`}`,
      { ...details, exitCode: ended.exitCode },
    );
  }
  return { exitCode: ended.exitCode, ...output };
}

/** What a command needs to be found and to speak English: PATH and LANG, nothing of ours. */
export function minimalEnvironment(): Record<string, string> {
  return {
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    LANG: 'C.UTF-8',
    LC_ALL: 'C.UTF-8',
  };
}

function collect(stream: NodeJS.ReadableStream): () => string {
  const pieces: Buffer[] = [];
  stream.on('data', (piece: Buffer) => pieces.push(piece));
  return () => Buffer.concat(pieces).toString('utf8');
}

function lastLine(text: string): string | undefined {
  return text.trimEnd().split('\n').at(-1)?.trim() || undefined;
}
