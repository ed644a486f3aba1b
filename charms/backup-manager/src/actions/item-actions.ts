/** Actions about what is in a backup: list-items and restore-item. */
import type { ActionEvent } from '#ops';
import type { ItemSummary } from '#snapshots';
import { formatBytes, HintError } from '#system';
import type { BackupManagerTypes } from '../charm-types.ts';
import { assertAgreed } from '../features.ts';
import type { Manager } from '../manager.ts';
import { definedOnly, type FlatRecord, timeText } from '../presentation.ts';
import type { ItemListing } from '../storage.ts';
import { textTable } from '../table.ts';
import {
  assertLeader,
  limitParameter,
  quote,
  requiredParameter,
  textParameter,
  wantsJson,
} from './action-checks.ts';
import { assertReadable, assertUnlockable, findBackup, restoreTarget } from './find-backup.ts';
import { jsonList } from './lists.ts';
import { featuresOf, newJob, report } from './new-job.ts';

type Actions = BackupManagerTypes['actions'];

/** What lies in one directory of a backup, as `ls` tells it. Every unit answers it. */
export async function listItems(
  event: ActionEvent<Actions['list-items']>,
  manager: Manager,
): Promise<void> {
  const path = pathParameter(event, manager);
  const directory = bare(textParameter(event, 'path') ?? '');
  const limit = limitParameter(event);
  const json = wantsJson(event);
  const { items, artefactPath } = await lookInto(manager, path, directory);
  if (items.length === 0) {
    throw new HintError(`${quote(artefactPath)} holds nothing at ${quote(directory)}`, {
      code: 'no-such-entry',
      hint: `run: juju run ${manager.unitName} list-items artefact-path=${artefactPath}`,
    });
  }
  const shown = items.toSorted(byName).slice(0, limit);
  const hidden = items.length - shown.length;
  event.setResults({
    items: json ? jsonList(shown.map(itemRecord)) : itemsTable(shown),
    'artefact-path': artefactPath,
    count: items.length,
    ...(hidden === 0
      ? {}
      : { note: `${hidden} more are not shown; raise limit, or name a path in it` }),
  });
}

/** A job that restores some of it beside the live data. */
export async function restoreItem(
  event: ActionEvent<Actions['restore-item']>,
  manager: Manager,
): Promise<void> {
  assertLeader(manager, event);
  const backup = await findBackup(manager, pathParameter(event, manager));
  const list = `run: juju run ${manager.unitName} list-items artefact-path=${backup.artefactPath}`;
  const item = bare(requiredParameter(event, 'path', list));
  const target = restoreTarget(manager, backup, textParameter(event, 'database'));
  assertAgreed(featuresOf(manager, [target]), 'restore-item', {
    wish: 'restoring single items and would restore all of it over the live data, so nothing was asked',
    hint: 'refresh its charm, or use the recover program: see docs/disaster-recovery.md',
  });
  assertReadable(manager, target, backup);
  await lookFor(manager, backup.artefactPath, item, list);
  const job = {
    ...newJob(manager, 'restore'),
    artefactPath: backup.artefactPath,
    items: [item],
  };
  manager.request([{ target, job }]);
  report(event, manager, [{ target, job }]);
}

/** A slip in the path shall be told at once; where looking takes too long, the job tells. */
async function lookFor(manager: Manager, path: string, item: string, hint: string): Promise<void> {
  const { items } = await lookInto(manager, path, parentOf(item));
  if (!items.some((one) => one.path === item)) {
    throw new HintError(`${quote(path)} holds no ${quote(item)}`, { code: 'no-such-entry', hint });
  }
}

async function lookInto(manager: Manager, path: string, directory: string): Promise<ItemListing> {
  const backup = await manager.askStorage(
    async (storage, config, signal) => await storage.open(config, path, { signal }),
  );
  assertUnlockable(manager, backup);
  const passphrases = backup.keyId === undefined ? undefined : manager.encryption.passphrases();
  return await manager.askStorage(
    async (storage, config, signal) =>
      await storage.items(config, path, { signal, directory, passphrases }),
  );
}

function itemsTable(items: readonly ItemSummary[]): string {
  return textTable(
    ['TYPE', 'SIZE', 'FILES', 'MODIFIED', 'OWNER', 'PATH'],
    items.map(({ kind, bytes, files, modifiedAt, owner, path }) => [
      kind,
      kind === 'symlink' ? '-' : formatBytes(bytes),
      kind === 'directory' ? String(files) : '-',
      modifiedAt === undefined ? '-' : timeText(modifiedAt),
      owner ?? '-',
      kind === 'directory' ? `${path}/` : path,
    ]),
  );
}

function itemRecord({
  path,
  kind,
  bytes,
  files,
  modifiedAt,
  mode,
  owner,
}: ItemSummary): FlatRecord {
  return definedOnly({
    path,
    type: kind,
    'size-bytes': bytes,
    files,
    'modified-at': modifiedAt,
    mode: mode === undefined ? undefined : mode.toString(8).padStart(4, '0'),
    owner,
  });
}

function byName(left: ItemSummary, right: ItemSummary): number {
  return left.path < right.path ? -1 : 1;
}

function pathParameter(
  event: ActionEvent<Actions['list-items'] | Actions['restore-item']>,
  manager: Manager,
): string {
  const list = `run: juju run ${manager.unitName} list-backups`;
  return requiredParameter(event, 'artefact-path', list);
}

/** As a backup spells it: without slashes around it, and without `./`. */
function bare(path: string): string {
  return path.replaceAll(/^(?:\.?\/+)+|\/+$/g, '');
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}
