/** Runs a hook: records its start, executes the charm, commits what it wrote or marks it failed. */
import { accessSync } from 'node:fs';
import { join } from 'node:path';
import { describeError } from '#system';
import type { StatusInfo } from '../api-status.ts';
import type { Command } from '../machines/machine-process.ts';
import { MODEL, type UnitDocument } from '../model/documents.ts';
import { describeHook, type HookInfo, hookName } from '../model/hook-info.ts';
import type { Transaction } from '../store/store.ts';
import { failedHook, failureMessage } from './agent-status.ts';
import { type CharmProcessEnd, runCharmProcess } from './charm-process.ts';
import { hookEnvironment } from './environment.ts';
import { finishHook } from './finish-hook.ts';
import { HookContext } from './hook-context.ts';
import { forgetProcess, killNotedProcess, noteProcess } from './orphans.ts';
import { carryOutReboot, noteReboot } from './reboot.ts';
import { enterScope } from './scope-operation.ts';
import type { AgentServices } from './services.ts';
import { placeStorage, releaseStorage, removeStorageData } from './storage-directories.ts';
import { unitDirectory } from './unit-directory.ts';

/** Runs the hook to its end; `settle` completes the transaction that ends it. */
export async function runHook(
  services: AgentServices,
  unit: string,
  hook: HookInfo,
  settle: (transaction: Transaction) => void,
): Promise<void> {
  const name = hookName(hook);
  placeStorage(services, unit);
  const context = new HookContext(services, { unit, label: name, hook });
  recordStart(services, context, hook);
  const end = await executeCharm(services, context, `hooks/${name}`);
  if (end === 'missing' || end.exitCode === 0) {
    if (commit(services, context, hook, settle)) {
      logSuccess(services, context, { name, ran: end !== 'missing' });
      await clearStorage(services, context);
      await carryOutReboot(services, context);
    }
    return;
  }
  if (end.signal === 'SIGTERM' || end.signal === 'SIGKILL') {
    // Somebody ended the process from outside: the charm is not to blame, the hook runs again.
    services.store.transact((transaction) => {
      transaction.patch('unit', unit, {
        running: undefined,
        pending: { hook, state: 'queued', failures: 0 },
      });
      settle(transaction);
      noteReboot(transaction, context);
    });
    services.recorder.commit(context, describeEnd(end));
    await carryOutReboot(services, context);
    return;
  }
  fail(services, context, hook, { reason: describeEnd(end), settle });
}

/** After storage-detaching: the data leave the unit's directory, or are removed with their storage. */
async function clearStorage(services: AgentServices, { hook, unit, storage }: HookContext) {
  if (hook?.kind !== 'storage' || hook.step !== 'detaching') {
    return;
  }
  const before = storage.find(hook.storage);
  if (before !== undefined && services.store.get('storage', hook.storage) === undefined) {
    await removeStorageData(services.paths, before);
  }
  releaseStorage(services, unit);
}

/**
 * Executes `dispatch`, or without one the script at `dispatchPath`. The output of hooks goes to the
 * log, that of actions is captured.
 */
export async function executeCharm(
  services: AgentServices,
  context: HookContext,
  dispatchPath: string,
): Promise<CharmProcessEnd | 'missing'> {
  const directory = unitDirectory(services.paths, context.unit);
  const file = [join(directory.charm, 'dispatch'), join(directory.charm, dispatchPath)].find(
    exists,
  );
  if (file === undefined) {
    return 'missing';
  }
  const env = hookEnvironment(services, context, dispatchPath);
  services.recorder.dispatch(context, { file, args: [], env });
  return await inContext(services, context, async () =>
    runCharmProcess({
      ...(await onMachine(services, context.unit, { file, args: [], cwd: directory.charm })),
      pipes: services.pipes,
      env,
      onStarted: (pid) => {
        noteProcess(directory, context.id, pid);
        if (isCancelled(context)) {
          killNotedProcess(directory);
        }
      },
      ...(context.isAction
        ? {}
        : {
            onLine: (stream, line) => {
              const level = stream === 'stdout' ? 'DEBUG' : 'WARNING';
              context.writeLog(level, `unit.${context.unit}.${context.label}`, line);
            },
          }),
    }),
  );
}

/** The command to spawn here, so that it runs on the machine of the unit. */
export async function onMachine(
  { machines, store }: AgentServices,
  unit: string,
  command: Command,
): Promise<Command> {
  const { machine } = store.require('unit', unit);
  return await machines.enter(store.require('machine', machine), command);
}

/** Lets hook tools name the context while `work` runs. */
export async function inContext(
  services: AgentServices,
  context: HookContext,
  work: () => Promise<CharmProcessEnd>,
): Promise<CharmProcessEnd> {
  services.contexts.set(context.id, context);
  try {
    const end = await work();
    services.recorder.end(context, end);
    return end;
  } finally {
    services.contexts.delete(context.id);
    forgetProcess(unitDirectory(services.paths, context.unit));
  }
}

function recordStart(services: AgentServices, context: HookContext, hook: HookInfo): void {
  services.store.transact((transaction) => {
    const unit = transaction.require('unit', context.unit);
    const now = context.now();
    transaction.patch('unit', context.unit, {
      running: { contextId: context.id, hook },
      ...(hook.kind === 'lifecycle' && hook.name === 'update-status'
        ? {}
        : {
            agent: { current: 'executing', message: `running ${describeHook(hook)}`, since: now },
          }),
      ...workloadAtStart(unit, hook, now),
      ...(hook.byHand === true && unit.pending === undefined
        ? { fired: unit.fired?.slice(1) }
        : {}),
    });
    if (hook.kind === 'relation' && hook.step === 'created') {
      enterScope(services, transaction, context.unit, hook.relation);
    }
    // A power cut ends the hook too, whose start then need not be remembered.
  }, 'process');
}

function workloadAtStart(
  unit: UnitDocument,
  hook: HookInfo,
  since: string,
): { readonly workload?: StatusInfo } {
  const message = hook.kind === 'lifecycle' ? WORKLOAD_MESSAGES[hook.name] : undefined;
  const keepsOwn = unit.statusSet && hook.kind === 'lifecycle' && hook.name === 'install';
  return message === undefined || keepsOwn
    ? {}
    : { workload: { current: 'maintenance', message, since } };
}

const WORKLOAD_MESSAGES: Readonly<Record<string, string>> = {
  install: 'installing charm software',
  stop: 'stopping charm software',
  remove: 'cleaning up prior to charm deletion',
};

function commit(
  services: AgentServices,
  context: HookContext,
  hook: HookInfo,
  settle: (transaction: Transaction) => void,
): boolean {
  try {
    services.store.transact((transaction) => {
      context.flush(transaction);
      transaction.patch('unit', context.unit, { running: undefined });
      finishHook(transaction, context.unit, hook, context.now());
      noteReboot(transaction, context);
      becomeUnknownIfSilent(transaction, context, hook);
      settle(transaction);
    });
  } catch (error) {
    fail(services, context, hook, {
      reason: `committing requested changes failed: ${describeError(error)}`,
      settle,
    });
    return false;
  }
  services.recorder.commit(context);
  return true;
}

function logSuccess(
  services: AgentServices,
  context: HookContext,
  { name, ran }: { readonly name: string; readonly ran: boolean },
): void {
  const { charm } = unitDirectory(services.paths, context.unit);
  const via = exists(join(charm, 'dispatch'))
    ? 'hook dispatching script: dispatch'
    : 'explicit, bespoke hook script';
  const message = ran ? `ran "${name}" hook (via ${via})` : `skipped "${name}" hook (missing)`;
  context.writeLog('INFO', 'juju.worker.uniter.operation', message);
}

/** A charm that has set no status until it is started has none. */
function becomeUnknownIfSilent(
  transaction: Transaction,
  context: HookContext,
  hook: HookInfo,
): void {
  const unit = transaction.get('unit', context.unit);
  if (hook.kind === 'lifecycle' && hook.name === 'start' && unit?.statusSet === false) {
    transaction.patch('unit', context.unit, {
      workload: { current: 'unknown', since: context.now() },
    });
  }
}

function fail(
  services: AgentServices,
  context: HookContext,
  hook: HookInfo,
  { reason, settle }: { readonly reason: string; readonly settle: (t: Transaction) => void },
): void {
  context.writeLog(
    'ERROR',
    'juju.worker.uniter.operation',
    `hook ${JSON.stringify(hookName(hook))} failed: ${reason}`,
  );
  services.recorder.commit(context, reason);
  services.store.transact((transaction) => {
    const unit = transaction.require('unit', context.unit);
    transaction.patch('unit', context.unit, {
      running: undefined,
      agent: { current: 'error', message: failureMessage(hook), since: context.now() },
      pending: failedHook(hook, unit.pending, {
        now: services.clock.now(),
        retries: retriesHooks(services),
        random: Math.random,
      }),
    });
    settle(transaction);
  });
}

/** Model config `automatically-retry-hooks`. */
export function retriesHooks({ store }: Pick<AgentServices, 'store'>): boolean {
  return store.require('model', MODEL).config['automatically-retry-hooks'] !== false;
}

export function describeEnd(end: CharmProcessEnd): string {
  return (
    end.failure ?? (end.signal ? `signal: ${end.signal}` : `exit status ${end.exitCode ?? ''}`)
  );
}

/** Cancelled between its start in the model and the start of its process. */
function isCancelled({ store, task }: HookContext): boolean {
  return task !== undefined && store.get('task', task)?.status === 'aborting';
}

function exists(path: string): boolean {
  try {
    accessSync(path);
    return true;
  } catch {
    return false;
  }
}
