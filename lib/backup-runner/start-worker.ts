/** Starts worker processes; what they are told goes through standard input only. */
import { randomBytes } from 'node:crypto';
import { spawnDetached } from '#system';
import type { JobFiles, Registration, WorkerKind } from './job-files.ts';
import type { WorkerOrder } from './worker-order.ts';

/** A worker reads its whole input first, within a second; the rest is for slow and busy machines. */
const STDIN_TIMEOUT_MS = 30_000;

export interface WorkerProgram {
  /** Program and arguments of the worker's entry. */
  readonly command: readonly string[];
  /** What goes before it where the job is a backup. */
  readonly backupPrefix: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly directory: string;
}

/** For which job a worker is started, and when (ISO 8601, UTC). */
export interface StartedJob {
  readonly files: JobFiles;
  readonly kind: WorkerKind;
  readonly startedAt: string;
}

/** The same program, with the priority of backups. */
export function yielding(program: WorkerProgram): WorkerProgram {
  return { ...program, command: [...program.backupPrefix, ...program.command] };
}

/** The order for the worker of this name. */
export type OrderFor = (token: string) => WorkerOrder;

/**
 * Starts a worker and registers it. The registration comes before the start, so that attempts are counted also
 * when this process dies in between, and again by the worker itself, before it does anything.
 * @throws HintError `cannot-start`
 */
export async function startWorker(
  { files, kind, startedAt }: StartedJob,
  program: WorkerProgram,
  orderFor: OrderFor,
): Promise<Registration> {
  const token = newWorkerToken();
  const registration: Registration = { token, startedAt };
  await files.register(kind, registration);
  const [command = '', ...args] = program.command;
  const identity = await spawnDetached({
    command,
    args,
    env: program.environment,
    cwd: program.directory,
    outputPath: files.outputPath,
    stdin: JSON.stringify(orderFor(token)),
    stdinTimeoutMs: STDIN_TIMEOUT_MS,
  });
  if (identity === undefined) {
    return registration;
  }
  const running = { ...registration, identity };
  await files.register(kind, running);
  return running;
}

/** Names one worker process in the journal. */
function newWorkerToken(): string {
  return randomBytes(12).toString('hex');
}
