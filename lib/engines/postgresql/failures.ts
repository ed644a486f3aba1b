/** Turns what PostgreSQL's programs say on stderr into an error a person can act on. */
import { HintError } from '#system';

/** One kind of failure: how to recognise it in English output, what to call it, what to do. */
interface FailureKind {
  readonly pattern: RegExp;
  readonly code: string;
  readonly hint: string;
}

// First match wins; the texts are stable across PostgreSQL 14 to 17 with LC_ALL=C.UTF-8.
const FAILURES: readonly FailureKind[] = [
  {
    pattern:
      /password authentication failed|no pg_hba\.conf entry|Peer authentication failed|no password supplied|role ".*" does not exist|is not permitted to log in|must be superuser or replication role|permission denied to start WAL sender/i,
    code: 'login-refused',
    hint: 'check the roles and pg_hba.conf of the cluster; the charm sets both at its next update-status',
  },
  {
    pattern: /was promoted during online backup/i,
    code: 'timeline-changed',
    hint: 'try again',
  },
  {
    pattern: /max_wal_senders|all replication slots are in use/i,
    code: 'too-many-backups',
    hint: 'lower max-concurrent-backups, or raise max_wal_senders and max_replication_slots',
  },
  {
    pattern: /No space left on device/i,
    code: 'disk-full',
    hint: 'free some space on the file system of the database',
  },
  {
    pattern:
      /server closed the connection|terminating connection|SSL SYSCALL error|connection to server was lost|could not receive data|no COPY data/i,
    code: 'database-lost',
    hint: 'see the log of the PostgreSQL server, then try again',
  },
  {
    pattern:
      /Connection refused|No such file or directory|is starting up|is shutting down|in recovery mode|could not connect/i,
    code: 'database-unavailable',
    hint: 'start the PostgreSQL server and try again',
  },
];

/** `operation` reads like `cannot back up cluster 15/db`; `output` is the program's stderr. */
export function explainFailure(operation: string, output: string, cause?: unknown): HintError {
  const kind = FAILURES.find((failure) => failure.pattern.test(output));
  return new HintError(`${operation}: ${reasonIn(output)}`, {
    code: kind?.code ?? 'database-failed',
    hint: kind?.hint ?? 'see the log of the PostgreSQL server',
    ...(cause === undefined ? {} : { cause }),
  });
}

/** Whether a program failed only because the server is not up (yet). */
export function isUnavailable(output: string): boolean {
  return /Connection refused|No such file or directory|is starting up|not yet accepting connections|is shutting down|server closed the connection unexpectedly|Connection reset by peer/i.test(
    output,
  );
}

function reasonIn(output: string): string {
  const lines = output
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const telling = lines.findLast((line) => /FATAL:|PANIC:|ERROR:|error:/.test(line));
  return (telling ?? lines.at(-1) ?? 'no reason was given').slice(0, 300);
}
