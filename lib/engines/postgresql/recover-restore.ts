/** Ways out of an unfinished restore: back to the old data, or on to the new ones. */
import type { RecoveryOutcome } from '../engine.ts';
import type { PostgresqlEngineConfig } from './config.ts';
import { exists, removeTree, renameDurably } from './directories.ts';
import { checkRestoredHealth } from './health.ts';
import { settleOldData } from './kept-copies.ts';
import { endRehearsal } from './rehearsal.ts';
import {
  advanceJournal,
  isOwnedByAnother,
  keptPath,
  type RestoreJournal,
  readJournal,
  removeJournal,
  restorePaths,
} from './restore-journal.ts';
import type { PostgresqlServer } from './server.ts';

export interface RecoveryContext {
  readonly config: PostgresqlEngineConfig;
  readonly server: PostgresqlServer;
}

/** See Engine.recoverInterruptedRestore. */
export async function recoverPostgresqlRestore(context: RecoveryContext): Promise<RecoveryOutcome> {
  const { config, server } = context;
  const found = await readJournal(config.dataDirectory);
  if (found === undefined || isOwnedByAnother(found)) {
    return 'nothing';
  }
  // From here on it is ours; the next process finds our name if we die as well.
  const journal = await advanceJournal(config.dataDirectory, found, found.phase);
  await endRehearsal(config, restorePaths(config.dataDirectory, journal.id).staged);
  if (journal.phase === 'confirmed') {
    await server.start();
    await settleOldData(config.dataDirectory, journal);
    await releaseStaged(config.dataDirectory, journal);
    return 'completed';
  }
  if (journal.isLiveDropped === true) {
    return await goOn(context, journal);
  }
  await rollBack(server, journal);
  return 'rolled-back';
}

/**
 * Puts the old data back in place, wherever the swap stood, and has them served.
 * Whether `before` exists tells everything: if so, what lies in the live place are new data.
 */
export async function rollBack(server: PostgresqlServer, journal: RestoreJournal): Promise<void> {
  const { dataDirectory } = server.instance;
  const paths = restorePaths(dataDirectory, journal.id);
  if (await exists(paths.before)) {
    await server.stop();
    if (await exists(paths.live)) {
      // What an undo had put in place goes back to where it was kept.
      const exit = journal.copy === undefined ? paths.failed : paths.staged;
      await removeTree(exit);
      await renameDurably(paths.live, exit);
    }
    await renameDurably(paths.before, paths.live);
  }
  try {
    await server.start();
  } finally {
    // The directories are as they were. If these data do not start, no other try will mend that.
    await releaseStaged(dataDirectory, journal);
  }
}

/** Ends a restore: what was staged is dropped, or kept again where it was a kept copy. */
export async function releaseStaged(dataDirectory: string, journal: RestoreJournal): Promise<void> {
  const { staged, failed, before } = restorePaths(dataDirectory, journal.id);
  await removeTree(failed);
  if (journal.isLiveDropped === true) {
    await removeTree(before);
  }
  if (journal.copy === undefined) {
    await removeTree(staged);
  } else if (await exists(staged)) {
    await renameDurably(staged, keptPath(dataDirectory, journal.copy));
  }
  await removeJournal(dataDirectory);
}

/** The old data are gone: if the new ones had been proved they are the best there is. */
async function goOn(context: RecoveryContext, journal: RestoreJournal): Promise<RecoveryOutcome> {
  const { config, server } = context;
  const { live, staged } = restorePaths(config.dataDirectory, journal.id);
  const isProved = journal.phase === 'swapping';
  if (isProved && (await exists(staged))) {
    await removeTree(live);
    await renameDurably(staged, live);
  }
  const isServing = isProved && (await triesToServe(context));
  await releaseStaged(config.dataDirectory, journal);
  if (!isServing) {
    await server.stop();
  }
  return isServing ? 'completed' : 'data-gone';
}

async function triesToServe({ config, server }: RecoveryContext): Promise<boolean> {
  try {
    await server.start();
    await checkRestoredHealth(config, server.runProcess, undefined);
    return true;
  } catch {
    return false;
  }
}
