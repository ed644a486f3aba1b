/**
 * A restore of a cluster, or the undo of one, as a transaction over directories:
 *
 *     live, staged ──stop──▶ live→before ──▶ staged→live ──start, check──▶ confirmed ──▶ before→kept, or dropped
 *
 * Every step before `confirmed` leads back to the old data, and the journal tells which step it was.
 */
import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { type Clock, describeError, HintError, hasErrorCode, isProcessAlive } from '#system';
import type {
  KeptCopy,
  Proof,
  RestorePlan,
  RestoreRequest,
  StagedRestore,
  StagedUndo,
  SwapReport,
  UndoRequest,
} from '../engine.ts';
import type { PostgresqlEngineConfig } from './config.ts';
import { exists, removeTree, renameDurably } from './directories.ts';
import { checkRestoredHealth } from './health.ts';
import { dropCopy, findCopy, settleOldData, takeCopy } from './kept-copies.ts';
import { requireClusterFiles } from './preflight.ts';
import { recoverPostgresqlRestore, releaseStaged, rollBack } from './recover-restore.ts';
import { rehearse } from './rehearsal.ts';
import {
  advanceJournal,
  createJournal,
  type RestoreIntent,
  type RestoreJournal,
  type RestorePaths,
  readJournal,
  removeJournal,
  restorePaths,
} from './restore-journal.ts';
import type { PostgresqlServer } from './server.ts';
import { runSql } from './sql.ts';
import { verifyStaged } from './verify-staged.ts';

/** What a restore works with; `pause` lets a test stop it between two steps. */
export interface RestoreContext {
  readonly config: PostgresqlEngineConfig;
  readonly server: PostgresqlServer;
  readonly clock: Clock;
  readonly pause?: (step: RestoreStep) => Promise<void>;
}

/** The points between the durable steps of an exchange, in order. */
export const RESTORE_STEPS = [
  'rehearsing',
  'journal-written',
  'server-stopped',
  'old-aside',
  'new-in-place',
  'server-started',
  'healthy',
  'confirmed',
  'old-kept',
  'recorded',
] as const;

/** Those of dropping the live data beforehand, when forced. */
export const DROP_STEPS = ['drop-noted', 'live-aside', 'drop-decided', 'live-dropped'] as const;

export type RestoreStep = (typeof RESTORE_STEPS)[number] | (typeof DROP_STEPS)[number];

/** Makes the journal and the empty staging directory. */
export async function createPostgresqlRestore(
  context: RestoreContext,
  request: RestoreRequest,
  plan: RestorePlan,
): Promise<StagedRestore> {
  const { dataDirectory } = context.config;
  const journal = await begin(context, intentOf(request));
  const { staged } = restorePaths(dataDirectory, journal.id);
  for (const copy of plan.droppedCopies) {
    await dropCopy(dataDirectory, copy.name);
  }
  await mkdir(staged, { mode: 0o700 });
  const systemIdentifier = request.attributes['system-identifier'];
  return new PostgresqlRestore(context, journal, {
    plan,
    isForced: request.isForced === true,
    ...(typeof systemIdentifier === 'string' ? { systemIdentifier } : {}),
  });
}

/** Makes the journal and takes the kept copy in hand. */
export async function createPostgresqlUndo(
  context: RestoreContext,
  request: UndoRequest,
): Promise<StagedUndo> {
  const { dataDirectory } = context.config;
  const { id: copy } = await findCopy(dataDirectory, request.undoOf, request.isForced === true);
  const journal = await begin(context, { ...intentOf(request), copy });
  try {
    await takeCopy(dataDirectory, copy, restorePaths(dataDirectory, journal.id).staged);
  } catch (error) {
    await removeJournal(dataDirectory);
    throw error;
  }
  return new PostgresqlUndo(context, journal);
}

function intentOf({ name, keepHours }: RestoreRequest | UndoRequest): RestoreIntent {
  return {
    ...(name === undefined ? {} : { name }),
    ...(keepHours === undefined ? {} : { keepHours }),
  };
}

async function begin(context: RestoreContext, intent: RestoreIntent): Promise<RestoreJournal> {
  await clearLeftovers(context);
  const { dataDirectory } = context.config;
  return await createJournal(dataDirectory, randomBytes(6).toString('hex'), intent);
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

/** What restores and undos share: everything but where the staged data come from. */
abstract class Exchange implements StagedUndo {
  protected readonly context: RestoreContext;
  protected readonly paths: RestorePaths;
  protected journal: RestoreJournal;

  constructor(context: RestoreContext, journal: RestoreJournal) {
    this.context = context;
    this.journal = journal;
    this.paths = restorePaths(context.config.dataDirectory, journal.id);
  }

  abstract verify(signal: AbortSignal): Promise<Proof>;

  protected abstract get systemIdentifier(): string | undefined;

  async swap(signal: AbortSignal): Promise<SwapReport> {
    signal.throwIfAborted();
    await shortenShutdown(this.context);
    await this.advance('swapping');
    try {
      return await this.#exchange(signal);
    } catch (error) {
      return await this.#goBack(error);
    }
  }

  async #exchange(signal: AbortSignal): Promise<SwapReport> {
    const { server, config, pause } = this.context;
    const { live, staged, before } = this.paths;
    await pause?.('journal-written');
    signal.throwIfAborted();
    const stopped = performance.now();
    await server.stop();
    await pause?.('server-stopped');
    // Data lost altogether leave an empty place, so that there is always something to put aside.
    await mkdir(live, { recursive: true, mode: 0o700 });
    await renameDurably(live, before);
    await pause?.('old-aside');
    await renameDurably(staged, live);
    await pause?.('new-in-place');
    signal.throwIfAborted();
    await server.start(signal);
    const unavailableMs = Math.round(performance.now() - stopped);
    await pause?.('server-started');
    await checkRestoredHealth(config, server.runProcess, this.systemIdentifier);
    await pause?.('healthy');
    signal.throwIfAborted();
    await this.advance('confirmed', { confirmedAt: this.context.clock.now().toISOString() });
    await pause?.('confirmed');
    return { unavailableMs };
  }

  async #goBack(reason: unknown): Promise<never> {
    if (this.journal.phase === 'confirmed') {
      throw reason;
    }
    if (this.journal.isLiveDropped === true) {
      await releaseStaged(this.paths.live, this.journal);
      throw liveDataGone(reason);
    }
    try {
      await rollBack(this.context.server, this.journal);
    } catch (error) {
      throw new HintError(
        `cannot go back to the data before the restore: ${describeError(error)}; the restore failed because: ${describeError(reason)}`,
        {
          code: 'rollback-failed',
          hint: `the old data are in ${this.paths.before} or ${this.paths.live}; the charm tries again`,
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

  async commit(): Promise<KeptCopy | undefined> {
    if (this.journal.phase !== 'confirmed') {
      throw new HintError('cannot commit a restore that was not confirmed', {
        code: 'restore-not-confirmed',
      });
    }
    const kept = await settleOldData(this.paths.live, this.journal, this.context.pause);
    await releaseStaged(this.paths.live, this.journal);
    return kept;
  }

  async abort(): Promise<void> {
    const { phase, isLiveDropped = false } = this.journal;
    if (phase === 'staging' || (phase === 'dropping-live' && isLiveDropped)) {
      await releaseStaged(this.paths.live, this.journal);
    } else if (phase === 'dropping-live') {
      await rollBack(this.context.server, this.journal);
    }
  }

  protected async advance(
    phase: RestoreJournal['phase'],
    facts: Pick<RestoreJournal, 'confirmedAt' | 'isLiveDropped'> = {},
  ): Promise<void> {
    this.journal = await advanceJournal(this.paths.live, this.journal, phase, facts);
  }
}

class PostgresqlRestore extends Exchange implements StagedRestore {
  readonly plan: RestorePlan;
  readonly #isForced: boolean;
  protected readonly systemIdentifier: string | undefined;

  constructor(
    context: RestoreContext,
    journal: RestoreJournal,
    options: {
      readonly plan: RestorePlan;
      readonly isForced: boolean;
      /** The identity the restored cluster must have, where the backup tells. */
      readonly systemIdentifier?: string;
    },
  ) {
    super(context, journal);
    this.plan = options.plan;
    this.#isForced = options.isForced;
    this.systemIdentifier = options.systemIdentifier;
  }

  get stagingDirectory(): string {
    return this.paths.staged;
  }

  async makeRoom(): Promise<void> {
    if (!this.plan.dropsLiveData) {
      return;
    }
    const { live, before } = this.paths;
    const { server, pause } = this.context;
    await this.advance('dropping-live');
    await pause?.('drop-noted');
    await server.stop();
    await mkdir(live, { recursive: true, mode: 0o700 });
    await renameDurably(live, before);
    await mkdir(live, { mode: 0o700 });
    await pause?.('live-aside');
    await this.advance('dropping-live', { isLiveDropped: true });
    await pause?.('drop-decided');
    await removeTree(before);
    await pause?.('live-dropped');
  }

  async verify(signal: AbortSignal): Promise<Proof> {
    const { config, server, pause } = this.context;
    const { staged } = this.paths;
    await verifyStaged(config, server.runProcess, staged, signal);
    return await rehearse(config, server.runProcess, {
      staged,
      signal,
      integrity: this.#isForced ? 'tell' : 'insist',
      onRunning: async () => await pause?.('rehearsing'),
    });
  }
}

class PostgresqlUndo extends Exchange {
  protected readonly systemIdentifier = undefined;

  /** They served before, so damage in them is no reason to refuse them; that they start is proved. */
  async verify(signal: AbortSignal): Promise<Proof> {
    const { config, server, pause } = this.context;
    await requireClusterFiles(this.paths.staged);
    return await rehearse(config, server.runProcess, {
      staged: this.paths.staged,
      signal,
      integrity: 'skip',
      onRunning: async () => await pause?.('rehearsing'),
    });
  }
}

/** What is written now need not be written while nobody is served. */
async function shortenShutdown({ config, server }: RestoreContext): Promise<void> {
  if (!(await exists(config.dataDirectory))) {
    return;
  }
  try {
    await runSql(config, server.runProcess, 'CHECKPOINT;', { timeoutMs: 600_000 });
  } catch {
    // A database that is down needs no checkpoint.
  }
}

function liveDataGone(reason: unknown): HintError {
  return new HintError(
    `cannot restore, and nothing serves: the old data were dropped beforehand, as force allows, and the restored ones do not serve: ${describeError(reason)}`,
    {
      code: 'forced-restore-failed',
      hint: 'restore this or another backup again',
      cause: reason,
    },
  );
}
