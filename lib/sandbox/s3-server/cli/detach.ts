/** `juju-s3 start --detach`: starts the same command as a process of its own and waits until it serves. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { HintError, makePrivateDirectory } from '#system';

/** What the background process says to the one that started it. */
export type StartReport =
  | { readonly endpoint: string }
  | { readonly code: string; readonly message: string; readonly hint: string | undefined };

export interface DetachOptions {
  /** Program and arguments that run the server in the foreground. */
  readonly program: string;
  readonly args: readonly string[];
  readonly dataDirectory: string;
}

/**
 * The endpoint, once the server answers there.
 * @throws HintError with what the background process reported
 */
export async function startDetached(options: DetachOptions): Promise<string> {
  await makePrivateDirectory(options.dataDirectory);
  const logFile = logFileOf(options.dataDirectory);
  await using log = await open(logFile, 'a', 0o600);
  const child = spawn(process.execPath, [options.program, ...options.args], {
    detached: true,
    stdio: ['ignore', log.fd, log.fd, 'ipc'],
  });
  const report = await Promise.race([
    once(child, 'message').then(([message]) => message as StartReport),
    once(child, 'exit').then(() => undefined),
  ]);
  if (report === undefined || 'code' in report) {
    throw new HintError(report?.message ?? 'the S3 server ended before it was ready', {
      code: report?.code ?? 'start-failed',
      hint: report?.hint ?? `look at ${logFile}`,
    });
  }
  child.disconnect();
  child.unref();
  return report.endpoint;
}

/** What the background process prints goes here. */
function logFileOf(dataDirectory: string): string {
  return join(dataDirectory, 'server.log');
}
