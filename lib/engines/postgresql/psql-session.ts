/** A psql that stays open, for what belongs to one session of the server: slots, backups in progress. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { asOwner, clientEnvironment, connectionArguments } from './commands.ts';
import type { PostgresqlInstance, PostgresqlRole } from './config.ts';
import { explainFailure } from './failures.ts';
import { conninfo, PSQL_BARE } from './sql.ts';

// Enough for any error text; a server gone mad with notices must not fill our memory.
const STDERR_LIMIT = 65_536;
// A server that hangs must not hold us: what belongs to the session goes with the connection.
const END_TIMEOUT_MS = 5_000;
const FIRST_WITH_IDLE_TIMEOUT = 14;

export interface PsqlSessionOptions {
  readonly instance: PostgresqlInstance;
  /** Of libpq: `dbname`, `replication`, `user`. */
  readonly login: Readonly<Record<string, string>>;
  /** Whose password is used; none: peer login. */
  readonly role?: PostgresqlRole;
  /** For errors, for example `cannot back up PostgreSQL 15/main`. */
  readonly operation: string;
  /** Ends the session at once. */
  readonly signal: AbortSignal;
}

/** One statement at a time; lost together with the connection, never silently replaced. */
export class PsqlSession implements AsyncDisposable {
  readonly #options: PsqlSessionOptions;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #rows: AsyncIterator<string>;
  readonly #closed: Promise<void>;
  readonly #kill = (): void => void this.#child.kill('SIGKILL');
  #stderr = '';

  constructor(options: PsqlSessionOptions) {
    options.signal.throwIfAborted();
    this.#options = options;
    this.#child = startPsql(options);
    this.#closed = new Promise((resolve) => void this.#child.once('close', () => resolve()));
    this.#child.stderr.on('data', (piece: Buffer) => {
      this.#stderr = (this.#stderr + piece.toString('utf8')).slice(-STDERR_LIMIT);
    });
    this.#child.on('error', (error) => {
      this.#stderr += error.message;
    });
    this.#child.stdin.on('error', () => undefined);
    this.#rows = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
    options.signal.addEventListener('abort', this.#kill, { once: true });
  }

  /** Sends something that gives no rows; should it fail, the next question does. */
  tell(statement: string): void {
    this.#child.stdin.write(`${statement}\n`);
  }

  /**
   * Sends a statement that gives exactly one row and returns that row.
   * @throws HintError when the statement fails or the session is lost; the signal's reason
   */
  async ask(statement: string): Promise<string> {
    this.tell(statement);
    const row = await this.#rows.next();
    if (row.done !== true) {
      return row.value;
    }
    await this.#closed;
    this.#options.signal.throwIfAborted();
    const output = this.#stderr.trim() === '' ? 'the session was lost' : this.#stderr;
    throw explainFailure(this.#options.operation, output);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#options.signal.removeEventListener('abort', this.#kill);
    this.#child.stdin.end();
    const timer = setTimeout(this.#kill, END_TIMEOUT_MS);
    await this.#closed;
    clearTimeout(timer);
  }
}

function startPsql(options: PsqlSessionOptions): ChildProcessWithoutNullStreams {
  const { instance, login, role } = options;
  // Sessions that only hold something are idle for hours.
  const isTimedOut = Number(instance.version) >= FIRST_WITH_IDLE_TIMEOUT;
  const settings = `-c statement_timeout=0${isTimedOut ? ' -c idle_session_timeout=0' : ''}`;
  const psql = asOwner(instance, 'psql', [
    ...PSQL_BARE,
    `--dbname=${conninfo({ ...login, options: settings })}`,
    ...connectionArguments(instance),
  ]);
  return spawn(psql.command, psql.args, { env: clientEnvironment(role), cwd: '/' });
}
