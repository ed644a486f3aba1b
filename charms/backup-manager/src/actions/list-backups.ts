/** Actions that look at backups in the bucket: list-backups and show-backup. Every unit answers them. */
import type { ActionEvent } from '#ops';
import { backupDetails, backupRecord, backupsTable, deletedTable } from '../backup-presentation.ts';
import type { BackupManagerTypes } from '../charm-types.ts';
import type { Manager } from '../manager.ts';
import { applicationPrefix } from '../retention-targets.ts';
import type { BackupListing } from '../storage.ts';
import {
  flagParameter,
  isNamed,
  limitParameter,
  quote,
  requiredParameter,
  textParameter,
  wantsJson,
} from './action-checks.ts';
import { hiddenNote, jsonList } from './lists.ts';

type Actions = BackupManagerTypes['actions'];

/** What the bucket holds, newest first. */
export async function listBackups(
  event: ActionEvent<Actions['list-backups']>,
  manager: Manager,
): Promise<void> {
  const database = textParameter(event, 'database');
  const limit = limitParameter(event);
  const json = wantsJson(event);
  const wantsDeleted = flagParameter(event, 'deleted') === true;
  const listing = await manager.askStorage(
    async (storage, config, signal) => await storage.list(config, { signal }),
  );
  const options = { database, limit, json };
  event.setResults({
    ...(wantsDeleted
      ? deletedOnes(manager, listing, options)
      : usableOnes(manager, listing, options)),
    unfinished: listing.unfinished.length,
    deleted: listing.deleted.length,
  });
}

/** Everything known about one backup. */
export async function showBackup(
  event: ActionEvent<Actions['show-backup']>,
  manager: Manager,
): Promise<void> {
  const list = `run: juju run ${manager.unitName} list-backups`;
  const path = requiredParameter(event, 'artefact-path', list);
  const backup = await manager.askStorage(
    async (storage, config, signal) => await storage.open(config, path, { signal }),
  );
  event.setResults(backupDetails(backup, manager.ports.clock.now()));
}

interface ListOptions {
  readonly database: string | undefined;
  readonly limit: number;
  readonly json: boolean;
}

function usableOnes(
  manager: Manager,
  listing: BackupListing,
  { database, limit, json }: ListOptions,
) {
  const isOf = belongingTo(manager, database);
  const now = manager.ports.clock.now();
  const backups = listing.backups
    .filter((backup) => isOf(backup.artefactPath, backup.application))
    .toSorted((a, b) => (a.createdAt < b.createdAt ? 1 : -1));
  const shown = backups.slice(0, limit);
  return {
    backups: json
      ? jsonList(shown.map((backup) => backupRecord(backup, now)))
      : shown.length === 0
        ? `none${database === undefined ? '' : ` of ${quote(database)}`} in ${placeOf(manager)}`
        : backupsTable(shown, now),
    count: backups.length,
    ...hiddenNote(backups.length, shown.length),
  };
}

function deletedOnes(
  manager: Manager,
  listing: BackupListing,
  { database, limit, json }: ListOptions,
) {
  const isOf = belongingTo(manager, database);
  const deleted = listing.deleted
    .filter(({ artefactPath }) => isOf(artefactPath, applicationOf(artefactPath)))
    .toSorted((a, b) => (a.deletedAt < b.deletedAt ? 1 : -1));
  const shown = deleted.slice(0, limit);
  return {
    backups: json
      ? jsonList(
          shown.map((one) => ({ 'artefact-path': one.artefactPath, 'deleted-at': one.deletedAt })),
        )
      : shown.length === 0
        ? `none that was deleted can be brought back in ${placeOf(manager)}`
        : deletedTable(shown, manager.ports.clock.now()),
    count: deleted.length,
    ...hiddenNote(deleted.length, shown.length),
  };
}

/**
 * Whether a backup is one of this database: by the name of the application that made it, or, where a database of
 * another model goes by another name here, by the place of what it made for this manager.
 */
function belongingTo(
  manager: Manager,
  database: string | undefined,
): (artefactPath: string, application: string | undefined) => boolean {
  if (database === undefined) {
    return () => true;
  }
  const prefixes = new Set(
    [...manager.peers.lastBackups().values()]
      .filter(({ database: name = '', relationId }) => isNamed(database, { name, relationId }))
      .map(({ artefactPath }) => applicationPrefix(artefactPath ?? '')),
  );
  return (artefactPath, application) => {
    const prefix = applicationPrefix(artefactPath);
    return application === database || (prefix !== undefined && prefixes.has(prefix));
  };
}

function applicationOf(artefactPath: string): string | undefined {
  return applicationPrefix(artefactPath)?.split('/').at(-2);
}

/** The bucket, and the path in it, in words. */
function placeOf(manager: Manager): string {
  const { bucket, path } = manager.storageConfig();
  return `bucket ${quote(bucket)}${path === undefined ? '' : ` below ${quote(path)}`}`;
}
