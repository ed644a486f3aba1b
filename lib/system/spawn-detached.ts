/** Starts a process that outlives this one: own session, no inherited environment, output to a file. */
import { type ChildProcess, spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import { finished } from 'node:stream/promises';
import { HintError } from './errors.ts';
import { identifyProcess, type ProcessIdentity } from './process-identity.ts';

export interface DetachedOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Gets standard output and error, appended; only its owner may read it. */
  readonly outputPath: string;
  /** Handed over on standard input, which is then closed. The place for secrets. */
  readonly stdin: string;
  /** How long the process may take to read its input. */
  readonly stdinTimeoutMs: number;
}

/**
 * Resolves once the process runs and has got its whole input.
 * @returns undefined when it has ended already
 * @throws HintError `cannot-start` when the command cannot be run or does not read its input
 */
export async function spawnDetached(
  options: DetachedOptions,
): Promise<ProcessIdentity | undefined> {
  const output = await open(options.outputPath, 'a', 0o600);
  try {
    const child = spawn(options.command, options.args, {
      detached: true,
      cwd: options.cwd,
      env: options.env,
      stdio: ['pipe', output.fd, output.fd],
    });
    const identity = await hasStarted(child, options.command);
    await handOver(child, options);
    child.unref();
    return identity;
  } finally {
    await output.close();
  }
}

async function hasStarted(
  child: ChildProcess,
  command: string,
): Promise<ProcessIdentity | undefined> {
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (error) =>
      reject(
        new HintError(`cannot start ${command}: ${error.message}`, {
          code: 'cannot-start',
          cause: error,
        }),
      ),
    );
  });
  return child.pid === undefined ? undefined : identifyProcess(child.pid);
}

async function handOver(child: ChildProcess, options: DetachedOptions): Promise<void> {
  const { stdin } = child;
  if (stdin === null) {
    return;
  }
  stdin.end(options.stdin);
  try {
    await finished(stdin, { signal: AbortSignal.timeout(options.stdinTimeoutMs) });
  } catch (error) {
    stdin.destroy();
    child.unref();
    throw new HintError(`cannot start ${options.command}: it did not read its input`, {
      code: 'cannot-start',
      cause: error,
    });
  }
}
