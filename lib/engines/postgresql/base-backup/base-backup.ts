/**
 * A physical backup, WAL included, of the running server: its files are read where they lie between
 * pg_backup_start and pg_backup_stop, and what a recovery needs to make one state of them comes after.
 */
import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { HintError, hasErrorCode } from '#system';
import type { BackupOptions, EngineEntry } from '../../engine.ts';
import { clusterLabel } from '../commands.ts';
import type { PostgresqlInstance } from '../config.ts';
import type { PsqlSession } from '../psql-session.ts';
import { BackupManifest } from './backup-manifest.ts';
import { BackupSession, type BackupStop } from './backup-session.ts';
import { readControlFile } from './control-file.ts';
import { isReplayed } from './exclusions.ts';
import { type ClusterHistory, fingerprintOf } from './fingerprint.ts';
import { HandOut } from './hand-out.ts';
import { readSmallFile } from './in-place.ts';
import {
  assertStillThere,
  findSegment,
  historyFiles,
  type NeededWal,
  segmentsOf,
  type WalSegment,
} from './wal.ts';
import { type Found, walkDataDirectory } from './walk.ts';

const CONTROL_FILE = 'global/pg_control';
const OWN_FILE_MODE = 0o600;
const OWN_DIRECTORY_MODE = 0o700;
const MODE_BITS = 0o7777n;
// Configuration and the small state files that get replaced as a whole: read as a whole.
const SMALL_BYTES = 1024n * 1024n;
// A server that died is noticed after so long, rather than at the end.
const ALIVE_CHECK_MS = 10_000;
const FIRST_WITH_WAL_SUMMARIES = 17;

type Entries = AsyncGenerator<EngineEntry, void, undefined>;

/** A backup in progress. */
export interface BaseBackup extends AsyncDisposable {
  readonly startLsn: string;
  /** Ends normally only when the server has ended the backup and all WAL it needs is there. */
  readonly entries: Entries;
}

export interface BaseBackupOptions extends BackupOptions {
  readonly instance: PostgresqlInstance;
  readonly history: ClusterHistory;
  /** From `openSession`, and the caller's to dispose of after the backup. */
  readonly session: PsqlSession;
}

/**
 * Begins a backup. The WAL from now on must be held until the disposal.
 * @throws HintError when the server refuses; `wrong-data-directory`
 */
export async function startBaseBackup(options: BaseBackupOptions): Promise<BaseBackup> {
  const { instance, history } = options;
  await using cleanup = new AsyncDisposableStack();
  const session = await BackupSession.begin(options.session, instance);
  const root = await findRoot(instance, session);
  const manifest = cleanup.use(await BackupManifest.begin(options.scratchDirectory));
  const copying = new Copying({ instance, history, options, session, root, manifest });
  const entries = explaining(copying.entries(), instance, options.signal);
  // Closes the directories and files a reader left open who stopped half-way. Not awaited: where it
  // waits for reads to settle, they may never.
  cleanup.defer(() => void entries.return().catch(() => undefined));
  const disposal = cleanup.move();
  return {
    startLsn: session.start.lsn,
    entries,
    [Symbol.asyncDispose]: async () => await disposal.disposeAsync(),
  };
}

/** The data directory without links on the way, proved to be the one of the server we speak to. */
async function findRoot(instance: PostgresqlInstance, session: BackupSession): Promise<string> {
  const root = await realpath(instance.dataDirectory);
  if ((await realpath(session.start.dataDirectory)) !== root) {
    throw wrongDirectory(instance, `the server works in ${session.start.dataDirectory}`);
  }
  return root;
}

function wrongDirectory(instance: PostgresqlInstance, reason: string): HintError {
  return new HintError(
    `cannot back up PostgreSQL ${clusterLabel(instance)} from ${instance.dataDirectory}: ${reason}`,
    { code: 'wrong-data-directory', hint: 'check the data directory and the port of the cluster' },
  );
}

async function* explaining(
  entries: Entries,
  instance: PostgresqlInstance,
  signal: AbortSignal,
): Entries {
  try {
    yield* entries;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof HintError || !Error.isError(error) || !('syscall' in error)) {
      throw error;
    }
    throw new HintError(`cannot back up PostgreSQL ${clusterLabel(instance)}: ${error.message}`, {
      code: hasErrorCode(error, 'ENOSPC') ? 'disk-full' : 'data-directory-unreadable',
      hint: 'see whether the data directory is whole, and the log of the PostgreSQL server',
      cause: error,
    });
  }
}

interface CopyingContext {
  readonly instance: PostgresqlInstance;
  readonly history: ClusterHistory;
  readonly options: BackupOptions;
  readonly session: BackupSession;
  readonly root: string;
  readonly manifest: BackupManifest;
}

class Copying {
  readonly #context: CopyingContext;
  readonly #handOut: HandOut;
  readonly #major: number;
  #aliveAt = performance.now();

  constructor(context: CopyingContext) {
    const { instance, options } = context;
    this.#context = context;
    this.#major = Number(instance.version);
    this.#handOut = new HandOut({
      owner: instance.osUser,
      isDeferred: options.settleReads !== undefined,
      signal: options.signal,
    });
  }

  async *entries(): Entries {
    const { session, history, options } = this.#context;
    yield* this.#dataFiles();
    // The server may forget what it owes the backup only when all of it has been read.
    await this.#settle();
    yield* this.#controlFile();
    const stopped = await session.stop(history.timeline);
    const wal = await this.#neededWal(stopped);
    const segments: WalSegment[] = [];
    yield* this.#wal(wal, segments);
    yield* this.#listed('backup_label', Buffer.from(stopped.label));
    await this.#settle();
    for (const segment of segments) {
      options.signal.throwIfAborted();
      await assertStillThere(segment);
    }
    yield* this.#manifest(wal);
  }

  async #settle(): Promise<void> {
    const { signal, settleReads } = this.#context.options;
    signal.throwIfAborted();
    await settleReads?.();
    signal.throwIfAborted();
  }

  async *#dataFiles(): Entries {
    const { root, options, session } = this.#context;
    for await (const found of walkDataDirectory(root, Date.now)) {
      options.signal.throwIfAborted();
      if (performance.now() - this.#aliveAt > ALIVE_CHECK_MS) {
        await session.assertAlive();
        this.#aliveAt = performance.now();
      }
      yield* found.kind === 'directory' ? this.#directory(found) : this.#file(found);
      options.signal.throwIfAborted();
    }
  }

  async *#directory({ path, stat }: Found): Entries {
    // The mode of a link says nothing.
    const mode = stat.isDirectory() ? Number(stat.mode & MODE_BITS) : OWN_DIRECTORY_MODE;
    const names = path === 'pg_wal' ? ['', ...this.#walDirectories()] : [''];
    for (const name of names) {
      yield this.#handOut.directory(`${path}${name}`, mode, Number(stat.mtimeMs));
    }
  }

  #walDirectories(): readonly string[] {
    return this.#major >= FIRST_WITH_WAL_SUMMARIES
      ? ['/archive_status', '/summaries']
      : ['/archive_status'];
  }

  async *#file(found: Found): Entries {
    if (!isReplayed(found.path) && found.stat.size <= SMALL_BYTES) {
      yield* this.#smallFile(found);
      return;
    }
    const { root, history, manifest } = this.#context;
    const { path, stat } = found;
    const fingerprint = isReplayed(path)
      ? fingerprintOf(stat, found.statedAtMs, history)
      : undefined;
    const item = {
      path,
      mode: Number(stat.mode & MODE_BITS),
      mtimeMs: Number(stat.mtimeMs),
      size: Number(stat.size),
      file: {
        path: join(root, path),
        whenShort: 'zeros' as const,
        whenGone: 'skip' as const,
        onGone: () => manifest.remove(path),
      },
      ...(fingerprint === undefined ? {} : { fingerprint }),
    };
    yield* this.#handOut.inPlace(
      item,
      async () => await manifest.add(path, item.size, item.mtimeMs),
    );
  }

  async *#smallFile({ path, stat }: Found): Entries {
    const { root, manifest } = this.#context;
    const content = await readIfThere(join(root, path));
    if (content !== undefined) {
      const about = { mode: Number(stat.mode & MODE_BITS), mtimeMs: Number(stat.mtimeMs) };
      await manifest.add(path, content.length, about.mtimeMs);
      yield* this.#handOut.content(path, content, about);
    }
  }

  /** Last of the data, as it tells up to where the others have been written. */
  async *#controlFile(): Entries {
    const { instance, root, history, options } = this.#context;
    const control = await readControlFile(join(root, CONTROL_FILE), options.signal);
    if (control.systemIdentifier !== history.systemIdentifier) {
      throw wrongDirectory(instance, 'it belongs to another cluster');
    }
    yield* this.#listed(CONTROL_FILE, control.content);
  }

  /** A file of our making that pg_verifybackup expects. */
  async *#listed(path: string, content: Buffer): Entries {
    const mtimeMs = Date.now();
    await this.#context.manifest.add(path, content.length, mtimeMs);
    yield* this.#handOut.content(path, content, { mode: OWN_FILE_MODE, mtimeMs });
  }

  async #neededWal(stopped: BackupStop): Promise<NeededWal> {
    const { root, history, session } = this.#context;
    return {
      directory: await realpath(join(root, 'pg_wal')),
      segmentBytes: session.start.walSegmentBytes,
      systemIdentifier: history.systemIdentifier,
      range: {
        timeline: history.timeline,
        startLsn: session.start.lsn,
        endLsn: stopped.lsn,
      },
    };
  }

  async *#wal(wal: NeededWal, segments: WalSegment[]): Entries {
    for (const wanted of segmentsOf(wal.range, wal.segmentBytes)) {
      const segment = await findSegment(wal, wanted);
      segments.push(segment);
      const { path, stat } = segment;
      const item = {
        path: `pg_wal/${segment.name}`,
        mode: Number(stat.mode & MODE_BITS),
        mtimeMs: Number(stat.mtimeMs),
        size: Number(stat.size),
        file: { path, whenShort: 'fail' as const, whenGone: 'fail' as const },
      };
      yield* this.#handOut.inPlace(item, async () => undefined);
      yield* this.#done(segment.name);
    }
    for (const name of await historyFiles(wal.directory)) {
      const content = await readSmallFile(join(wal.directory, name));
      yield* this.#handOut.content(`pg_wal/${name}`, content, ownFile());
      yield* this.#done(name);
    }
  }

  /** Keeps a restored server from archiving what the backed-up one has archived or will. */
  async *#done(name: string): Entries {
    const path = `pg_wal/archive_status/${name}.done`;
    yield* this.#handOut.content(path, Buffer.alloc(0), ownFile());
  }

  async *#manifest({ range, systemIdentifier }: NeededWal): Entries {
    const { manifest } = this.#context;
    const ending = { major: this.#major, systemIdentifier, range };
    const text = await manifest.finish(ending);
    const about = { path: 'backup_manifest', size: text.size, ...ownFile() };
    yield* this.#handOut.pieces(about, () => text.open());
  }
}

function ownFile(): { mode: number; mtimeMs: number } {
  return { mode: OWN_FILE_MODE, mtimeMs: Date.now() };
}

async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readSmallFile(path);
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) {
      return undefined;
    }
    throw error;
  }
}
