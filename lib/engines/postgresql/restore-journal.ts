/**
 * The durable intent of a restore, beside the data directory: who restores, how far the exchange
 * of directories may have come. Whoever finds it after an accident knows how to get back.
 */
import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import {
  createFileExclusive,
  HintError,
  identifyProcess,
  isProcessAlive,
  type ProcessIdentity,
  readFileIfExists,
  syncDirectory,
  writeFileAtomic,
} from '#system';

/**
 * `staging`: the live data are untouched. `swapping`: the server may be stopped and the
 * directories may be exchanged. `confirmed`: the restored data passed their checks and stay.
 */
export type RestorePhase = 'staging' | 'swapping' | 'confirmed';

export interface RestoreJournal {
  readonly version: 1;
  readonly id: string;
  readonly phase: RestorePhase;
  readonly owner: ProcessIdentity;
}

/** Every path of one restore; all on the file system of the data directory, so renames suffice. */
export interface RestorePaths {
  readonly live: string;
  readonly staged: string;
  /** The old data, from the exchange to the commit. */
  readonly before: string;
  /** Restored data that failed, on their way out. */
  readonly failed: string;
}

/** @param id letters and digits only; it becomes part of file names */
export function restorePaths(dataDirectory: string, id: string): RestorePaths {
  return {
    live: dataDirectory,
    staged: `${dataDirectory}.staged-${id}`,
    before: `${dataDirectory}.before-${id}`,
    failed: `${dataDirectory}.failed-${id}`,
  };
}

/** Where the journal of a data directory lies. */
export function journalPath(dataDirectory: string): string {
  return `${dataDirectory}.restore.json`;
}

/** Begins a restore owned by this process. @throws HintError `restore-in-progress` */
export async function createJournal(dataDirectory: string, id: string): Promise<RestoreJournal> {
  const journal: RestoreJournal = { version: 1, id, phase: 'staging', owner: ownIdentity() };
  if (!(await createFileExclusive(journalPath(dataDirectory), JSON.stringify(journal)))) {
    throw new HintError(`cannot begin a restore into ${dataDirectory}: another one is under way`, {
      code: 'restore-in-progress',
      hint: 'wait until it has ended',
    });
  }
  return journal;
}

/** Records, durably, that the restore enters `phase`, in the hands of this process. */
export async function advanceJournal(
  dataDirectory: string,
  journal: RestoreJournal,
  phase: RestorePhase,
): Promise<RestoreJournal> {
  const next: RestoreJournal = { ...journal, phase, owner: ownIdentity() };
  await writeFileAtomic(journalPath(dataDirectory), JSON.stringify(next));
  return next;
}

/** The journal of an unfinished restore, if there is one. @throws HintError `damaged-journal` */
export async function readJournal(dataDirectory: string): Promise<RestoreJournal | undefined> {
  const path = journalPath(dataDirectory);
  const text = await readFileIfExists(path);
  if (text === undefined) {
    return undefined;
  }
  const journal = parseJournal(text);
  if (journal === undefined) {
    throw new HintError(`cannot read the restore journal ${path}: it is not one of ours`, {
      code: 'damaged-journal',
      hint: `look at the directories beside ${dataDirectory}, put the right one in place, remove the file`,
    });
  }
  return journal;
}

/** Ends a restore. */
export async function removeJournal(dataDirectory: string): Promise<void> {
  await rm(journalPath(dataDirectory), { force: true });
  await syncDirectory(dirname(dataDirectory));
}

/** Whether another process, still alive, works on this restore. */
export function isOwnedByAnother(journal: RestoreJournal): boolean {
  return journal.owner.pid !== process.pid && isProcessAlive(journal.owner);
}

function ownIdentity(): ProcessIdentity {
  const identity = identifyProcess(process.pid);
  if (identity === undefined) {
    throw new HintError('cannot begin a restore: /proc does not show this process', {
      code: 'no-process-identity',
      hint: 'mount /proc',
    });
  }
  return identity;
}

function parseJournal(text: string): RestoreJournal | undefined {
  let raw: Partial<RestoreJournal> | null;
  try {
    raw = JSON.parse(text) as Partial<RestoreJournal> | null;
  } catch {
    return undefined;
  }
  const { version, id, phase, owner } = raw ?? {};
  if (version !== 1 || typeof id !== 'string' || !/^[a-z0-9]+$/.test(id)) {
    return undefined;
  }
  return isPhase(phase) && typeof owner === 'object' ? { version, id, phase, owner } : undefined;
}

function isPhase(value: unknown): value is RestorePhase {
  return value === 'staging' || value === 'swapping' || value === 'confirmed';
}
