/**
 * What a finished hook changes in the model beside what the charm wrote: the unit's memory of what
 * it has been told. Inside a transaction, so that a hook is either told and done, or neither.
 */
import type { RelationMemory, UnitDocument } from '../model/documents.ts';
import type {
  HookInfo,
  LifecycleHookInfo,
  RelationHookInfo,
  SecretHookInfo,
  StorageHookInfo,
} from '../model/hook-info.ts';
import { bagId, NOTHING_SEEN } from '../model/relations.ts';
import { removeRelationIfEmpty, removeUnit } from '../model/removal.ts';
import { afterExpiry, afterRotation } from '../model/secret-timers.ts';
import { dropAttachment } from '../model/storage.ts';
import { subordinatesOf } from '../model/subordinates.ts';
import type { Patch, Transaction } from '../store/store.ts';

/** Marks `hook` as done: no longer pending, its news no longer news. */
export function finishHook(
  transaction: Transaction,
  unitName: string,
  hook: HookInfo,
  now: string,
): void {
  transaction.patch('unit', unitName, { pending: undefined, lastHookAt: now });
  if (hook.byHand === true) {
    return;
  }
  switch (hook.kind) {
    case 'lifecycle':
      finishLifecycle(transaction, unitName, hook);
      break;
    case 'relation':
      finishRelation(transaction, unitName, hook);
      break;
    case 'secret':
      finishSecret(transaction, unitName, hook, now);
      break;
    case 'storage':
      finishStorage(transaction, hook, now);
      break;
  }
}

function finishLifecycle(
  transaction: Transaction,
  unitName: string,
  hook: LifecycleHookInfo,
): void {
  if (hook.name === 'remove') {
    // It stays until its subordinates, which share its machine, are gone.
    if (subordinatesOf(transaction, unitName).length > 0) {
      transaction.patch('unit', unitName, { removed: true });
    } else {
      removeUnit(transaction, unitName);
    }
    return;
  }
  transaction.patch(
    'unit',
    unitName,
    LIFECYCLE_CHANGES[hook.name](transaction, unitName, hook.version),
  );
}

const LIFECYCLE_CHANGES: Readonly<
  Record<
    LifecycleHookInfo['name'],
    (transaction: Transaction, unitName: string, version?: number) => Patch<UnitDocument>
  >
> = {
  install: () => ({ installed: true }),
  start: () => ({ started: true, rebooted: undefined }),
  stop: () => ({ stopped: true }),
  remove: () => ({}),
  'config-changed': configChanges,
  'upgrade-charm': afterUpgrade,
  'leader-elected': () => ({}),
  'leader-settings-changed': (_transaction, _unit, version) =>
    version === undefined ? {} : { leaderSettingsSeen: version },
  'update-status': () => ({}),
};

/** What a charm makes of its configuration may have changed with the charm. */
function afterUpgrade(transaction: Transaction, unitName: string): Patch<UnitDocument> {
  const { application } = transaction.require('unit', unitName);
  const { configVersion } = transaction.require('application', application);
  return {
    pending: {
      hook: { kind: 'lifecycle', name: 'config-changed', version: configVersion },
      state: 'queued',
      failures: 0,
    },
  };
}

/** A unit that never started does so after its first config-changed. */
function configChanges(
  transaction: Transaction,
  unitName: string,
  version?: number,
): Patch<UnitDocument> {
  const seen = version === undefined ? {} : { configSeen: version };
  return transaction.require('unit', unitName).started
    ? seen
    : {
        ...seen,
        pending: { hook: { kind: 'lifecycle', name: 'start' }, state: 'queued', failures: 0 },
      };
}

function finishRelation(transaction: Transaction, unitName: string, hook: RelationHookInfo): void {
  const unit = transaction.require('unit', unitName);
  const key = String(hook.relation);
  const memory = unit.relations[key] ?? NOTHING_SEEN;
  transaction.patch('unit', unitName, {
    relations: { ...unit.relations, [key]: remember(memory, hook) },
  });
  if (hook.step === 'broken') {
    leaveScope(transaction, hook.relation, unitName);
    removeRelationIfEmpty(transaction, hook.relation);
  }
}

function remember(memory: RelationMemory, hook: RelationHookInfo): RelationMemory {
  const { remoteUnit, version } = hook;
  switch (hook.step) {
    case 'created':
      return { ...memory, created: true };
    case 'broken':
      return { ...memory, broken: true };
    case 'joined':
      return { ...memory, members: { ...memory.members, [remoteUnit ?? '']: {} } };
    case 'departed':
      return {
        ...memory,
        members: Object.fromEntries(
          Object.entries(memory.members).filter(([name]) => name !== remoteUnit),
        ),
      };
    case 'changed':
      return remoteUnit === undefined
        ? { ...memory, appVersion: version ?? memory.appVersion }
        : {
            ...memory,
            members: { ...memory.members, [remoteUnit]: { version: version ?? 0 } },
          };
  }
}

function leaveScope(transaction: Transaction, relation: number, unit: string): void {
  const id = bagId(relation, unit);
  if (transaction.get('bag', id) !== undefined) {
    transaction.patch('bag', id, { inScope: false });
  }
}

function finishSecret(
  transaction: Transaction,
  unitName: string,
  hook: SecretHookInfo,
  at: string,
): void {
  const secret = transaction.get('secret', hook.secret);
  if (secret === undefined) {
    return;
  }
  if (hook.step === 'rotate' || hook.step === 'expired') {
    const now = new Date(at);
    const next =
      hook.step === 'rotate'
        ? afterRotation(secret, { hadRevision: hook.revision, now })
        : afterExpiry(secret, hook.revision, now);
    transaction.put('secret', hook.secret, next);
    return;
  }
  if (hook.step === 'remove') {
    transaction.patch('secret', hook.secret, {
      revisions: secret.revisions.map((one) =>
        one.revision === hook.revision ? { ...one, obsoleteTold: true } : one,
      ),
    });
    return;
  }
  const consumer = secret.consumers[unitName];
  if (consumer !== undefined) {
    transaction.patch('secret', hook.secret, {
      consumers: { ...secret.consumers, [unitName]: { ...consumer, told: hook.revision } },
    });
  }
}

function finishStorage(transaction: Transaction, hook: StorageHookInfo, now: string): void {
  const attachment = transaction.get('storage', hook.storage)?.attachment;
  if (attachment === undefined) {
    return;
  }
  if (hook.step === 'detaching') {
    dropAttachment(transaction, hook.storage, now);
  } else {
    transaction.patch('storage', hook.storage, { attachment: { ...attachment, told: true } });
  }
}
