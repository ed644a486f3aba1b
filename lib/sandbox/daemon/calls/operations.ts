/** actions, and questions about operations and tasks. */
import { machineTaskDirectory } from '../../agent/machine-place.ts';
import { killNotedProcess } from '../../agent/orphans.ts';
import { unitDirectory } from '../../agent/unit-directory.ts';
import type { Calls } from '../../api.ts';
import type { ActionSpec, OperationInfo, TaskInfo, TaskStatus } from '../../api-operations.ts';
import { ModelError } from '../../errors.ts';
import type { OperationDocument, TaskDocument } from '../../model/documents.ts';
import { unitTag } from '../../model/names.ts';
import type { Reader } from '../../store/store.ts';
import { type CallContext, requireApplication } from './call-context.ts';

export function listActions(
  { services }: CallContext,
  { application }: Calls['actions']['params'],
): readonly ActionSpec[] {
  const { charm } = requireApplication(services.store, application);
  return Object.values(services.store.require('charm', charm).metadata.actions);
}

/** Waits for the end of a task, or for news of it, as long as the caller wants. */
export async function task(
  context: CallContext,
  { id, waitMs = 0, seenLogs }: Calls['task']['params'],
  signal: AbortSignal,
): Promise<TaskInfo> {
  const look = () => {
    const found = requireTask(context.services.store, id);
    const hasNews = seenLogs !== undefined && found.log.length > seenLogs;
    return isFinished(found.status) || hasNews ? found : undefined;
  };
  await waitUntil(context, () => look() !== undefined, { waitMs, signal });
  return toInfo(requireTask(context.services.store, id));
}

export function cancelTask(
  { services }: CallContext,
  { id }: Calls['cancel-task']['params'],
): TaskInfo {
  const { status, unit, machine } = requireTask(services.store, id);
  if (status === 'pending') {
    services.store.transact((transaction) =>
      transaction.patch('task', id, {
        status: 'cancelled',
        message: 'action cancelled via the API',
        completed: services.clock.now().toISOString(),
      }),
    );
  }
  if (status === 'running') {
    services.store.transact((transaction) => transaction.patch('task', id, { status: 'aborting' }));
    killNotedProcess(
      machine === undefined
        ? unitDirectory(services.paths, unit)
        : machineTaskDirectory(services.paths, id),
    );
  }
  return toInfo(requireTask(services.store, id));
}

export async function operation(
  context: CallContext,
  { id, waitMs = 0 }: Calls['operation']['params'],
  signal: AbortSignal,
): Promise<OperationInfo> {
  const look = () => {
    const found = context.services.store.get('operation', id);
    if (found === undefined) {
      throw new ModelError(`operation ${JSON.stringify(id)} not found`, 'not-found');
    }
    return describeOperation(context.services.store, found);
  };
  await waitUntil(context, () => isFinished(look().status), { waitMs, signal });
  return look();
}

export function operations({ services }: CallContext): readonly OperationInfo[] {
  return services.store
    .all('operation')
    .toSorted((a, b) => Number(a.id) - Number(b.id))
    .map((found) => describeOperation(services.store, found));
}

function describeOperation(reader: Reader, found: OperationDocument): OperationInfo {
  const tasks = found.tasks.map((id) => toInfo(reader.require('task', id)));
  const receivers = found.receivers
    .map((name) => (name.includes('/') ? unitTag(name) : `machine-${name}`))
    .join(',');
  const started = tasks.flatMap((one) => one.started ?? []).toSorted()[0];
  const status = overallStatus(tasks.map((one) => one.status));
  const completed = tasks
    .flatMap((one) => one.completed ?? [])
    .toSorted()
    .at(-1);
  return {
    id: found.id,
    summary: `${found.action} run on ${receivers}`,
    status,
    action: { name: found.action, parameters: found.parameters },
    ...(found.fail === undefined ? {} : { fail: found.fail }),
    enqueued: found.enqueued,
    ...(started === undefined ? {} : { started }),
    ...(isFinished(status) && completed !== undefined ? { completed } : {}),
    tasks,
  };
}

/** Running before pending before the worst end. */
function overallStatus(statuses: readonly TaskStatus[]): TaskStatus {
  const order: readonly TaskStatus[] = [
    'running',
    'aborting',
    'pending',
    'failed',
    'error',
    'cancelled',
    'aborted',
    'completed',
  ];
  return order.find((status) => statuses.includes(status)) ?? 'error';
}

function toInfo({
  command: _command,
  parallel: _parallel,
  executionGroup: _group,
  ...found
}: TaskDocument): TaskInfo {
  return found;
}

function requireTask(reader: Reader, id: string): TaskDocument {
  const found = reader.get('task', id);
  if (found === undefined) {
    throw new ModelError(`task ${id} not found`, 'not-found');
  }
  return found;
}

function isFinished(status: TaskStatus): boolean {
  return !['pending', 'running', 'aborting'].includes(status);
}

// How often waiting calls look; a task takes far longer than this to run.
const LOOK_MS = 20;

async function waitUntil(
  { services }: CallContext,
  isDone: () => boolean,
  { waitMs, signal }: { readonly waitMs: number; readonly signal: AbortSignal },
): Promise<void> {
  // Not the model's clock: it may be moved while somebody waits.
  const deadline = performance.now() + waitMs;
  while (!isDone() && !signal.aborted && performance.now() < deadline) {
    await services.clock.sleep(LOOK_MS);
  }
}
