/** What actions that ask databases for something share. */
import type { Job, JobDeadline, RelatedDatabase } from '#database-backup';
import type { ActionEvent } from '#ops';
import { HintError } from '#system';
import { assertAgreed, assertKnown } from '../features.ts';
import { heldText } from '../held-requests.ts';
import type { Manager } from '../manager.ts';
import { typeText } from '../presentation.ts';
import { newEntry } from '../reconcile.ts';
import { textTable } from '../table.ts';

/** A job of one database, to be asked for. */
export interface Request {
  readonly target: RelatedDatabase;
  readonly job: Job;
}

/** A job with the settings of this manager. @throws HintError when the storage settings are incomplete */
export function newJob(manager: Manager, jobType: Job['jobType']): Job {
  return {
    jobId: manager.ports.newJobId(),
    jobType,
    ...manager.jobOptions(jobType),
    storageConfig: manager.storageConfig(),
    requestedAt: manager.ports.clock.now().toISOString(),
  };
}

/** What the databases named understand beyond version 0. */
export function featuresOf(manager: Manager, targets: readonly RelatedDatabase[]) {
  return targets.map((target) => ({
    name: target.name,
    features: manager.features(target),
    isKnown: manager.isKnown(target),
  }));
}

/** @throws HintError where a deadline is given and a database would not keep to it */
export function assertDeadlines(
  manager: Manager,
  targets: readonly RelatedDatabase[],
  deadline: JobDeadline | undefined,
): void {
  if (deadline !== undefined) {
    assertAgreed(featuresOf(manager, targets), 'deadlines', {
      wish: 'deadlines',
      hint: 'repeat without them, or name one database that does with database=…',
    });
  }
}

/**
 * Never in plain what is to be encrypted, and never encrypted for a database that cannot read it.
 * @throws HintError where encryption cannot be had, or a database does not know it
 */
export function assertEncryption(manager: Manager, targets: readonly RelatedDatabase[]): void {
  if (manager.encryption.passphrases() === undefined) {
    return;
  }
  for (const target of targets) {
    const { name, relation } = target;
    const obstacle = manager.encryption.obstacle(relation);
    if (obstacle !== undefined) {
      assertKnown([{ name, isKnown: manager.isKnown(target) }]);
      throw new HintError(`nothing was asked, as it is to be encrypted: ${name} ${obstacle}`, {
        code: 'not-supported',
        hint: `refresh its charm, or name others with database=…; to back up in plain, run: juju config ${manager.application} --reset encryption`,
      });
    }
  }
}

/** The results of an action that asked for jobs. */
export function report(event: ActionEvent, manager: Manager, requests: readonly Request[]): void {
  const ids = requests.map(({ job }) => job.jobId);
  const now = manager.ports.clock.now();
  event.setResults({
    jobs: textTable(
      ['JOB', 'DATABASE', 'TYPE'],
      requests.map(({ target: { name, relation }, job }) => [
        job.jobId,
        name,
        typeText(newEntry(job, { relationId: relation.id, database: name, now })),
      ]),
    ),
    'job-ids': ids.join(','),
    ...(ids.length === 1 ? { 'job-id': ids.join('') } : {}),
    ...heldResult(manager, requests),
    follow: `juju run ${manager.unitName} list-jobs`,
  });
}

function heldResult(manager: Manager, requests: readonly Request[]): { readonly held?: string } {
  const held = requests.filter(({ target }) => !manager.isKnown(target));
  return held.length === 0
    ? {}
    : { held: held.map(({ target }) => heldText(target.name)).join('; ') };
}
