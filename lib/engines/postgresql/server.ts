/** Starts and stops the server of one cluster, and knows when it really serves or is really gone. */
import { open, stat } from 'node:fs/promises';
import {
  type Clock,
  describeError,
  HintError,
  minimalEnvironment,
  ProcessError,
  type RunProcess,
  systemClock,
} from '#system';
import { clusterLabel } from './commands.ts';
import type { PostgresqlInstance } from './config.ts';
import { isUnavailable } from './failures.ts';
import { findClusterProcesses } from './processes.ts';
import { clearRemains } from './remains.ts';
import { runSql } from './sql.ts';

// Replaying the WAL of a backup may take long; there is no harm in waiting while it goes on.
const READY_TIMEOUT_MS = 60 * 60_000;
// pg_ctl waits 60 s for a fast shutdown, then as long for an immediate one.
const STOP_TIMEOUT_MS = 180_000;
const POLL_MS = 100;
// pg_ctlcluster's own codes and, where it hands over to systemd, those of systemctl: what counts is
// what the processes do afterwards.
const ANY_ANSWER = [0, 1, 2, 3, 4, 5];
const LOG_TAIL_BYTES = 16_384;

export interface ServerOptions {
  readonly instance: PostgresqlInstance;
  readonly runProcess: RunProcess;
  readonly clock?: Clock;
}

/** The server of one cluster. Every method is idempotent. */
export class PostgresqlServer {
  readonly instance: PostgresqlInstance;
  readonly runProcess: RunProcess;
  readonly #clock: Clock;

  constructor(options: ServerOptions) {
    this.instance = options.instance;
    this.runProcess = options.runProcess;
    this.#clock = options.clock ?? systemClock;
  }

  /** Whether the server accepts connections and is out of recovery. */
  async isReady(): Promise<boolean> {
    return (await this.#probe()) === 'ready';
  }

  /**
   * Starts the server, unless it runs, and waits until it serves.
   * It belongs to nobody: it goes on when the caller ends.
   * @throws HintError `database-start-failed` with the reason from the server's log
   */
  async start(signal?: AbortSignal): Promise<void> {
    await clearRemains(this.instance, this.#clock);
    const logPosition = await this.#logSize();
    // 2: it runs already. Others: it did not come up in a minute, which may be recovery at work.
    const { exitCode, stderr } = await this.#control('start', ANY_ANSWER);
    if (exitCode !== 0 && exitCode !== 2 && !(await this.#isAlive())) {
      throw await this.#startFailure(logPosition, stderr);
    }
    await this.#waitUntilReady(logPosition, signal);
  }

  /**
   * Stops the server, with its clients, and returns when no process of it is left; a start that
   * somebody else began and left behind is waited for and undone.
   * @throws HintError `database-stop-failed`
   */
  async stop(): Promise<void> {
    const deadline = this.#clock.now().getTime() + STOP_TIMEOUT_MS;
    for (;;) {
      const { servers, controllers } = await findClusterProcesses(this.instance);
      if (servers.length === 0 && controllers.length === 0) {
        // Backends of a killed server must not outlive a stop either.
        await clearRemains(this.instance, this.#clock);
        return;
      }
      if (this.#clock.now().getTime() > deadline) {
        throw this.#stopFailure([...servers, ...controllers]);
      }
      if (servers.length > 0) {
        // A server just born has no pid file yet and answers "not running"; the loop comes back.
        await this.#control('stop', ANY_ANSWER, ['--force']);
      }
      await this.#clock.sleep(POLL_MS);
    }
  }

  /** Tells the server to read its configuration files again. */
  async reload(): Promise<void> {
    await this.#control('reload', [0]);
  }

  async #waitUntilReady(logPosition: number, signal?: AbortSignal): Promise<void> {
    const deadline = this.#clock.now().getTime() + READY_TIMEOUT_MS;
    for (;;) {
      signal?.throwIfAborted();
      if ((await this.#probe()) === 'ready') {
        return;
      }
      if (!(await this.#isAlive())) {
        throw await this.#startFailure(logPosition, '');
      }
      if (this.#clock.now().getTime() > deadline) {
        throw await this.#startFailure(logPosition, 'it did not become ready in an hour');
      }
      await this.#clock.sleep(POLL_MS, signal);
    }
  }

  async #probe(): Promise<'ready' | 'recovering' | 'unavailable'> {
    try {
      const answer = await runSql(this.instance, this.runProcess, 'SELECT pg_is_in_recovery();', {
        timeoutMs: 15_000,
      });
      return answer === 'f' ? 'ready' : 'recovering';
    } catch (error) {
      const output = error instanceof HintError && error.cause instanceof ProcessError;
      if (output && isUnavailable((error.cause as ProcessError).stderr)) {
        return 'unavailable';
      }
      throw error;
    }
  }

  async #isAlive(): Promise<boolean> {
    const { servers, controllers } = await findClusterProcesses(this.instance);
    return servers.length + controllers.length > 0;
  }

  async #control(
    action: 'start' | 'stop' | 'reload',
    acceptExitCodes: readonly number[],
    options: readonly string[] = [],
  ): Promise<{ exitCode: number; stderr: string }> {
    const { version, cluster } = this.instance;
    // On a machine with systemd this becomes systemctl, so the server belongs to its own unit.
    return await this.runProcess('pg_ctlcluster', [...options, version, cluster, action], {
      env: minimalEnvironment(),
      cwd: '/',
      acceptExitCodes,
      label: `pg_ctlcluster ${action}`,
    });
  }

  async #startFailure(logPosition: number, fallback: string): Promise<HintError> {
    const reason = lastFatal(await this.#logSince(logPosition)) ?? lastFatal(fallback) ?? fallback;
    return new HintError(
      `cannot start PostgreSQL ${clusterLabel(this.instance)}: ${reason || 'no reason was given'}`,
      { code: 'database-start-failed', hint: `see ${this.#logPath()}` },
    );
  }

  #stopFailure(pids: readonly number[]): HintError {
    return new HintError(
      `cannot stop PostgreSQL ${clusterLabel(this.instance)}: still running as ${pids.join(', ')}`,
      { code: 'database-stop-failed', hint: `see ${this.#logPath()}` },
    );
  }

  #logPath(): string {
    const { version, cluster } = this.instance;
    return `/var/log/postgresql/postgresql-${version}-${cluster}.log`;
  }

  async #logSize(): Promise<number> {
    try {
      return (await stat(this.#logPath())).size;
    } catch {
      return 0;
    }
  }

  async #logSince(position: number): Promise<string> {
    try {
      await using handle = await open(this.#logPath(), 'r');
      const { size } = await handle.stat();
      const start = Math.max(position, size - LOG_TAIL_BYTES);
      const { buffer, bytesRead } = await handle.read({
        buffer: Buffer.alloc(Math.max(0, size - start)),
        position: start,
      });
      return buffer.toString('utf8', 0, bytesRead);
    } catch (error) {
      return describeError(error);
    }
  }
}

function lastFatal(text: string): string | undefined {
  const lines = text.split('\n');
  const line =
    lines.findLast((each) => /(FATAL|PANIC): /.test(each)) ??
    lines.findLast((each) => /[Ee]rror: /.test(each));
  return line?.replace(/^.*?((?:FATAL|PANIC|[Ee]rror): )/, '$1').trim();
}
