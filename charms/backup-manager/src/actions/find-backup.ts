/** Finds the backup somebody wants to restore, and the database it goes to. */
import type { RelatedDatabase } from '#database-backup';
import { HintError, hasErrorCode } from '#system';
import type { Manager } from '../manager.ts';
import { applicationPrefix, bare } from '../retention-targets.ts';
import type { BackupInfo } from '../storage.ts';
import { chooseDatabase, quote } from './action-checks.ts';
import { assertEncryption } from './new-job.ts';

/** What a restore needs to know of a backup. */
export interface KnownBackup {
  readonly artefactPath: string;
  readonly application: string | undefined;
  /** Name of the model it was made in, where that is not this one. */
  readonly otherModel: string | undefined;
  /** The relation over which this application's backups are made, where that is known. */
  readonly relationId?: number | undefined;
  /** When it was found damaged. */
  readonly damagedAt?: string | undefined;
  /** Names the key it is encrypted with. */
  readonly keyId?: string | undefined;
}

/** @throws HintError when there is no such backup */
export async function findBackup(manager: Manager, path: string): Promise<KnownBackup> {
  try {
    const backup = await manager.askStorage(
      async (storage, config, signal) => await storage.open(config, path, { signal }),
    );
    return {
      artefactPath: backup.artefactPath,
      application: backup.application,
      otherModel: isOfThisModel(manager, backup) ? undefined : (backup.model ?? 'unknown'),
      relationId: relationOf(manager, backup),
      damagedAt: backup.marks.damagedAt,
      keyId: backup.keyId,
    };
  } catch (error) {
    const known = madeByStranger(manager, path, error);
    if (known === undefined) {
      throw error;
    }
    return known;
  }
}

/** The database named, or else the one the backup was made of. @throws HintError naming what is related */
export function restoreTarget(
  manager: Manager,
  backup: KnownBackup,
  wanted: string | undefined,
): RelatedDatabase {
  if (wanted !== undefined) {
    return chooseDatabase(manager, wanted);
  }
  const databases = manager.databases();
  const maker = databases.find(({ relation }) => relation.id === backup.relationId);
  const isOurs = backup.otherModel === undefined;
  const targets = databases.filter(({ name }) => isOurs && name === backup.application);
  const target = maker ?? (targets.length === 1 ? targets[0] : undefined);
  if (target !== undefined) {
    return target;
  }
  throw unknownMaker(manager, backup);
}

/** @throws HintError where it is encrypted and there is no passphrase, or the database cannot decrypt */
export function assertReadable(
  manager: Manager,
  target: RelatedDatabase,
  { artefactPath, keyId }: KnownBackup,
): void {
  if (keyId === undefined) {
    return;
  }
  assertUnlockable(manager, { artefactPath, keyId });
  assertEncryption(manager, [target]);
}

/** @throws HintError `key-needed` where it is encrypted and there is no passphrase */
export function assertUnlockable(
  manager: Manager,
  { artefactPath, keyId }: Pick<KnownBackup, 'artefactPath' | 'keyId'>,
): void {
  if (keyId !== undefined && manager.encryption.passphrases() === undefined) {
    throw new HintError(`${quote(artefactPath)} is encrypted with key ${keyId}`, {
      code: 'key-needed',
      hint: `give the passphrase it was made with: juju config ${manager.application} encryption=secret:…`,
    });
  }
}

/** Names of models are reused; where the UUID was not recorded, the name has to do. */
function isOfThisModel({ model }: Manager, backup: BackupInfo): boolean {
  return backup.modelUuid === undefined
    ? backup.model === undefined || backup.model === model.name
    : backup.modelUuid === model.uuid;
}

/**
 * A database of another model goes by a name of its own here, perhaps `remote-…`; what it made for this manager lies
 * side by side, and says whose it is.
 */
function relationOf(manager: Manager, backup: BackupInfo): number | undefined {
  const prefix = applicationPrefix(backup.artefactPath);
  const owners = [...manager.peers.lastBackups().values()].filter(
    ({ artefactPath }) =>
      prefix !== undefined &&
      applicationPrefix(artefactPath ?? '') === prefix &&
      isMadeFor(manager, backup),
  );
  return owners.length === 1 ? owners[0]?.relationId : undefined;
}

/** Another model of the same name may have left backups at the same place. */
function isMadeFor(manager: Manager, backup: BackupInfo): boolean {
  return (
    isOfThisModel(manager, backup) ||
    manager
      .history()
      .some(({ artefactPath }) => bare(artefactPath ?? '') === bare(backup.artefactPath))
  );
}

/**
 * Other providers have formats of their own, which only they can check. An artefact that one of
 * them reported to us is passed back to it; one that has vanished is not.
 */
function madeByStranger(manager: Manager, path: string, error: unknown): KnownBackup | undefined {
  if (!hasErrorCode(error, 'not-a-backup') && !hasErrorCode(error, 'incomplete')) {
    return undefined;
  }
  const entry = manager
    .history()
    .find(
      (one) =>
        one.jobType === 'backup' &&
        one.state === 'success' &&
        one.artefactPath !== undefined &&
        bare(one.artefactPath) === bare(path),
    );
  return entry?.artefactPath === undefined
    ? undefined
    : {
        artefactPath: entry.artefactPath,
        application: entry.database,
        otherModel: undefined,
        relationId: entry.relationId,
      };
}

function unknownMaker(manager: Manager, backup: KnownBackup): HintError {
  const isOurs = backup.otherModel === undefined;
  const maker = `${quote(backup.application ?? 'unknown')}${isOurs ? '' : ` of another model, ${quote(backup.otherModel)}`}`;
  const related = manager.databases().map((one) => one.name);
  return new HintError(
    `${quote(backup.artefactPath)} was made by application ${maker}, which is not related`,
    {
      code: 'maker-not-related',
      hint:
        related.length === 0
          ? `relate a database, run: juju integrate <database> ${manager.application}`
          : `name the database to restore into with database=${related.length === 1 ? related.join('') : `… (one of ${related.join(', ')})`}`,
    },
  );
}
