/**
 * Some files and directories of a backup, into a directory of their own on the machine of the database. Live data are
 * never touched, and only the chunks of what was asked for are read.
 */
import { rename, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { isAtOrBelow, openSnapshot, pinSnapshot, type Snapshot } from '#snapshots';
import { formatBytes, HintError, makePrivateDirectory, syncDirectory } from '#system';
import { type JobContext, sourceOf } from './job-context.ts';
import { jobDirectoryName, type Outcome } from './job-files.ts';
import { keysForRestore } from './snapshot-keys.ts';

/** Of the unit's state directory. */
const FOLDER = 'restored-items';
const PARTIAL = '.partial';
/** Left free on the disk whatever is restored: it may be the one the database is on. */
const SPARE_BYTES = 64 * 1024 * 1024;

interface Wish {
  readonly select: (path: string) => boolean;
  readonly files: number;
  readonly bytes: number;
}

/** @throws HintError `no-such-entry` naming what the backup does not hold, `insufficient-space`; SnapshotError */
export async function performItemRestore(
  context: JobContext,
  items: readonly string[],
): Promise<Outcome> {
  const { store, signal, spec, stateDirectory, log } = context;
  const keys = await keysForRestore(context, sourceOf(context));
  const snapshot = await openSnapshot(store, sourceOf(context), { keys, signal });
  const wish = await look(snapshot, items, signal);
  const folder = join(stateDirectory, FOLDER);
  await makePrivateDirectory(folder);
  await assertRoom(folder, wish.bytes);
  const target = targetFor(stateDirectory, spec.jobId);
  const staging = `${target}${PARTIAL}`;
  await using pin = await pinSnapshot(store, snapshot.artefactPath, {
    who: `restore-item ${spec.jobId}`,
    signal,
  });
  log.info('items found', { files: wish.files, bytes: wish.bytes, isProtected: pin.isHeld });
  try {
    await fetchItems(snapshot, staging, wish, context);
    signal.throwIfAborted();
    await rename(staging, target);
    await syncDirectory(folder);
  } catch (error) {
    await rm(staging, { recursive: true, force: true });
    throw error;
  }
  const message = `${wish.files} ${wish.files === 1 ? 'file' : 'files'}, ${formatBytes(wish.bytes)}, restored to ${target}; live data were not touched`;
  return {
    status: 'success',
    artefactPath: snapshot.artefactPath,
    size: wish.bytes,
    message,
    report: describe(target, items),
  };
}

/** What a worker that died has left of its own; nothing where it had come to an end. */
export async function clearPartialItems(stateDirectory: string, jobId: string): Promise<void> {
  await rm(`${targetFor(stateDirectory, jobId)}${PARTIAL}`, { recursive: true, force: true });
}

function targetFor(stateDirectory: string, jobId: string): string {
  return join(stateDirectory, FOLDER, jobDirectoryName(jobId).slice(0, 12));
}

async function fetchItems(
  snapshot: Snapshot,
  directory: string,
  { select, bytes: totalBytes }: Wish,
  { reporter, pace, signal }: JobContext,
): Promise<void> {
  await reporter.enter('fetching');
  await snapshot.restoreTo({
    directory,
    signal,
    select,
    pace: async (bytes) => await pace.disk(bytes, signal),
    onProgress: ({ bytesVerified }) => reporter.update(bytesVerified, totalBytes),
  });
}

/** What is to be restored, and how much it is, from the index alone. */
async function look(
  snapshot: Snapshot,
  items: readonly string[],
  signal: AbortSignal,
): Promise<Wish> {
  const wanted = items.map((item) => item.replaceAll(/^(?:\.?\/+)+|\/+$/g, ''));
  const select = (path: string): boolean => wanted.some((item) => isAtOrBelow(path, item));
  const missing = new Set(wanted);
  const found = { files: 0, bytes: 0 };
  for await (const { path, kind, size } of snapshot.entries({ signal })) {
    if (!select(path)) {
      continue;
    }
    for (const item of wanted.filter((one) => isAtOrBelow(path, one))) {
      missing.delete(item);
    }
    found.files += kind === 'file' || kind === 'stream' ? 1 : 0;
    found.bytes += size;
  }
  if (missing.size > 0) {
    const names = [...missing].map((item) => JSON.stringify(item)).join(', ');
    throw new HintError(
      `cannot restore ${names}: backup ${JSON.stringify(snapshot.artefactPath)} holds no such file or directory`,
      { code: 'no-such-entry', hint: 'see what it holds with list-items' },
    );
  }
  return { select, ...found };
}

async function assertRoom(folder: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  if (free < bytes + SPARE_BYTES) {
    throw new HintError(
      `cannot restore ${formatBytes(bytes)} into ${folder}: ${formatBytes(free)} are free`,
      { code: 'insufficient-space', hint: 'make room, or ask for less' },
    );
  }
}

function describe(target: string, items: readonly string[]): string {
  return [
    `restored: ${items.join(', ')}`,
    `into: ${target}`,
    'owners and modes: as in the backup; the directory itself belongs to root',
    'live data: not touched; copy what you need, then remove the directory',
  ].join('\n');
}
