/** The verdict of `juju run` and `juju exec`: which tasks ended with a non-zero code. */

import type { TaskInfo } from '../../api.ts';
import { CommandError } from '../errors.ts';
import { returnCode } from './task-state.ts';

/** The error to end with when any task has a return code other than 0. An `action-fail` alone is none. */
export function failedTasksError(tasks: readonly TaskInfo[]): CommandError | undefined {
  const failed = tasks.filter((task) => (returnCode(task) ?? 0) > 0);
  if (failed.length === 0) {
    return undefined;
  }
  const plural = failed.length === 1 ? '' : 's';
  const list = failed.map((task) => ` - id "${task.id}" with return code ${returnCode(task)}`);
  return new CommandError(
    `the following task${plural} failed:\n${list.toSorted().join('\n')}\n\nuse 'juju show-task' to inspect the failure${plural}`,
  );
}
