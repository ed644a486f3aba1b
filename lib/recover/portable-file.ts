/** One file out of a backup, and a backup out of one file. */
import { randomUUID } from 'node:crypto';
import { lstat, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { ObjectStore } from '#object-store';
import {
  artefactPathFor,
  chunkPrefixFor,
  ensureKey,
  exportTar,
  importTar,
  type PortableContent,
  type Snapshot,
  writeSnapshot,
} from '#snapshots';
import { formatBytes, HintError, hasErrorCode, syncDirectory } from '#system';
import { isRecoveryKit, readText, unreadableFile } from './open-source.ts';
import type { ImportTask } from './options.ts';
import { importProgress, progressOptions } from './progress.ts';
import type { RecoverPorts } from './recover-ports.ts';

/** Writes the file under another name first: one of this name is always whole. Never over something that is there. */
export async function exportFile(
  snapshot: Snapshot,
  to: string,
  ports: RecoverPorts,
): Promise<void> {
  const pieces = exportTar(snapshot, progressOptions('exported', ports));
  if (to === '-') {
    for await (const piece of pieces) {
      await ports.write(piece);
    }
    return;
  }
  await assertFree(to);
  const partial = `${to}.partial`;
  let bytes = 0;
  try {
    await using file = await open(partial, 'w', 0o600);
    for await (const piece of pieces) {
      await file.appendFile(piece);
      bytes += piece.length;
    }
    await file.sync();
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
  await assertFree(to);
  await rename(partial, to);
  await syncDirectory(dirname(to));
  ports.print(`${snapshot.artefactPath} exported to ${to}: ${formatBytes(bytes)}\n`);
}

async function assertFree(path: string): Promise<void> {
  try {
    await lstat(path);
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) {
      return;
    }
    throw error;
  }
  throw new HintError(`cannot export to ${path}: there is something already`, {
    code: 'already-exists',
    hint: 'choose another name',
  });
}

/**
 * There is a backup only when all that the file holds agrees with its checksums.
 * @throws SnapshotError `invalid-entry` when the file is no tar, `damaged` when it is not what was exported
 */
export async function importFile(
  store: ObjectStore,
  task: ImportTask,
  ports: RecoverPorts,
): Promise<void> {
  const { signal, print, clock } = ports;
  const place = { path: task.path, model: task.model, app: task.app };
  const chunkPrefix = chunkPrefixFor(place);
  const content = await importTar(await openFile(task.file));
  const key = await keyFor(task, { store, chunkPrefix, signal });
  if (!content.hasChecksums) {
    ports.note('the file holds no checksums, so that it is taken in as it is\n');
  }
  const jobId = `import-${randomUUID()}`;
  const summary = await writeSnapshot({
    store,
    artefactPath: artefactPathFor({ ...place, jobId, time: clock.now() }),
    chunkPrefix,
    entries: content.entries,
    compression: true,
    attributes: attributesFor(task, jobId, content),
    clock,
    onProgress: importProgress(ports),
    signal,
    ...(key === undefined ? {} : { key }),
  });
  print(`${summary.artefactPath}\n`);
}

async function openFile(path: string): Promise<AsyncIterable<Uint8Array>> {
  if (path === '-') {
    return process.stdin as AsyncIterable<Uint8Array>;
  }
  try {
    return (await open(path)).createReadStream() as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw unreadableFile(path, '--import', error);
  }
}

/**
 * Those of the original, for its engine; where and when that was made under names of their own. Without the UUID of its model
 * no retention counts it among the backups of the application.
 */
function attributesFor(
  { model, app }: ImportTask,
  jobId: string,
  { attributes, origin }: PortableContent,
): PortableContent['attributes'] {
  const { label, ...others } = attributes;
  const replaced = ['model', 'model-uuid', 'application', 'unit', 'job-id'];
  const kept = Object.entries(others).filter(([name]) => !replaced.includes(name));
  const originals = Object.entries(others)
    .filter(([name]) => replaced.includes(name))
    .map(([name, value]) => [`original-${name}`, value] as const);
  const made = origin.createdAt === undefined ? '' : `, made ${origin.createdAt}`;
  return {
    ...Object.fromEntries([...kept, ...originals]),
    ...(origin.artefactPath === undefined ? {} : { 'original-artefact-path': origin.artefactPath }),
    ...(origin.createdAt === undefined ? {} : { 'original-created-at': origin.createdAt }),
    model,
    application: app,
    'job-id': jobId,
    label: typeof label === 'string' ? `${label} (imported${made})` : `imported${made}`,
  };
}

async function keyFor(
  { keyFile, isUnencrypted }: ImportTask,
  place: {
    readonly store: ObjectStore;
    readonly chunkPrefix: string;
    readonly signal: AbortSignal;
  },
) {
  if (keyFile === undefined) {
    await (isUnencrypted ? undefined : assertPlain(place));
    return undefined;
  }
  const text = await readText(keyFile, '--key-file');
  if (isRecoveryKit(text)) {
    throw new HintError('cannot encrypt with a recovery kit', {
      code: 'usage',
      hint: 'give a file with the passphrase',
    });
  }
  return (await ensureKey(place, text.trim())).current;
}

/** Among encrypted backups one in plain is more likely a slip than a wish. */
async function assertPlain({
  store,
  chunkPrefix,
  signal,
}: {
  readonly store: ObjectStore;
  readonly chunkPrefix: string;
  readonly signal: AbortSignal;
}): Promise<void> {
  for await (const { key } of store.list(chunkPrefix.replace(/chunks\/$/, 'keys/'), { signal })) {
    throw new HintError(`the backups of this application are encrypted: there is ${key}`, {
      code: 'key-needed',
      hint: 'give a file with the passphrase as --key-file, or ask for a readable backup with --unencrypted',
    });
  }
}
