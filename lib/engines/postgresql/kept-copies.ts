/**
 * Data that restores have replaced, kept beside the live ones for a while: `<data>.kept-<id>`, and
 * `<data>.kept.json`, which tells what they are. A copy exists when its directory does: whoever takes
 * one, to bring it back or to drop it, renames the directory first, and only one can.
 */
import { readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { HintError, hasErrorCode, readFileIfExists, writeFileAtomic } from '#system';
import type { KeptCopy } from '../engine.ts';
import { diskUsage, exists, removeTree, renameDurably } from './directories.ts';
import { keptPath, type RestoreJournal, restorePaths } from './restore-journal.ts';

const HOUR_MS = 3_600_000;
/** Undos of undos of one copy add up. */
const MAX_NAMES = 20;

interface StoredCopy extends KeptCopy {
  /** Of the restore that set it aside; part of its path. */
  readonly id: string;
  /** The restores and undos that had put these data in place, as far as they can still be undone. */
  readonly placedBy: readonly string[];
}

interface KeptRecord {
  readonly version: 1;
  /** The restores and undos that put the live data in place. */
  readonly placedBy: readonly string[];
  readonly copies: readonly StoredCopy[];
}

const NOTHING: KeptRecord = { version: 1, placedBy: [], copies: [] };

/** Copies at hand, oldest first. @throws HintError `damaged-record` */
export async function keptCopies(dataDirectory: string): Promise<readonly KeptCopy[]> {
  return (await storedCopies(dataDirectory)).map(asKeptCopy);
}

/**
 * The copy an undo of `name` brings back.
 * @throws HintError `nothing-to-undo`; `undo-superseded` unless forced, when something else has replaced the data since
 */
export async function findCopy(
  dataDirectory: string,
  name: string,
  isForced: boolean,
): Promise<StoredCopy> {
  const { placedBy } = await readRecord(dataDirectory);
  const copy = (await storedCopies(dataDirectory)).find((one) => one.name === name);
  if (copy === undefined) {
    throw new HintError(`cannot undo ${name}: the data it replaced are not kept here (any more)`, {
      code: 'nothing-to-undo',
      hint: 'they are kept for restore-keep-hours, unless their space is needed or they were brought back already; restore a backup instead',
    });
  }
  if (!placedBy.includes(name) && !isForced) {
    const last = placedBy.at(-1) ?? 'another restore';
    throw new HintError(`cannot undo ${name}: ${last} has replaced the data since`, {
      code: 'undo-superseded',
      hint: `undo ${last} first, or force this undo: the data it replaces are kept as well`,
    });
  }
  return copy;
}

/**
 * Takes a copy away from everybody else, into the hands of the restore of `journal`.
 * @throws HintError `nothing-to-undo` when somebody else was faster
 */
export async function takeCopy(dataDirectory: string, id: string, to: string): Promise<void> {
  try {
    await renameDurably(keptPath(dataDirectory, id), to);
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) {
      throw new HintError('cannot undo: the time of the kept data is over', {
        code: 'nothing-to-undo',
        hint: 'restore a backup instead',
      });
    }
    throw error;
  }
}

/**
 * Ends an exchange of which `journal` says `confirmed`: the old data are kept or dropped, and the
 * record tells. Safe to repeat after a crash anywhere in it.
 * @returns the copy kept
 */
export async function settleOldData(
  dataDirectory: string,
  journal: RestoreJournal,
  pause?: (step: 'old-kept' | 'recorded') => Promise<void>,
): Promise<KeptCopy | undefined> {
  const { before, kept } = restorePaths(dataDirectory, journal.id);
  const isWorthKeeping = await exists(join(before, 'PG_VERSION'));
  if (journal.name !== undefined && (journal.keepHours ?? 0) > 0 && isWorthKeeping) {
    await renameDurably(before, kept);
    await pause?.('old-kept');
  } else {
    await removeTree(before);
  }
  await recordExchange(dataDirectory, journal);
  await pause?.('recorded');
  const copies = await keptCopies(dataDirectory);
  return copies.find((copy) => copy.name === journal.name);
}

async function recordExchange(dataDirectory: string, journal: RestoreJournal): Promise<void> {
  const { id, name, copy: undone } = journal;
  const record = await readRecord(dataDirectory);
  if (name === undefined || record.placedBy.at(-1) === name) {
    return;
  }
  const kept = keptPath(dataDirectory, id);
  const copies = (await storedCopies(dataDirectory)).filter((copy) => copy.id !== undone);
  if (await exists(kept)) {
    copies.push(await describeCopy(kept, journal, record.placedBy));
  }
  if (copies.length === 0) {
    await rm(recordPath(dataDirectory), { force: true });
    return;
  }
  const back = record.copies.find((copy) => copy.id === undone)?.placedBy ?? [];
  const placedBy = [...back, name].slice(-MAX_NAMES);
  const next: KeptRecord = { version: 1, placedBy, copies };
  await writeFileAtomic(recordPath(dataDirectory), JSON.stringify(next));
}

async function describeCopy(
  path: string,
  { id, name = '', keepHours = 0, confirmedAt }: RestoreJournal,
  placedBy: readonly string[],
): Promise<StoredCopy> {
  const keptAt = new Date(confirmedAt ?? Date.now());
  return {
    id,
    name,
    placedBy,
    keptAt: keptAt.toISOString(),
    until: new Date(keptAt.getTime() + keepHours * HOUR_MS).toISOString(),
    bytes: await diskUsage(path),
  };
}

/** Drops one copy at once; none there is fine. */
export async function dropCopy(dataDirectory: string, name: string): Promise<void> {
  for (const copy of await storedCopies(dataDirectory)) {
    if (copy.name === name) {
      const doomed = await condemn(dataDirectory, copy.id);
      if (doomed !== undefined) {
        await removeTree(doomed);
      }
    }
  }
}

/**
 * Takes copies out of use whose time is over at `now`; all of them where `keepHours` is 0.
 * @returns directories that are now to be removed, those that earlier calls left included
 */
export async function condemnExpired(
  dataDirectory: string,
  now: Date,
  keepHours: number,
): Promise<readonly string[]> {
  if ((await readFileIfExists(recordPath(dataDirectory))) !== undefined) {
    for (const copy of await storedCopies(dataDirectory)) {
      if (keepHours <= 0 || Date.parse(copy.until) <= now.getTime()) {
        await condemn(dataDirectory, copy.id);
      }
    }
  }
  return await condemned(dataDirectory);
}

/** @returns where its files are now; undefined when somebody else has taken the copy */
async function condemn(dataDirectory: string, id: string): Promise<string | undefined> {
  const doomed = `${dataDirectory}.dropped-${id}`;
  try {
    await rename(keptPath(dataDirectory, id), doomed);
    return doomed;
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) {
      return undefined;
    }
    throw error;
  }
}

async function condemned(dataDirectory: string): Promise<readonly string[]> {
  const parent = dirname(dataDirectory);
  const prefix = `${basename(dataDirectory)}.dropped-`;
  const names = (await exists(parent)) ? await readdir(parent) : [];
  return names.filter((name) => name.startsWith(prefix)).map((name) => join(parent, name));
}

async function storedCopies(dataDirectory: string): Promise<StoredCopy[]> {
  const { copies } = await readRecord(dataDirectory);
  const found: StoredCopy[] = [];
  for (const copy of copies) {
    if (await exists(keptPath(dataDirectory, copy.id))) {
      found.push(copy);
    }
  }
  return found;
}

/** Without what only this file knows what to do with. */
export function asKeptCopy({ name, keptAt, until, bytes }: StoredCopy): KeptCopy {
  return { name, keptAt, until, bytes };
}

function recordPath(dataDirectory: string): string {
  return `${dataDirectory}.kept.json`;
}

async function readRecord(dataDirectory: string): Promise<KeptRecord> {
  const path = recordPath(dataDirectory);
  const text = await readFileIfExists(path);
  if (text === undefined) {
    return NOTHING;
  }
  const record = parseRecord(text);
  if (record === undefined) {
    throw new HintError(`cannot read ${path}, which tells of data kept from restores`, {
      code: 'damaged-record',
      hint: `look at the directories ${dataDirectory}.kept-*, move or remove them, then remove the file`,
    });
  }
  return record;
}

function parseRecord(text: string): KeptRecord | undefined {
  try {
    const raw = JSON.parse(text) as Partial<KeptRecord> | null;
    const isSound =
      raw?.version === 1 &&
      Array.isArray(raw.placedBy) &&
      Array.isArray(raw.copies) &&
      raw.copies.every(({ id }) => /^[a-z0-9]+$/.test(id));
    return isSound ? (raw as KeptRecord) : undefined;
  } catch {
    return undefined;
  }
}
