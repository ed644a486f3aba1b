/** run and exec: schedules tasks for units and machines. */

import type { Calls } from '../../api.ts';
import type { EnqueuedOperation, EnqueuedTask } from '../../api-operations.ts';
import { prepareParams } from '../../charm-archive/action-specs.ts';
import { ModelError } from '../../errors.ts';
import type { JsonRecord } from '../../json.ts';
import { MODEL, type TaskDocument } from '../../model/documents.ts';
import { applicationOf, compareUnits, isUnitName } from '../../model/names.ts';
import { charmOfUnit, metadataOfUnit } from '../../model/unit-charm.ts';
import type { Reader, Transaction } from '../../store/store.ts';
import { type CallContext, requireApplication } from './call-context.ts';
import { status } from './status.ts';

export function run(
  { services }: CallContext,
  { targets, action, params }: Calls['run']['params'],
): EnqueuedOperation {
  return enqueue(services, {
    targets: targets.map((target) => ({ target, ...resolveTarget(services.store, target) })),
    action,
    parameters: params,
    check: ({ unit = '' }) => checkAction(services.store, unit, action, params),
  });
}

/** Units and machines in the order asked for; `all` is every machine. */
export function exec(context: CallContext, params: Calls['exec']['params']): EnqueuedOperation {
  const { command, parallel = true, executionGroup } = params;
  const how = {
    command,
    ...(parallel ? { parallel } : {}),
    ...(executionGroup === undefined ? {} : { executionGroup }),
  };
  return enqueue(context.services, {
    targets: execTargets(context, params),
    action: 'juju-exec',
    parameters: { command, parallel, 'execution-group': executionGroup ?? '' },
    check: () => how,
  });
}

function execTargets(
  context: CallContext,
  { units = [], applications = [], machines = [], all }: Calls['exec']['params'],
): readonly Target[] {
  const { store } = context.services;
  const known = status(context).machines.map(({ id }) => id);
  if (all === true) {
    return known.map((machine) => ({ target: machine, machine }));
  }
  const ofApplications = applications.flatMap((name) => {
    requireApplication(store, name);
    return unitsOf(store, name);
  });
  return [
    ...machines.map((machine) =>
      known.includes(machine)
        ? { target: machine, machine }
        : { target: machine, error: `machine ${machine} not found` },
    ),
    ...units.map((target) => ({ target, ...resolveTarget(store, target) })),
    ...[...new Set(ofApplications)].map((unit) => ({ target: unit, unit })),
  ];
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
  readonly machine?: string;
  readonly error?: string;
}

/** The unit that `app/0` or `app/leader` names. */
export function resolveTarget(reader: Reader, target: string): Omit<Target, 'target'> {
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

function checkAction(reader: Reader, unit: string, action: string, params: JsonRecord): HowToRun {
  const { actions } = metadataOfUnit(reader, unit);
  if (Object.keys(actions).length === 0) {
    const charm = charmOfUnit(reader, unit);
    throw new ModelError(`no actions defined on charm ${JSON.stringify(`local:${charm}`)}`);
  }
  const spec = actions[action];
  if (spec === undefined) {
    throw new ModelError(
      `action ${JSON.stringify(action)} not defined on unit ${JSON.stringify(unit)}`,
    );
  }
  prepareParams(spec, params);
  return {
    ...(spec.parallel === true ? { parallel: true } : {}),
    ...(spec.executionGroup === undefined ? {} : { executionGroup: spec.executionGroup }),
  };
}

type HowToRun = Pick<TaskDocument, 'command' | 'parallel' | 'executionGroup'>;

interface EnqueueRequest {
  readonly targets: readonly Target[];
  readonly action: string;
  readonly parameters: JsonRecord;
  /** How a target's task is run. @throws ModelError when it must not be scheduled. */
  readonly check: (target: Target) => HowToRun;
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
    target,
    operation,
    enqueued,
    action,
    parameters,
    check,
  }: EnqueueRequest & {
    readonly target: Target;
    readonly operation: string;
    readonly enqueued: string;
  },
): EnqueuedTask {
  const { unit, machine, error } = target;
  const name = unit ?? machine;
  if (name === undefined) {
    return { target: target.target, error: error ?? 'not found' };
  }
  let how: HowToRun;
  try {
    how = check(target);
  } catch (refusal) {
    if (refusal instanceof ModelError) {
      return { target: name, error: refusal.message };
    }
    throw refusal;
  }
  const id = nextTaskId(transaction);
  transaction.put('task', id, {
    id,
    operation,
    unit: unit ?? '',
    ...(machine === undefined ? {} : { machine }),
    action,
    parameters,
    ...how,
    status: 'pending',
    results: {},
    log: [],
    enqueued,
  });
  return { target: name, id };
}

function nextTaskId(transaction: Transaction): string {
  const { counters } = transaction.require('model', MODEL);
  transaction.patch('model', MODEL, { counters: { ...counters, task: counters.task + 1 } });
  return String(counters.task);
}
