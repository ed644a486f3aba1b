/** Tasks and operations as the documents that `--format yaml` and `--format json` print. */

import type { OperationInfo, TaskInfo } from '../../api.ts';
import { type OutputValue, sortKeys } from '../../go-output/values.ts';
import { goTime, type ZoneChoice } from '../output/timestamp.ts';
import { receiverOf } from './task-state.ts';

/** The answer of `juju run --format yaml`: unit → task. */
export function structuredRun(tasks: readonly TaskInfo[], zone: ZoneChoice): OutputValue {
  return sortKeys(
    Object.fromEntries(tasks.map((task) => [receiverOf(task), structuredTask(task, zone)])),
  );
}

/** The answer of `juju show-task`. */
export function structuredTask(task: TaskInfo, zone: ZoneChoice): OutputValue {
  const receiver = task.machine === undefined ? { unit: task.unit } : { machine: task.machine };
  return sortKeys({ id: task.id, ...receiver, ...taskBody(task, zone) });
}

/** The answer of `juju show-operation` and of `juju operations --format yaml`. */
export function structuredOperation(operation: OperationInfo, zone: ZoneChoice): OutputValue {
  return {
    summary: operation.summary,
    status: operation.status,
    fail: operation.fail,
    action: { name: operation.action.name, parameters: sortKeys(operation.action.parameters) },
    timing: timing(operation, zone),
    tasks:
      operation.tasks.length === 0
        ? undefined
        : sortKeys(
            Object.fromEntries(
              operation.tasks.map((task) => [
                task.id,
                { host: receiverOf(task), ...taskBody(task, zone) },
              ]),
            ),
          ),
  };
}

function taskBody(task: TaskInfo, zone: ZoneChoice): Record<string, OutputValue> {
  return {
    status: task.status,
    timing: timing(task, zone),
    log:
      task.log.length === 0
        ? undefined
        : task.log.map(({ time, message }) => `${goTime(new Date(time), zone)} ${message}`),
    message: task.message === '' ? undefined : task.message,
    results: Object.keys(task.results).length === 0 ? undefined : task.results,
  };
}

function timing(
  times: { enqueued: string; started?: string; completed?: string },
  zone: ZoneChoice,
): OutputValue {
  const shown = (at: string | undefined) =>
    at === undefined ? undefined : goTime(new Date(at), zone);
  return {
    enqueued: shown(times.enqueued),
    started: shown(times.started),
    completed: shown(times.completed),
  };
}
