/**
 * A restore of a cluster as a transaction over directories:
 *
 *     live, staged ──stop──▶ live→before ──▶ staged→live ──start, check──▶ confirmed ──▶ before dropped
 *
 * Every step before `confirmed` leads back to the old data, and the journal tells which step it was.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { describeError, HintError, hasErrorCode, isProcessAlive } from '#system';
import type { RecoveryOutcome, StagedRestore } from '../engine.ts';
import type { PostgresqlEngineConfig } from './config.ts';
import { exists, removeTree, renameDurably } from './directories.ts';
import { checkRestoredHealth } from './health.ts';
import {
  advanceJournal,
  createJournal,
  isOwnedByAnother,
  type RestoreJournal,
  type RestorePaths,
  readJournal,
  removeJournal,
  restorePaths,
} from './restore-journal.ts';
import type { PostgresqlServer } from './server.ts';
import { verifyStaged } from './verify-staged.ts';

/** What a restore works with; `pause` lets a test stop it between two steps. */
export interface RestoreContext {
  readonly config: PostgresqlEngineConfig;
  readonly server: PostgresqlServer;
  /** The identity the restored cluster must have, where the backup tells. */
  readonly systemIdentifier?: string;
  readonly pause?: (step: RestoreStep) => Promise<void>;
}

/** The points between the durable steps of a swap, in order. */
export const RESTORE_STEPS = [
  'journal-written',
  'server-stopped',
  'old-aside',
  'new-in-place',
  'server-started',
  'healthy',
  'confirmed',
] as const;

export type RestoreStep = (typeof RESTORE_STEPS)[number];

/** Makes the journal and the empty staging directory. */
export async function createPostgresqlRestore(context: RestoreContext): Promise<StagedRestore> {
  const { dataDirectory } = context.config;
  await clearLeftovers(context);
  const journal = await createJournal(dataDirectory, randomBytes(6).toString('hex'));
  const paths = restorePaths(dataDirectory, journal.id);
  await mkdir(paths.staged, { mode: 0o700 });
  return new PostgresqlRestore(context, journal, paths);
}

/** Ends what a dead process left; a living one, this one included, is answered by createJournal. */
async function clearLeftovers(context: RestoreContext): Promise<void> {
  const journal = await readJournal(context.config.dataDirectory);
  if (journal === undefined || isProcessAlive(journal.owner)) {
    return;
  }
  try {
    await recoverPostgresqlRestore(context);
  } catch (error) {
    // The old data do not even start: all the more reason for another restore.
    if (!hasErrorCode(error, 'database-start-failed')) {
      throw error;
    }
  }
}

class PostgresqlRestore implements StagedRestore {
  readonly stagingDirectory: string;
  readonly #context: RestoreContext;
  readonly #paths: RestorePaths;
  #journal: RestoreJournal;

  constructor(context: RestoreContext, journal: RestoreJournal, paths: RestorePaths) {
    this.#context = context;
    this.#journal = journal;
    this.#paths = paths;
    this.stagingDirectory = paths.staged;
  }

  async verify(signal: AbortSignal): Promise<void> {
    const { config, server } = this.#context;
    await verifyStaged(config, server.runProcess, this.#paths.staged, signal);
  }

  async swap(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await this.#advance('swapping');
    try {
      await this.#exchange(signal);
    } catch (error) {
      await this.#undo(error);
    }
  }

  async #exchange(signal: AbortSignal): Promise<void> {
    const { server, config, systemIdentifier, pause } = this.#context;
    const { live, staged, before } = this.#paths;
    await pause?.('journal-written');
    signal.throwIfAborted();
    await server.stop();
    await pause?.('server-stopped');
    await renameDurably(live, before);
    await pause?.('old-aside');
    await renameDurably(staged, live);
    await pause?.('new-in-place');
    signal.throwIfAborted();
    await server.start(signal);
    await pause?.('server-started');
    await checkRestoredHealth(config, server.runProcess, systemIdentifier);
    await pause?.('healthy');
    signal.throwIfAborted();
    await this.#advance('confirmed');
    await pause?.('confirmed');
  }

  async #undo(reason: unknown): Promise<never> {
    if (this.#journal.phase === 'confirmed') {
      throw reason;
    }
    try {
      await rollBack(this.#context.server, this.#paths);
    } catch (error) {
      throw new HintError(
        `cannot go back to the data before the restore: ${describeError(error)}; the restore failed because: ${describeError(reason)}`,
        {
          code: 'rollback-failed',
          hint: `the old data are in ${this.#paths.before} or ${this.#paths.live}; the charm tries again`,
          cause: error,
        },
      );
    }
    throw new HintError(`cannot restore, the old data serve again: ${describeError(reason)}`, {
      code: 'restore-rolled-back',
      hint: 'see the log of the PostgreSQL server, or restore another backup',
      cause: reason,
    });
  }

  async commit(): Promise<void> {
    if (this.#journal.phase !== 'confirmed') {
      throw new HintError('cannot commit a restore that was not confirmed', {
        code: 'restore-not-confirmed',
      });
    }
    await finish(this.#paths);
  }

  async abort(): Promise<void> {
    if (this.#journal.phase === 'staging') {
      await removeTree(this.#paths.staged);
      await removeJournal(this.#paths.live);
    }
  }

  async #advance(phase: 'swapping' | 'confirmed'): Promise<void> {
    this.#journal = await advanceJournal(this.#paths.live, this.#journal, phase);
  }
}

/** See Engine.recoverInterruptedRestore. */
export async function recoverPostgresqlRestore(context: RestoreContext): Promise<RecoveryOutcome> {
  const { config, server } = context;
  const journal = await readJournal(config.dataDirectory);
  if (journal === undefined || isOwnedByAnother(journal)) {
    return 'nothing';
  }
  const paths = restorePaths(config.dataDirectory, journal.id);
  // From here on it is ours; the next process finds our name if we die as well.
  await advanceJournal(config.dataDirectory, journal, journal.phase);
  if (journal.phase === 'confirmed') {
    await server.start();
    await finish(paths);
    return 'completed';
  }
  await rollBack(server, paths);
  return 'rolled-back';
}

/**
 * Puts the old data back in place, wherever the swap stood, and has them served.
 * Whether `before` exists tells everything: if so, what lies in the live place are restored data.
 */
async function rollBack(server: PostgresqlServer, paths: RestorePaths): Promise<void> {
  if (await exists(paths.before)) {
    await server.stop();
    if (await exists(paths.live)) {
      await removeTree(paths.failed);
      await renameDurably(paths.live, paths.failed);
    }
    await renameDurably(paths.before, paths.live);
  }
  try {
    await server.start();
  } finally {
    // The directories are as they were. If these data do not start, no other try will mend that.
    await removeTree(paths.failed);
    await removeTree(paths.staged);
    await removeJournal(paths.live);
  }
}

async function finish(paths: RestorePaths): Promise<void> {
  await removeTree(paths.before);
  await removeTree(paths.staged);
  await removeJournal(paths.live);
}

/** Whether a directory can be exchanged by renaming: it must not be a mount point of its own. */
export async function isRenameable(dataDirectory: string): Promise<boolean> {
  if (!(await exists(dataDirectory))) {
    return true;
  }
  const [own, parent] = await Promise.all([stat(dataDirectory), stat(dirname(dataDirectory))]);
  return own.dev === parent.dev;
}
