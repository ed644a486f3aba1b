/** Actions that ask databases for something: create-backup and restore. They return at once. */
import type { Job, RelatedDatabase } from '#database-backup';
import type { ActionEvent } from '#ops';
import { HintError, hasErrorCode } from '#system';
import {
  assertLeader,
  chooseDatabases,
  quote,
  requiredParameter,
  textParameter,
} from './action-checks.ts';
import type { BackupManagerTypes } from './charm-types.ts';
import type { Manager } from './manager.ts';
import type { BackupInfo } from './storage.ts';
import { textTable } from './table.ts';

type Actions = BackupManagerTypes['actions'];

/** One backup job for each related database, or for the one named. */
export async function createBackup(
  event: ActionEvent<Actions['create-backup']>,
  manager: Manager,
): Promise<void> {
  assertLeader(manager, event);
  const targets = chooseDatabases(manager, textParameter(event, 'database'));
  await assertStorage(manager);
  const requests = targets.map((target) => ({ target, job: newJob(manager, 'backup') }));
  manager.request(requests);
  report(event, manager, requests);
}

/** A restore job, after a look whether there is such a backup. */
export async function restore(
  event: ActionEvent<Actions['restore']>,
  manager: Manager,
): Promise<void> {
  assertLeader(manager, event);
  const path = requiredParameter(
    event,
    'artefact-path',
    `run: juju run ${manager.unitName} list-backups`,
  );
  const wanted = textParameter(event, 'database');
  if (wanted !== undefined) {
    chooseDatabases(manager, wanted);
  }
  const backup = await findBackup(manager, path);
  const target = restoreTarget(manager, backup, wanted);
  const job = { ...newJob(manager, 'restore'), artefactPath: backup.artefactPath };
  manager.request([{ target, job }]);
  report(event, manager, [{ target, job }]);
}

async function assertStorage(manager: Manager): Promise<void> {
  const fault = await manager.health.check();
  if (fault !== undefined) {
    throw new HintError(fault.message, { code: fault.code, hint: fault.hint });
  }
}

function newJob(manager: Manager, jobType: Job['jobType']): Job {
  return {
    jobId: manager.ports.newJobId(),
    jobType,
    compression: manager.compression,
    storageConfig: manager.storageConfig(),
    requestedAt: manager.ports.clock.now().toISOString(),
  };
}

/** What a restore needs to know of a backup. */
interface KnownBackup {
  readonly artefactPath: string;
  readonly application: string | undefined;
  /** Name of the model it was made in, where that is not this one. */
  readonly otherModel: string | undefined;
}

async function findBackup(manager: Manager, path: string): Promise<KnownBackup> {
  try {
    const backup = await manager.askStorage(
      async (storage, config, signal) => await storage.open(config, path, { signal }),
    );
    return {
      artefactPath: backup.artefactPath,
      application: backup.application,
      otherModel: isOfThisModel(manager, backup) ? undefined : (backup.model ?? 'unknown'),
    };
  } catch (error) {
    const known = madeByStranger(manager, path, error);
    if (known === undefined) {
      throw error;
    }
    return known;
  }
}

/** Names of models are reused; where the UUID was not recorded, the name has to do. */
function isOfThisModel({ model }: Manager, backup: BackupInfo): boolean {
  return backup.modelUuid === undefined
    ? backup.model === undefined || backup.model === model.name
    : backup.modelUuid === model.uuid;
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
    : { artefactPath: entry.artefactPath, application: entry.database, otherModel: undefined };
}

function bare(path: string): string {
  return path.trim().replaceAll(/^\/+|\/+$/g, '');
}

function restoreTarget(
  manager: Manager,
  backup: KnownBackup,
  wanted: string | undefined,
): RelatedDatabase {
  const isOurs = backup.otherModel === undefined;
  const name = wanted ?? (isOurs ? backup.application : undefined);
  const target = manager.databases().find((one) => one.name === name);
  if (target !== undefined) {
    return target;
  }
  const maker = `${quote(backup.application ?? 'unknown')}${isOurs ? '' : ` of another model, ${quote(backup.otherModel)}`}`;
  const related = manager.databases().map((one) => one.name);
  throw new HintError(
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

function report(
  event: ActionEvent,
  manager: Manager,
  requests: readonly { readonly target: RelatedDatabase; readonly job: Job }[],
): void {
  const ids = requests.map(({ job }) => job.jobId);
  event.setResults({
    jobs: textTable(
      ['JOB', 'DATABASE', 'TYPE'],
      requests.map(({ target, job }) => [job.jobId, target.name, job.jobType]),
    ),
    'job-ids': ids.join(','),
    ...(ids.length === 1 ? { 'job-id': ids.join('') } : {}),
    follow: `juju run ${manager.unitName} list-jobs`,
  });
}
