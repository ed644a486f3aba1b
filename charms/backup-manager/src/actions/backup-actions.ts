/** Actions that do something to one backup: verify-backup, delete-backup and keep-backup. */
import type { ActionEvent } from '#ops';
import { formatBytes, formatDuration, HintError, hasErrorCode } from '#system';
import type { BackupManagerTypes } from '../charm-types.ts';
import type { Manager } from '../manager.ts';
import { assertLeader, flagParameter, requiredParameter, textParameter } from './action-checks.ts';
import { assertUnlockable } from './find-backup.ts';

type Actions = BackupManagerTypes['actions'];

const LEVELS = ['structure', 'sample', 'full'] as const;
type Level = (typeof LEVELS)[number];

/** Reads a part of it at once, or all of it in the background. */
export async function verifyBackup(
  event: ActionEvent<Actions['verify-backup']>,
  manager: Manager,
): Promise<void> {
  assertLeader(manager, event);
  const path = pathParameter(event, manager);
  const level = levelParameter(event);
  if (level === 'full') {
    await verifyInBackground(event, manager, path);
    return;
  }
  const { artefactPath, readBytes, neededBytes, elapsedMs } = await verifyNow(manager, path, level);
  if (level === 'sample') {
    const verifiedAt = manager.ports.clock.now().toISOString();
    manager.upkeep.note([{ artefactPath, verifiedAt }]);
  }
  event.setResults({
    'artefact-path': artefactPath,
    level,
    verdict: 'sound',
    'read-bytes': readBytes,
    'needed-bytes': neededBytes,
    message:
      level === 'structure'
        ? `its index is sound and all ${formatBytes(neededBytes)} are there`
        : `${formatBytes(readBytes)} of ${formatBytes(neededBytes)} read in ${formatDuration(elapsedMs)}, all sound`,
  });
}

/** Takes it out of the list, or brings it back. */
export async function deleteBackup(
  event: ActionEvent<Actions['delete-backup']>,
  manager: Manager,
): Promise<void> {
  assertLeader(manager, event);
  const path = pathParameter(event, manager);
  const force = flagParameter(event, 'force') === true;
  if (flagParameter(event, 'undelete') === true) {
    await manager.askStorage(
      async (storage, config, signal) => await storage.undelete(config, path, { signal }),
    );
    event.setResults({ 'artefact-path': path, message: 'it is back in the list' });
    return;
  }
  await manager.askStorage(
    async (storage, config, signal) => await storage.delete(config, path, { signal, force }),
  );
  event.setResults({
    'artefact-path': path,
    message: 'out of the list; its data go with a sweep after 72 h',
    'bring-back': `juju run ${manager.unitName} delete-backup artefact-path=${path} undelete=true`,
  });
}

/** Marks it as one that no retention deletes. */
export async function keepBackup(
  event: ActionEvent<Actions['keep-backup']>,
  manager: Manager,
): Promise<void> {
  assertLeader(manager, event);
  const path = pathParameter(event, manager);
  const isKept = flagParameter(event, 'keep') ?? true;
  await manager.askStorage(
    async (storage, config, signal) => await storage.setKept(config, path, { signal, isKept }),
  );
  event.setResults({
    'artefact-path': path,
    kept: isKept,
    message: isKept ? 'no retention deletes it' : 'retention decides about it as about others',
  });
}

async function verifyInBackground(
  event: ActionEvent<Actions['verify-backup']>,
  manager: Manager,
  path: string,
): Promise<void> {
  // A slip in the path shall be told at once.
  const backup = await manager.askStorage(
    async (storage, config, signal) => await storage.open(config, path, { signal }),
  );
  assertUnlockable(manager, backup);
  const { artefactPath, neededBytes } = backup;
  const task = { kind: 'verify', subject: artefactPath, artefactPath } as const;
  const record = await manager.beginUpkeep(task);
  event.setResults({
    'artefact-path': artefactPath,
    level: 'full',
    'job-id': record.id,
    message: `${formatBytes(neededBytes)} are being read in the background`,
    follow: `juju run ${manager.unitName} show-job job-id=${record.id}`,
  });
}

async function verifyNow(manager: Manager, path: string, level: 'structure' | 'sample') {
  const passphrases = manager.encryption.passphrases();
  try {
    return await manager.askStorage(
      async (storage, config, signal) =>
        await storage.verify(config, path, { level, signal, passphrases }),
    );
  } catch (error) {
    if (!hasErrorCode(error, 'unreachable')) {
      throw error;
    }
    throw new HintError(`level ${level} took too long for an action`, {
      code: 'too-slow',
      hint: `run: juju run ${manager.unitName} verify-backup artefact-path=${path} level=full`,
      cause: error,
    });
  }
}

function levelParameter(event: ActionEvent<Actions['verify-backup']>): Level {
  const value = textParameter(event, 'level') ?? 'sample';
  const level = LEVELS.find((one) => one === value);
  if (level === undefined) {
    throw new HintError(`level must be ${LEVELS.join(', ')}`, {
      code: 'invalid-parameter',
      hint: 'repeat with level=sample',
    });
  }
  return level;
}

function pathParameter(
  event: ActionEvent<Actions['verify-backup'] | Actions['delete-backup'] | Actions['keep-backup']>,
  manager: Manager,
): string {
  const list = `run: juju run ${manager.unitName} list-backups`;
  return requiredParameter(event, 'artefact-path', list);
}
