/** Runs Juju's hook tools as processes, synchronously, each with a deadline. */
import { type SpawnSyncOptions, spawnSync } from 'node:child_process';
import { hasErrorCode } from '#system';
import { HookToolError } from './errors.ts';
import type { HookToolCall, HookToolOutcome, HookToolRunner } from './runner.ts';

export interface ProcessRunnerOptions {
  /** Whole environment of the tools; they need Juju's variables and PATH. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Deadline of one call; a minute unless told: a tool answers in milliseconds or is stuck. */
  readonly timeoutMs?: number;
}

const DEFAULT_TIMEOUT_MS = 60_000;

// A databag is a document of at most 16 MB at the controller; JSON may escape each of its bytes.
const MAX_OUTPUT_BYTES = 128 * 1024 * 1024;

const NO_INPUT: Pick<SpawnSyncOptions, 'stdio'> = { stdio: ['ignore', 'pipe', 'pipe'] };

/** Hook tools found on PATH. Its `run` throws HookToolError for a tool that is missing or hangs. */
export function createProcessRunner(options: ProcessRunnerOptions): HookToolRunner {
  return {
    run(call) {
      const timeoutMs = call.timeoutMs ?? options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
      const result = spawnSync(call.tool, call.args, {
        env: options.environment,
        ...(call.stdin === undefined ? NO_INPUT : { input: call.stdin }),
        encoding: 'utf8',
        timeout: timeoutMs,
        killSignal: 'SIGKILL',
        maxBuffer: MAX_OUTPUT_BYTES,
      });
      if (result.error !== undefined) {
        return judgeError(call, result.error, timeoutMs, result);
      }
      if (result.status === null) {
        throw failed(call, `it was killed by ${result.signal ?? 'a signal'}`);
      }
      return { exitCode: result.status, stdout: result.stdout, stderr: result.stderr };
    },
  };
}

interface Ended {
  readonly status: number | null;
  readonly stdout: string | null;
  readonly stderr: string | null;
}

function judgeError(
  call: HookToolCall,
  error: Error,
  timeoutMs: number,
  ended: Ended,
): HookToolOutcome {
  // A tool that does not read its input closes the pipe; its exit code tells more than EPIPE.
  if (hasErrorCode(error, 'EPIPE') && ended.status !== null) {
    return { exitCode: ended.status, stdout: ended.stdout ?? '', stderr: ended.stderr ?? '' };
  }
  if (hasErrorCode(error, 'ENOENT')) {
    throw failed(call, 'there is no such tool on PATH', {
      code: 'hook-tool-missing',
      hint: 'let Juju run the charm, or use juju-exec on its machine',
      cause: error,
    });
  }
  if (hasErrorCode(error, 'ETIMEDOUT')) {
    throw failed(call, `no answer within ${timeoutMs / 1000} s`, {
      code: 'hook-tool-timeout',
      hint: 'look into the log of the unit agent; Juju runs the hook again',
      cause: error,
    });
  }
  throw failed(call, error.message, { cause: error });
}

function failed(
  call: HookToolCall,
  reason: string,
  more: { readonly code?: string; readonly hint?: string; readonly cause?: unknown } = {},
): HookToolError {
  return new HookToolError({
    tool: call.tool,
    args: call.shownArgs ?? call.args,
    exitCode: undefined,
    stderr: '',
    reason,
    ...more,
  });
}
