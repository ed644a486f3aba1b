/**
 * The server's side of a base backup: pg_backup_start and pg_backup_stop in one session that lives
 * in between. The server ends the backup itself when the session is lost.
 */
import { HintError } from '#system';
import { clusterLabel } from '../commands.ts';
import type { PostgresqlInstance } from '../config.ts';
import { PsqlSession } from '../psql-session.ts';

// pg_start_backup(label, fast, exclusive) and pg_stop_backup(exclusive, wait_for_archive) before 15.
const FIRST_WITH_NEW_NAMES = 15;

/** What the server says when the backup has begun. */
export interface BackupStart {
  /** Where a recovery begins, for example `0/3000028`. */
  readonly lsn: string;
  readonly walSegmentBytes: number;
  readonly dataDirectory: string;
}

/** What the server says when the backup has ended. */
export interface BackupStop {
  /** How far a recovery must come. */
  readonly lsn: string;
  /** The content of `backup_label`. */
  readonly label: string;
}

interface RawStop extends BackupStop {
  readonly tablespaceMap: string | null;
}

interface Afterwards {
  readonly tablespaces: number;
  /** 0 on a primary. */
  readonly recoveryTimeline: number;
}

/** Begins to log in as the superuser (peer). */
export function openSession(instance: PostgresqlInstance, signal: AbortSignal): PsqlSession {
  return new PsqlSession({
    instance,
    login: { dbname: 'postgres', user: instance.osUser },
    operation: `cannot back up PostgreSQL ${clusterLabel(instance)}`,
    signal,
  });
}

export class BackupSession {
  readonly start: BackupStart;
  readonly #session: PsqlSession;
  readonly #instance: PostgresqlInstance;

  private constructor(session: PsqlSession, instance: PostgresqlInstance, start: BackupStart) {
    this.#session = session;
    this.#instance = instance;
    this.start = start;
  }

  /**
   * Makes the server checkpoint and begin a backup, in a session from `openSession`, which is the backup's from then on.
   * @throws HintError `login-refused`, `database-unavailable`, …; the signal's reason
   */
  static async begin(session: PsqlSession, instance: PostgresqlInstance): Promise<BackupSession> {
    const begin = hasNewNames(instance)
      ? `pg_backup_start('base backup', true)`
      : `pg_start_backup('base backup', true, false)`;
    const row = await session.ask(`SELECT json_build_object(
      'lsn', ${begin}::text,
      'walSegmentBytes', (SELECT setting::bigint FROM pg_settings WHERE name = 'wal_segment_size'),
      'dataDirectory', current_setting('data_directory'));`);
    return new BackupSession(session, instance, JSON.parse(row) as BackupStart);
  }

  /** @throws HintError when the server or the session has ended meanwhile */
  async assertAlive(): Promise<void> {
    await this.#session.ask('SELECT 1;');
  }

  /**
   * Ends the backup; on a primary the server switches to a new WAL segment. Never waits for an archiver.
   * @throws HintError also `timeline-changed`, `tablespaces-unsupported`
   */
  async stop(timeline: number): Promise<BackupStop> {
    const end = hasNewNames(this.#instance)
      ? 'pg_backup_stop(false)'
      : 'pg_stop_backup(false, false)';
    const stopped = JSON.parse(
      await this.#session.ask(`SELECT json_build_object(
        'lsn', lsn::text, 'label', labelfile, 'tablespaceMap', spcmapfile) FROM ${end};`),
    ) as RawStop;
    const after = JSON.parse(
      await this.#session.ask(`SELECT json_build_object(
        'tablespaces', (SELECT count(*) FROM pg_tablespace
                        WHERE spcname NOT IN ('pg_default', 'pg_global')),
        'recoveryTimeline', CASE WHEN pg_is_in_recovery()
          THEN (SELECT min_recovery_end_timeline FROM pg_control_recovery()) ELSE 0 END);`),
    ) as Afterwards;
    this.#refuse(stopped, after, timeline);
    return { lsn: stopped.lsn, label: stopped.label };
  }

  #refuse(stopped: RawStop, after: Afterwards, timeline: number): void {
    const operation = `cannot back up PostgreSQL ${clusterLabel(this.#instance)}`;
    if (after.tablespaces > 0 || (stopped.tablespaceMap ?? '') !== '') {
      throw new HintError(`${operation}: a tablespace was made meanwhile`, {
        code: 'tablespaces-unsupported',
        hint: 'move the tables back to pg_default and drop the other tablespaces',
      });
    }
    const started = Number(/^START TIMELINE: (\d+)/m.exec(stopped.label)?.[1]);
    const ended = after.recoveryTimeline === 0 ? started : after.recoveryTimeline;
    if (started !== timeline || ended !== timeline) {
      throw new HintError(`${operation}: its timeline changed meanwhile`, {
        code: 'timeline-changed',
        hint: 'try again',
      });
    }
  }
}

function hasNewNames(instance: PostgresqlInstance): boolean {
  return Number(instance.version) >= FIRST_WITH_NEW_NAMES;
}
