/** One file out of a backup, and a backup out of one file. */
import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import type { ObjectStore } from '#object-store';
import {
  artefactPathFor,
  chunkPrefixFor,
  ensureKey,
  exportTar,
  importTar,
  type Snapshot,
  writeSnapshot,
} from '#snapshots';
import { formatBytes, HintError } from '#system';
import { isRecoveryKit, readText } from './open-source.ts';
import type { ImportTask } from './options.ts';
import type { RecoverPorts } from './recover.ts';

/** Writes the file beside its name first: a file of that name is always a whole one. */
export async function exportFile(
  snapshot: Snapshot,
  to: string,
  { signal, print, write }: RecoverPorts,
): Promise<void> {
  const pieces = exportTar(snapshot, { signal });
  if (to === '-') {
    for await (const piece of pieces) {
      await write(piece);
    }
    return;
  }
  // Never over something that is there.
  await using file = await open(to, 'wx', 0o600);
  let bytes = 0;
  try {
    for await (const piece of pieces) {
      await file.appendFile(piece);
      bytes += piece.length;
    }
    await file.sync();
  } catch (error) {
    await rm(to, { force: true });
    throw error;
  }
  print(`${snapshot.artefactPath} exported to ${to}: ${formatBytes(bytes)}\n`);
}

/** @throws SnapshotError `invalid-entry` when the file is no tar; then there is no backup of it */
export async function importFile(
  store: ObjectStore,
  task: ImportTask,
  { signal, print, clock }: RecoverPorts,
): Promise<void> {
  const place = { path: task.path, model: task.model, app: task.app };
  const chunkPrefix = chunkPrefixFor(place);
  const bytes = task.file === '-' ? process.stdin : createReadStream(task.file);
  const { attributes, entries } = await importTar(bytes as AsyncIterable<Uint8Array>);
  const jobId = `import-${randomUUID()}`;
  const key = await keyFor(task, { store, chunkPrefix, signal });
  const summary = await writeSnapshot({
    store,
    artefactPath: artefactPathFor({ ...place, jobId, time: clock.now() }),
    chunkPrefix,
    entries,
    compression: true,
    attributes: { ...attributes, 'job-id': jobId, 'imported-to': `${task.model}/${task.app}` },
    clock,
    signal,
    ...(key === undefined ? {} : { key }),
  });
  print(`${summary.artefactPath}\n`);
}

async function keyFor(
  { keyFile }: ImportTask,
  place: {
    readonly store: ObjectStore;
    readonly chunkPrefix: string;
    readonly signal: AbortSignal;
  },
) {
  if (keyFile === undefined) {
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
