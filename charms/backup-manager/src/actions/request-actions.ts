/** Actions that ask databases for something: create-backup and restore. They return at once. */
import type { Job, RelatedDatabase } from '#database-backup';
import type { ActionEvent } from '#ops';
import { HintError } from '#system';
import type { BackupManagerTypes } from '../charm-types.ts';
import { assertAgreed } from '../features.ts';
import type { Manager } from '../manager.ts';
import {
  assertLeader,
  chooseDatabase,
  chooseDatabases,
  deadlineParameters,
  flagParameter,
  quote,
  requiredParameter,
  textParameter,
} from './action-checks.ts';
import { assertReadable, findBackup, type KnownBackup, restoreTarget } from './find-backup.ts';
import { assertDeadlines, assertEncryption, featuresOf, newJob, report } from './new-job.ts';

type Actions = BackupManagerTypes['actions'];

const MAX_LABEL = 200;

/** One backup job for each related database, or for the one named. */
export async function createBackup(
  event: ActionEvent<Actions['create-backup']>,
  manager: Manager,
): Promise<void> {
  assertLeader(manager, event);
  const targets = chooseDatabases(manager, textParameter(event, 'database'));
  const wishes = {
    ...withDefined('compression', flagParameter(event, 'compression')),
    ...withDefined('label', labelParameter(event)),
    ...withDefined('deadline', deadlineParameters(event)),
  };
  assertDeadlines(manager, targets, wishes.deadline);
  assertEncryption(manager, targets);
  await assertStorage(manager);
  const requests = targets.map((target) => ({
    target,
    job: { ...newJob(manager, 'backup'), ...wishes },
  }));
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
  const wishes = {
    ...withDefined('isDryRun', flagParameter(event, 'dry-run') || undefined),
    ...withDefined('isForced', flagParameter(event, 'force') || undefined),
    ...withDefined('deadline', deadlineParameters(event)),
  };
  if (wanted !== undefined) {
    chooseDatabase(manager, wanted);
  }
  const backup = await findBackup(manager, path);
  assertSound(manager, backup, wishes.isForced === true);
  const target = restoreTarget(manager, backup, wanted);
  assertUnderstood(manager, target, wishes);
  assertReadable(manager, target, backup);
  const job = { ...newJob(manager, 'restore'), artefactPath: backup.artefactPath, ...wishes };
  manager.request([{ target, job }]);
  report(event, manager, [{ target, job }]);
}

async function assertStorage(manager: Manager): Promise<void> {
  const fault = await manager.health.check();
  if (fault !== undefined) {
    throw new HintError(fault.message, { code: fault.code, hint: fault.hint });
  }
}

function assertSound(manager: Manager, backup: KnownBackup, isForced: boolean): void {
  if (backup.damagedAt !== undefined && !isForced) {
    const path = backup.artefactPath;
    throw new HintError(`${quote(path)} was found damaged at ${backup.damagedAt}`, {
      code: 'damaged',
      hint: `choose another one; if you have repaired it, run: juju run ${manager.unitName} verify-backup artefact-path=${path}; or insist with force=true`,
    });
  }
}

/** A wish that is ignored would replace data that were to stay, or not be kept: so it is refused here. */
function assertUnderstood(
  manager: Manager,
  target: RelatedDatabase,
  wishes: Pick<Job, 'isDryRun' | 'isForced' | 'deadline'>,
): void {
  assertDeadlines(manager, [target], wishes.deadline);
  const features = featuresOf(manager, [target]);
  if (wishes.isDryRun === true) {
    assertAgreed(features, 'dry-run', {
      wish: 'a dry run and would restore in earnest, so nothing was asked',
      hint: 'restore into another database, or refresh its charm',
    });
  }
  if (wishes.isForced === true) {
    const hint = 'repeat without force, or refresh its charm';
    assertAgreed(features, 'force', { wish: 'force', hint });
  }
}

function labelParameter(event: ActionEvent<Actions['create-backup']>): string | undefined {
  const label = textParameter(event, 'label');
  if (label !== undefined && label.length > MAX_LABEL) {
    throw new HintError(`label must have at most ${MAX_LABEL} characters`, {
      code: 'invalid-parameter',
      hint: 'repeat with a shorter one',
    });
  }
  return label;
}

function withDefined<Name extends string, Value>(
  name: Name,
  value: Value | undefined,
): { readonly [key in Name]?: Value } {
  return value === undefined ? {} : ({ [name]: value } as { readonly [key in Name]: Value });
}
