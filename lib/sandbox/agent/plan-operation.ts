/**
 * Decides what a unit does next, from committed state alone: there is no queue of events, so a lost,
 * repeated or reordered change cannot confuse it. Pure. The order is that of Juju's resolvers:
 * https://github.com/juju/juju/blob/3.6/internal/worker/uniter/resolver.go
 */
import type { ApplicationDocument, UnitDocument } from '../model/documents.ts';
import type { HookInfo, LifecycleHook } from '../model/hook-info.ts';
import { leaseEnd } from '../model/leadership.ts';
import { subordinatesOf } from '../model/subordinates.ts';
import type { Reader } from '../store/store.ts';
import type { Operation } from './operation.ts';
import { nextCreatedHook, nextRelationHook, nextScopeChange } from './plan-relation.ts';
import { nextSecretHook, nextSecretTime } from './plan-secret.ts';
import { nextStorageHook } from './plan-storage.ts';

export interface PlanInputs {
  readonly reader: Reader;
  readonly unit: string;
  readonly now: Date;
  /** Whether juju-exec waits for this unit. */
  readonly hasCommands: boolean;
  /** Milliseconds between update-status hooks; 0 for never. */
  readonly updateStatusMs: number;
}

const WAIT: Operation = { kind: 'wait' };

/** The next operation of the unit; `bury` for a unit that does not exist (any more). */
export function planOperation(inputs: PlanInputs): Operation {
  const unit = inputs.reader.get('unit', inputs.unit);
  const application = inputs.reader.get('application', unit?.application ?? '');
  if (unit === undefined || application === undefined) {
    return { kind: 'bury' };
  }
  if (isDead(inputs, unit)) {
    return { kind: 'bury' };
  }
  const lease = leaseEnd(inputs.reader, application, unit);
  if (lease !== undefined && lease <= inputs.now) {
    return { kind: 'claim-leadership' };
  }
  const next = earlier(planUnit(inputs, unit, application), lease);
  return unit.forced === undefined ? next : earlier(next, new Date(unit.forced.deadAt));
}

/** Whether the time a forced removal gave it is over; it still waits for its subordinates, whose time is the same. */
function isDead({ reader, now }: PlanInputs, { name, forced }: UnitDocument): boolean {
  return (
    forced !== undefined &&
    Date.parse(forced.deadAt) <= now.getTime() &&
    subordinatesOf(reader, name).length === 0
  );
}

function planUnit(
  inputs: PlanInputs,
  unit: UnitDocument,
  application: ApplicationDocument,
): Operation {
  return (
    planInterrupted(unit) ??
    beforeOthers(inputs, unit, application) ??
    planTask(inputs, unit) ??
    afterTasks(inputs, unit, application)
  );
}

function afterTasks(
  inputs: PlanInputs,
  unit: UnitDocument,
  application: ApplicationDocument,
): Operation {
  return unit.pending === undefined
    ? (planStorage(inputs, unit) ?? ordinary(inputs, unit, application))
    : (planForcedUpgrade(unit, application) ?? planPending(inputs, unit.pending));
}

/**
 * The start after a reboot, once no other hook is queued or has failed; and before everything a charm
 * half put in place, as nothing runs from a directory in which two charms may be mixed.
 */
function planInterrupted({ upgrading, rebooted, pending }: UnitDocument): Operation | undefined {
  if (upgrading !== undefined) {
    return { kind: 'upgrade' };
  }
  return rebooted === true && pending === undefined ? lifecycle('start') : undefined;
}

/** A failed hook waits; new files for it do not, when they are forced on the unit. */
function planForcedUpgrade(
  unit: UnitDocument,
  application: ApplicationDocument,
): Operation | undefined {
  return application.forceCharm === true &&
    unit.pending?.state === 'failed' &&
    hasNewCharm(unit, application)
    ? { kind: 'upgrade' }
    : undefined;
}

function hasNewCharm(unit: UnitDocument, { charmVersion = 0 }: ApplicationDocument): boolean {
  return (unit.charmSeen ?? 0) !== charmVersion;
}

/** Relations to enter, leadership and secrets; they wait while a hook is queued or has failed. */
function beforeOthers(
  { reader, now }: PlanInputs,
  unit: UnitDocument,
  application: ApplicationDocument,
): Operation | undefined {
  if (unit.pending !== undefined || !unit.installed || unit.life !== 'alive') {
    return undefined;
  }
  const scope = nextScopeChange(reader, unit);
  if (scope !== undefined) {
    return scope;
  }
  const created = nextCreatedHook(reader, unit);
  if (created !== undefined) {
    return runHook(created);
  }
  const leadership = planLeadership(unit, application);
  if (leadership !== undefined) {
    return leadership;
  }
  const secret = nextSecretHook(reader, unit, application, now);
  return secret === undefined ? undefined : runHook(secret);
}

function planLeadership(
  unit: UnitDocument,
  application: ApplicationDocument,
): Operation | undefined {
  const leads = application.leader === unit.name;
  if (leads && !unit.leaderAccepted) {
    return { kind: 'accept-leadership' };
  }
  if (!leads && unit.leaderAccepted) {
    return { kind: 'resign-leadership' };
  }
  return !leads && unit.leaderSettingsSeen !== application.leaderSettingsVersion
    ? lifecycle('leader-settings-changed', application.leaderSettingsVersion)
    : undefined;
}

/** Actions need an installed unit, not a healthy one; so do commands of juju-exec. */
function planTask({ reader, hasCommands }: PlanInputs, unit: UnitDocument): Operation | undefined {
  if (!unit.installed) {
    return undefined;
  }
  const task = reader
    .find('pending tasks of unit', unit.name)
    .toSorted((a, b) => Number(a.id) - Number(b.id))[0];
  if (task !== undefined) {
    return { kind: 'task', task: task.id };
  }
  return hasCommands ? { kind: 'commands' } : undefined;
}

/** Before install for what the unit is born with, and before stop for what it leaves. */
function planStorage({ reader }: PlanInputs, unit: UnitDocument): Operation | undefined {
  const hook = nextStorageHook(reader, unit);
  return hook === undefined ? undefined : runHook(hook);
}

function planPending(
  { now }: PlanInputs,
  { hook, state, resolved, retryAt }: NonNullable<UnitDocument['pending']>,
): Operation {
  if (resolved === 'skip') {
    return { kind: 'skip-hook', hook };
  }
  if (state === 'queued' || resolved === 'retry') {
    return { kind: 'hook', hook, pending: true };
  }
  if (retryAt === undefined) {
    return WAIT;
  }
  return Date.parse(retryAt) <= now.getTime()
    ? { kind: 'hook', hook, pending: true }
    : { kind: 'wait', until: retryAt };
}

function ordinary(
  inputs: PlanInputs,
  unit: UnitDocument,
  application: ApplicationDocument,
): Operation {
  if (unit.life === 'dying') {
    return planDying(inputs, unit);
  }
  if (!unit.installed) {
    return lifecycle('install');
  }
  const [fired] = unit.fired ?? [];
  if (fired !== undefined) {
    return runHook(fired);
  }
  if (hasNewCharm(unit, application)) {
    return { kind: 'upgrade' };
  }
  if (unit.configSeen !== application.configVersion) {
    return lifecycle('config-changed', application.configVersion);
  }
  const relation = nextRelationHook(inputs.reader, unit);
  if (relation !== undefined) {
    return runHook(relation);
  }
  return earlier(planUpdateStatus(inputs, unit), nextSecretTime(inputs.reader, unit, application));
}

function planDying({ reader }: PlanInputs, unit: UnitDocument): Operation {
  if (!unit.installed) {
    return { kind: 'bury' };
  }
  if (unit.removed === true) {
    return subordinatesOf(reader, unit.name).length === 0 ? { kind: 'bury' } : WAIT;
  }
  const scope = nextScopeChange(reader, unit);
  if (scope !== undefined) {
    return scope;
  }
  const relation = nextRelationHook(reader, unit);
  if (relation !== undefined) {
    return runHook(relation);
  }
  return lifecycle(unit.stopped ? 'remove' : 'stop');
}

function planUpdateStatus({ now, updateStatusMs }: PlanInputs, unit: UnitDocument): Operation {
  if (!unit.started || updateStatusMs === 0 || unit.lastHookAt === undefined) {
    return WAIT;
  }
  const due = Date.parse(unit.lastHookAt) + updateStatusMs;
  return due <= now.getTime()
    ? lifecycle('update-status')
    : { kind: 'wait', until: new Date(due).toISOString() };
}

/** A wait that ends at `time` if that comes first; other operations stay as they are. */
function earlier(operation: Operation, time: Date | undefined): Operation {
  if (operation.kind !== 'wait' || time === undefined) {
    return operation;
  }
  return operation.until !== undefined && Date.parse(operation.until) <= time.getTime()
    ? operation
    : { kind: 'wait', until: time.toISOString() };
}

function lifecycle(name: LifecycleHook, version?: number): Operation {
  return runHook({ kind: 'lifecycle', name, ...(version === undefined ? {} : { version }) });
}

function runHook(hook: HookInfo): Operation {
  return { kind: 'hook', hook };
}
