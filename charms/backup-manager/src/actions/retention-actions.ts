/** Actions about what retention and sweeps would do, and the sweep itself. */
import type { ActionEvent } from '#ops';
import type { RetentionDecision } from '#snapshots';
import { HintError } from '#system';
import { retentionTable } from '../backup-presentation.ts';
import type { BackupManagerTypes } from '../charm-types.ts';
import type { LastBackups } from '../history.ts';
import type { Manager } from '../manager.ts';
import {
  applicationPrefix,
  candidatesFor,
  type RetentionTarget,
  retentionTargets,
} from '../retention-targets.ts';
import type { BackupInfo } from '../storage.ts';
import {
  assertLeader,
  flagParameter,
  isNamed,
  quote,
  textParameter,
  wantsJson,
} from './action-checks.ts';
import { jsonList } from './lists.ts';

type Actions = BackupManagerTypes['actions'];

const MAX_ROWS = 200;

/** Explains each decision, and changes nothing. */
export async function planRetentionNow(
  event: ActionEvent<Actions['plan-retention']>,
  manager: Manager,
): Promise<void> {
  const { parseRetention, planFailed, planRetention } = await import('#snapshots');
  const text = textParameter(event, 'retention') ?? manager.retention ?? '';
  const rules = parseRetention(text);
  const json = wantsJson(event);
  if (rules === undefined) {
    throw new HintError('retention is off: all backups are kept', {
      code: 'no-retention',
      hint: `try rules with retention=last=3,daily=7, or set them: juju config ${manager.application} retention=last=3,daily=7`,
    });
  }
  const targets = chooseTargets(manager, textParameter(event, 'database'));
  const { backups, unfinished } = await manager.askStorage(
    async (storage, config, signal) => await storage.list(config, { signal }),
  );
  const now = manager.ports.clock.now();
  const plans = targets.map((target) => {
    const candidates = candidatesFor(target, backups)?.map(candidate);
    const decisions = candidates === undefined ? [] : planRetention(candidates, rules, now);
    // A sweep goes by the place alone.
    const attempts = unfinished
      .flatMap(({ attempt }) => attempt ?? [])
      .filter(({ artefactPath }) => applicationPrefix(artefactPath) === target.prefix);
    const failed = candidates === undefined ? [] : planFailed(attempts, { rules, now });
    return { target, isUnknown: candidates === undefined, decisions, failed };
  });
  const decisions = plans.flatMap((plan) => plan.decisions);
  const failed = plans.flatMap((plan) => plan.failed);
  const unknown = plans.filter(({ isUnknown }) => isUnknown);
  event.setResults({
    plan: json ? jsonList(decisions.map(decisionRecord)) : planText(decisions, now),
    ...(failed.length === 0
      ? {}
      : { failed: json ? jsonList(failed.map(decisionRecord)) : planText(failed, now) }),
    rules: text,
    keep: decisions.filter(({ keep }) => keep).length,
    delete: decisions.filter(({ keep }) => !keep).length,
    // Of models and applications that are gone, of other makes, of databases no longer related.
    untouched: backups.length - decisions.length,
    ...(unknown.length === 0
      ? {}
      : {
          note: `the last backup of ${unknown.map(({ target }) => target.database).join(', ')} is not in this bucket, so nothing is decided there`,
        }),
  });
}

/** Begins a sweep in the background. */
export async function sweepNow(
  event: ActionEvent<Actions['sweep']>,
  manager: Manager,
): Promise<void> {
  assertLeader(manager, event);
  const targets = chooseTargets(manager, textParameter(event, 'database'));
  const isDryRun = flagParameter(event, 'dry-run') === true;
  const rules = manager.retention;
  // Before anything goes that rules nobody can read might keep.
  (await import('#snapshots')).parseRetention(rules ?? '');
  const record = await manager.beginUpkeep({
    kind: 'sweep',
    subject: targets.map(({ database }) => database).join(', '),
    prefixes: targets.map(({ prefix }) => prefix),
    isDryRun,
    ...(rules === undefined ? {} : { rules }),
  });
  event.setResults({
    'job-id': record.id,
    message: `${isDryRun ? 'looking for' : 'removing'} what no backup of ${record.subject} needs`,
    follow: `juju run ${manager.unitName} show-job job-id=${record.id}`,
  });
}

/** @throws HintError where none was backed up over a living relation */
export function chooseTargets(
  manager: Manager,
  database: string | undefined,
): readonly RetentionTarget[] {
  const wanted: LastBackups = new Map(
    [...manager.peers.lastBackups()].filter(([relationId, { database: name = '' }]) =>
      isNamed(database, { name, relationId }),
    ),
  );
  const targets = retentionTargets(wanted);
  if (targets.length === 0) {
    throw new HintError(
      `no backup was made ${database === undefined ? 'over a present relation' : `of ${quote(database)} over a present relation`}`,
      {
        code: 'nothing-to-do',
        hint: `backups of other databases are left alone; run: juju run ${manager.application}/leader create-backup`,
      },
    );
  }
  return targets;
}

function candidate({ artefactPath, createdAt, marks }: BackupInfo) {
  return {
    artefactPath,
    createdAt,
    verifiedAt: marks.verifiedAt,
    damagedAt: marks.damagedAt,
    isKept: marks.isKept,
    isPinned: marks.isPinned,
  };
}

function planText(decisions: readonly RetentionDecision[], now: Date): string {
  return decisions.length === 0
    ? 'no backup to decide about'
    : retentionTable(decisions.slice(0, MAX_ROWS), now);
}

function decisionRecord({ artefactPath, createdAt, keep, reasons }: RetentionDecision): object {
  return {
    'artefact-path': artefactPath,
    'created-at': createdAt,
    decision: keep ? 'keep' : 'delete',
    reasons,
  };
}
