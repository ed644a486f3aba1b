/** Runs a task of an operation: an action of the charm, or commands of `juju exec`. */

import { describeError } from '#system';
import { prepareParams } from '../charm-archive/action-specs.ts';
import type { JsonRecord } from '../json.ts';
import type { TaskDocument } from '../model/documents.ts';
import { metadataOfUnit } from '../model/unit-charm.ts';
import type { Transaction } from '../store/store.ts';
import type { CharmProcessEnd } from './charm-process.ts';
import { runShell } from './command-operation.ts';
import { HookContext } from './hook-context.ts';
import { describeEnd, executeCharm } from './hook-operation.ts';
import { carryOutReboot, noteReboot } from './reboot.ts';
import type { AgentServices } from './services.ts';
import { outputResults } from './task-results.ts';

type Settle = (transaction: Transaction) => void;

/** Runs the task to its end; it always has one. */
export async function runTask(
  services: AgentServices,
  unit: string,
  taskId: string,
  settle: Settle,
): Promise<void> {
  const task = services.store.require('task', taskId);
  let params: JsonRecord;
  try {
    params = paramsOf(services, task);
  } catch (error) {
    finish(services, task, { ...NOTHING, status: 'failed', message: describeError(error) }, settle);
    return;
  }
  const context = new HookContext(services, {
    unit,
    label: task.command === undefined ? task.action : 'run-commands',
    task: taskId,
    isAction: task.command === undefined,
    params,
  });
  recordStart(services, context, task);
  const end =
    task.command === undefined
      ? await executeCharm(services, context, `actions/${task.action}`)
      : await runShell(services, context, task.command);
  conclude(services, context, {
    task,
    outcome: outcomeOf(services, context, task, end),
    settle: (transaction) => {
      settle(transaction);
      noteReboot(transaction, context);
    },
  });
  await carryOutReboot(services, context);
}

interface Outcome {
  readonly status: 'completed' | 'failed' | 'aborted';
  readonly message?: string;
  readonly results: JsonRecord;
  /** Whether what the charm wrote is kept. */
  readonly keepsWrites: boolean;
}

const NOTHING = { results: {}, keepsWrites: false } as const;

function paramsOf(services: AgentServices, task: TaskDocument): JsonRecord {
  if (task.command !== undefined) {
    return {};
  }
  const action = metadataOfUnit(services.store, task.unit).actions[task.action];
  return action === undefined ? task.parameters : prepareParams(action, task.parameters);
}

function recordStart(services: AgentServices, context: HookContext, task: TaskDocument): void {
  services.store.transact((transaction) => {
    const now = context.now();
    const what = task.command === undefined ? `action ${task.action}` : 'commands';
    transaction.patch('task', task.id, { status: 'running', started: now });
    transaction.patch('unit', context.unit, {
      running: { contextId: context.id, task: task.id },
      agent: { current: 'executing', message: `running ${what}`, since: now },
    });
  });
}

function outcomeOf(
  services: AgentServices,
  context: HookContext,
  task: TaskDocument,
  end: CharmProcessEnd | 'missing',
): Outcome {
  if (end === 'missing') {
    const message = `action not implemented on unit ${JSON.stringify(context.unit)}`;
    return { ...NOTHING, status: 'failed', message };
  }
  const results = { ...context.results.values, ...outputResults(end) };
  if (services.store.require('task', task.id).status === 'aborting') {
    const message = 'action cancelled via the API';
    return { status: 'aborted', message, results, keepsWrites: false };
  }
  const succeeded = end.exitCode === 0;
  if (task.command !== undefined) {
    return { status: 'completed', results, keepsWrites: true };
  }
  const message = succeeded ? context.results.failure : describeEnd(end);
  return {
    status: message === undefined ? 'completed' : 'failed',
    ...(message === undefined ? {} : { message }),
    results,
    keepsWrites: succeeded,
  };
}

/** Ends the task, with what the charm wrote in the same transaction; without it where it is refused. */
function conclude(
  services: AgentServices,
  context: HookContext,
  { task, outcome, settle }: { task: TaskDocument; outcome: Outcome; settle: Settle },
): void {
  try {
    finish(services, task, outcome, (transaction) => {
      if (outcome.keepsWrites) {
        context.flush(transaction);
      }
      settle(transaction);
    });
    services.recorder.commit(context, outcome.keepsWrites ? undefined : outcome.message);
  } catch (error) {
    const reason = `committing requested changes failed: ${describeError(error)}`;
    context.writeLog('ERROR', 'juju.worker.uniter.operation', reason);
    services.recorder.commit(context, reason);
    const message = 'committing requested changes failed';
    const results = { ...outcome.results, 'return-code': '1' };
    finish(services, task, { status: 'failed', message, results, keepsWrites: false }, settle);
  }
}

function finish(
  services: AgentServices,
  task: TaskDocument,
  { status, message, results }: Outcome,
  settle: Settle,
): void {
  services.store.transact((transaction) => {
    transaction.patch('task', task.id, {
      status,
      results,
      completed: services.clock.now().toISOString(),
      ...(message === undefined ? {} : { message }),
    });
    transaction.patch('unit', task.unit, { running: undefined });
    settle(transaction);
  });
}
