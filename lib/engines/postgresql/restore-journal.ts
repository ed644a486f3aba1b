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
 * `staging`: the live data are untouched. `dropping-live`: a forced restore drops them before it has
 * the others. `swapping`: the server may be stopped and the directories may be exchanged.
 * `confirmed`: the restored data passed their checks and stay.
 */
const PHASES = ['staging', 'dropping-live', 'swapping', 'confirmed'] as const;

export type RestorePhase = (typeof PHASES)[number];

/** What a restore is to do about the data it replaces; fixed when it begins. */
export interface RestoreIntent {
  /** Under which they are kept. */
  readonly name?: string;
  /** 0, or no name: they are dropped. */
  readonly keepHours?: number;
  /** An undo: the id of the kept copy it brings back. */
  readonly copy?: string;
}

export interface RestoreJournal extends RestoreIntent {
  readonly version: 1;
  readonly id: string;
  readonly phase: RestorePhase;
  readonly owner: ProcessIdentity;
  /** When the old data ceased to be the live ones; ISO 8601, UTC. */
  readonly confirmedAt?: string;
  /** Whether the old data were dropped beforehand, so that there is no way back. */
  readonly isLiveDropped?: boolean;
}

/** Every path of one restore; all on the file system of the data directory, so renames suffice. */
export interface RestorePaths {
  readonly live: string;
  readonly staged: string;
  /** The old data, from the exchange to the commit. */
  readonly before: string;
  /** Restored data that failed, on their way out. */
  readonly failed: string;
  /** The old data from the commit on, where they are kept. */
  readonly kept: string;
}

/** @param id letters and digits only; it becomes part of file names */
export function restorePaths(dataDirectory: string, id: string): RestorePaths {
  return {
    live: dataDirectory,
    staged: `${dataDirectory}.staged-${id}`,
    before: `${dataDirectory}.before-${id}`,
    failed: `${dataDirectory}.failed-${id}`,
    kept: keptPath(dataDirectory, id),
  };
}

/** Where the data lie that the restore with this id has replaced. */
export function keptPath(dataDirectory: string, id: string): string {
  return `${dataDirectory}.kept-${id}`;
}

/** Where the journal of a data directory lies. */
export function journalPath(dataDirectory: string): string {
  return `${dataDirectory}.restore.json`;
}

/** Begins a restore owned by this process. @throws HintError `restore-in-progress` */
export async function createJournal(
  dataDirectory: string,
  id: string,
  intent: RestoreIntent = {},
): Promise<RestoreJournal> {
  const journal: RestoreJournal = {
    version: 1,
    id,
    phase: 'staging',
    owner: ownIdentity(),
    ...intent,
  };
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
  facts: Pick<RestoreJournal, 'confirmedAt' | 'isLiveDropped'> = {},
): Promise<RestoreJournal> {
  const next: RestoreJournal = { ...journal, ...facts, phase, owner: ownIdentity() };
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
  if (version !== 1 || !isId(id) || !isPhase(phase) || !isObject(owner)) {
    return undefined;
  }
  return { version, id, phase, owner, ...optionalFacts(raw ?? {}) };
}

type OptionalFacts = Omit<RestoreJournal, 'version' | 'id' | 'phase' | 'owner'>;

function optionalFacts(raw: OptionalFacts): OptionalFacts {
  const { name, keepHours, copy, confirmedAt, isLiveDropped } = raw;
  return {
    ...(typeof name === 'string' ? { name } : {}),
    ...(typeof keepHours === 'number' ? { keepHours } : {}),
    ...(isId(copy) ? { copy } : {}),
    ...(typeof confirmedAt === 'string' ? { confirmedAt } : {}),
    ...(isLiveDropped === true ? { isLiveDropped: true } : {}),
  };
}

/** Ids become parts of file names. */
function isId(value: unknown): value is string {
  return typeof value === 'string' && /^[a-z0-9]+$/.test(value);
}

function isObject(value: unknown): value is ProcessIdentity {
  return typeof value === 'object' && value !== null;
}

function isPhase(value: unknown): value is RestorePhase {
  return PHASES.some((phase) => phase === value);
}
