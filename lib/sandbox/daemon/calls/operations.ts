/** actions, run, exec, and questions about operations and tasks. */
import { killNotedProcess } from '../../agent/orphans.ts';
import { unitDirectory } from '../../agent/unit-directory.ts';
import type { Calls } from '../../api.ts';
import type {
  ActionSpec,
  EnqueuedOperation,
  EnqueuedTask,
  OperationInfo,
  TaskInfo,
  TaskStatus,
} from '../../api-operations.ts';
import { prepareParams } from '../../charm-archive/action-specs.ts';
import { ModelError } from '../../errors.ts';
import type { JsonRecord } from '../../json.ts';
import { MODEL, type OperationDocument, type TaskDocument } from '../../model/documents.ts';
import { applicationOf, compareUnits, isUnitName, unitTag } from '../../model/names.ts';
import type { Reader, Transaction } from '../../store/store.ts';
import { type CallContext, requireApplication } from './call-context.ts';

export function listActions(
  { services }: CallContext,
  { application }: Calls['actions']['params'],
): readonly ActionSpec[] {
  const { charm } = requireApplication(services.store, application);
  return Object.values(services.store.require('charm', charm).metadata.actions);
}

export function run(
  { services }: CallContext,
  { targets, action, params }: Calls['run']['params'],
): EnqueuedOperation {
  return enqueue(services, {
    targets: targets.map((target) => ({ target, ...resolveTarget(services.store, target) })),
    action,
    parameters: params,
    check: (unit) => {
      checkAction(services.store, unit, action, params);
    },
  });
}

export function exec(
  { services }: CallContext,
  { units = [], applications = [], all, command }: Calls['exec']['params'],
): EnqueuedOperation {
  const { store } = services;
  const named = units.map((target) => ({ target, ...resolveTarget(store, target) }));
  const ofApplications = applications.flatMap((name) => {
    requireApplication(store, name);
    return unitsOf(store, name);
  });
  const every =
    all === true ? store.all('application').flatMap(({ name }) => unitsOf(store, name)) : [];
  const others = [...new Set([...ofApplications, ...every])].map((unit) => ({
    target: unit,
    unit,
  }));
  return enqueue(services, {
    targets: [...named, ...others],
    action: 'juju-exec',
    parameters: { command },
    command,
    check: () => undefined,
  });
}

function unitsOf(reader: Reader, application: string): readonly string[] {
  return reader
    .within('unit', application)
    .map(({ name }) => name)
    .toSorted(compareUnits);
}

interface Target {
  readonly target: string;
  readonly unit?: string;
  readonly error?: string;
}

function resolveTarget(reader: Reader, target: string): Omit<Target, 'target'> {
  const application = applicationOf(target);
  if (target.endsWith('/leader')) {
    const leader = reader.get('application', application)?.leader;
    return leader === undefined
      ? { error: `could not determine leader for ${JSON.stringify(application)}` }
      : { unit: leader };
  }
  if (!isUnitName(target)) {
    return { error: `invalid unit name ${JSON.stringify(target)}` };
  }
  return reader.get('unit', target) === undefined
    ? { error: `unit ${JSON.stringify(target)} not found` }
    : { unit: target };
}

function checkAction(reader: Reader, unit: string, action: string, params: JsonRecord): void {
  const { charm } = reader.require('application', applicationOf(unit));
  const { name, actions } = reader.require('charm', charm).metadata;
  if (Object.keys(actions).length === 0) {
    throw new ModelError(`no actions defined on charm ${JSON.stringify(`local:${charm || name}`)}`);
  }
  const spec = actions[action];
  if (spec === undefined) {
    throw new ModelError(
      `action ${JSON.stringify(action)} not defined on unit ${JSON.stringify(unit)}`,
    );
  }
  prepareParams(spec, params);
}

interface EnqueueRequest {
  readonly targets: readonly Target[];
  readonly action: string;
  readonly parameters: JsonRecord;
  readonly command?: string;
  /** @throws ModelError when the task must not be scheduled. */
  readonly check: (unit: string) => void;
}

function enqueue(services: CallContext['services'], request: EnqueueRequest): EnqueuedOperation {
  const enqueued = services.clock.now().toISOString();
  return services.store.transact((transaction) => {
    const id = nextTaskId(transaction);
    const tasks = request.targets.map((target) =>
      enqueueTask(transaction, { ...request, target, operation: id, enqueued }),
    );
    const errors = tasks.flatMap(({ error }) => error ?? []);
    transaction.put('operation', id, {
      id,
      action: request.action,
      parameters: request.parameters,
      receivers: tasks.map(({ target }) => target),
      tasks: tasks.flatMap((one) => one.id ?? []),
      enqueued,
      ...(errors.length === 0 ? {} : { fail: errors.join('; ') }),
    });
    return { operation: id, tasks };
  });
}

function enqueueTask(
  transaction: Transaction,
  {
    target: { target, unit, error },
    operation: operationId,
    enqueued,
    action,
    parameters,
    command,
    check,
  }: EnqueueRequest & {
    readonly target: Target;
    readonly operation: string;
    readonly enqueued: string;
  },
): EnqueuedTask {
  if (unit === undefined) {
    return { target, error: error ?? `unit ${JSON.stringify(target)} not found` };
  }
  try {
    check(unit);
  } catch (refusal) {
    if (refusal instanceof ModelError) {
      return { target: unit, error: refusal.message };
    }
    throw refusal;
  }
  const id = nextTaskId(transaction);
  transaction.put('task', id, {
    id,
    operation: operationId,
    unit,
    action,
    parameters,
    ...(command === undefined ? {} : { command }),
    status: 'pending',
    results: {},
    log: [],
    enqueued,
  });
  return { target: unit, id };
}

function nextTaskId(transaction: Transaction): string {
  const { counters } = transaction.require('model', MODEL);
  transaction.patch('model', MODEL, { counters: { ...counters, task: counters.task + 1 } });
  return String(counters.task);
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
  const { status, unit } = requireTask(services.store, id);
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
    killNotedProcess(unitDirectory(services.paths, unit));
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
  const units = found.receivers.map(unitTag).join(',');
  const started = tasks.flatMap((one) => one.started ?? []).toSorted()[0];
  const status = overallStatus(tasks.map((one) => one.status));
  const completed = tasks
    .flatMap((one) => one.completed ?? [])
    .toSorted()
    .at(-1);
  return {
    id: found.id,
    summary: `${found.action} run on ${units}`,
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

function toInfo({ command: _command, ...found }: TaskDocument): TaskInfo {
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
  const deadline = services.clock.now().getTime() + waitMs;
  while (!isDone() && !signal.aborted && services.clock.now().getTime() < deadline) {
    await services.clock.sleep(LOOK_MS);
  }
}
