/** The one place that runs a child process to its end and collects what it says. */
import { spawn } from 'node:child_process';
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
  const label = options.label ?? command;
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
  const ended = await new Promise<{ code: number | null; signal: string | null; error?: Error }>(
    (resolve) => {
      let failure: Error | undefined;
      child.once('error', (error) => {
        failure = error;
        if (child.pid === undefined) {
          resolve({ code: null, signal: null, error });
        }
      });
      child.once('close', (code, signal) => {
        resolve(failure === undefined ? { code, signal } : { code, signal, error: failure });
      });
    },
  );
  const output = { stdout: stdout(), stderr: stderr() };
  if (ended.error !== undefined) {
    throw new ProcessError(`cannot run ${label}: ${ended.error.message}`, {
      command: label,
      ...output,
      cause: ended.error,
    });
  }
  if (ended.code === null) {
    throw new ProcessError(`${label} was killed by ${ended.signal ?? 'a signal'}`, {
      command: label,
      ...output,
    });
  }
  if (!(options.acceptExitCodes ?? [0]).includes(ended.code)) {
    const reason = lastLine(output.stderr) ?? lastLine(output.stdout);
    throw new ProcessError(
      `${label} ended with exit code ${ended.code}${reason === undefined ? '' : `: ${reason}`}`,
      { command: label, exitCode: ended.code, ...output },
    );
  }
  return { exitCode: ended.code, ...output };
};

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
