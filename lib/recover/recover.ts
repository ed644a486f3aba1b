/** Brings back backups without a charm, a Juju or this project: what remains when everything else is lost. */
import { open } from 'node:fs/promises';
import type { ObjectStore } from '#object-store';
import { isAtOrBelow, listSnapshots, openSnapshot, type Snapshot } from '#snapshots';
import { formatBytes, formatDuration } from '#system';
import { openSource, readKeys } from './open-source.ts';
import { parseTask, type Task, USAGE } from './options.ts';
import { exportFile, importFile } from './portable-file.ts';
import { progressOptions } from './progress.ts';
import type { RecoverPorts } from './recover-ports.ts';

/** Does what the arguments say. @throws HintError for a person to read */
export async function recover(args: readonly string[], ports: RecoverPorts): Promise<void> {
  const task = parseTask(args);
  if (task.kind === 'help') {
    ports.print(USAGE);
    return;
  }
  const source = await openSource(task.source, ports.environment);
  try {
    await perform(task, source.store, ports);
  } finally {
    source.close();
  }
}

async function perform(
  task: Exclude<Task, { readonly kind: 'help' }>,
  store: ObjectStore,
  ports: RecoverPorts,
): Promise<void> {
  if (task.kind === 'list') {
    await list(store, task.path, ports);
    return;
  }
  if (task.kind === 'import') {
    await importFile(store, task, ports);
    return;
  }
  const { signal } = ports;
  const keys = await readKeys(task, store);
  const snapshot = await openSnapshot(store, task.artefactPath, { signal, keys });
  switch (task.kind) {
    case 'items':
      for await (const { kind, path, size } of snapshot.entries({ signal })) {
        ports.print(`${kind.padEnd(9)} ${String(size).padStart(14)} ${path}\n`);
      }
      return;
    case 'verify':
      await verify(snapshot, ports);
      return;
    case 'restore':
      await restore(snapshot, task.to, ports);
      return;
    case 'export':
      await exportFile(snapshot, task.to, ports);
      return;
    case 'item':
      await restoreItem(snapshot, task, ports);
  }
}

async function list(store: ObjectStore, path: string, ports: RecoverPorts): Promise<void> {
  const { snapshots, unusable } = await listSnapshots(store, path, { signal: ports.signal });
  for (const { artefactPath, manifest } of snapshots) {
    const { engine } = manifest.attributes;
    const kind = typeof engine === 'string' ? engine : 'unknown engine';
    const size = formatBytes(manifest.totals.bytes);
    ports.print(`${manifest.createdAt}  ${size.padStart(10)}  ${kind}  ${artefactPath}\n`);
  }
  for (const { artefactPath, message } of unusable) {
    ports.note(`left out: ${artefactPath}: ${message}\n`);
  }
  if (snapshots.length === 0) {
    ports.note(`no complete backup lies below ${JSON.stringify(path)} in ${store.description}\n`);
  }
}

async function verify(snapshot: Snapshot, ports: RecoverPorts): Promise<void> {
  const started = performance.now();
  const { files, bytes } = await snapshot.verify(progressOptions('verified', ports));
  const duration = formatDuration(performance.now() - started);
  ports.print(`sound: ${files} files, ${formatBytes(bytes)}, read in ${duration}\n`);
}

async function restore(snapshot: Snapshot, directory: string, ports: RecoverPorts): Promise<void> {
  const started = performance.now();
  const { files, bytes } = await snapshot.restoreTo({
    directory,
    ...progressOptions('restored', ports),
  });
  const duration = formatDuration(performance.now() - started);
  ports.print(`${files} files, ${formatBytes(bytes)} restored to ${directory} in ${duration}\n`);
  ports.print(`${describeOrigin(snapshot)}\n`);
}

function describeOrigin({ manifest }: Snapshot): string {
  const { attributes, createdAt } = manifest;
  const facts = Object.entries(attributes)
    .filter((fact): fact is [string, string] => typeof fact[1] === 'string')
    .map(([name, value]) => `  ${name}: ${value}`);
  return [`made ${createdAt} of`, ...facts].join('\n');
}

async function restoreItem(
  snapshot: Snapshot,
  { item: given, to }: { readonly item: string; readonly to: string },
  ports: RecoverPorts,
): Promise<void> {
  const item = given.replaceAll(/^(?:\.?\/+)+|\/+$/g, '');
  if (await isDirectory(snapshot, item, ports)) {
    await restoreDirectory(snapshot, { item, to }, ports);
    return;
  }
  const pieces = snapshot.read(item, { signal: ports.signal });
  if (to === '-') {
    for await (const piece of pieces) {
      await ports.write(piece);
    }
    return;
  }
  // Never over something that is there.
  await using file = await open(to, 'wx', 0o600);
  let bytes = 0;
  for await (const piece of pieces) {
    await file.appendFile(piece);
    bytes += piece.length;
  }
  await file.sync();
  ports.print(`${item}: ${formatBytes(bytes)} restored to ${to}\n`);
}

async function isDirectory(
  snapshot: Snapshot,
  item: string,
  { signal }: RecoverPorts,
): Promise<boolean> {
  for await (const { path, kind } of snapshot.entries({ signal })) {
    if (isAtOrBelow(path, item)) {
      return path !== item || kind === 'directory';
    }
  }
  return false;
}

/** With the directories it lies in, as in the backup. */
async function restoreDirectory(
  snapshot: Snapshot,
  { item, to }: { readonly item: string; readonly to: string },
  ports: RecoverPorts,
): Promise<void> {
  const { files, bytes } = await snapshot.restoreTo({
    directory: to,
    select: (path) => isAtOrBelow(path, item),
    signal: ports.signal,
  });
  ports.print(`${item}: ${files} files, ${formatBytes(bytes)} restored to ${to}\n`);
}
