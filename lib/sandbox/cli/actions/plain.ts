/** `juju run` in its plain form: what the action answered, then what it wrote. */

import type { TaskInfo } from '../../api.ts';
import { sortedEntries } from '../../go-output/natural-sort.ts';
import { type OutputValue, sortKeys } from '../../go-output/values.ts';
import { toYaml } from '../../go-output/yaml.ts';
import { hasEnded, receiverOf } from './task-state.ts';

const STREAMS = new Set(['return-code', 'stdout', 'stdout-encoding', 'stderr', 'stderr-encoding']);

/** One task: its results; several: a YAML map by unit. */
export function formatPlain(tasks: readonly TaskInfo[]): string {
  const [only] = tasks;
  if (only === undefined) {
    return '';
  }
  return tasks.length === 1 ? formatOne(only) : formatSeveral(tasks);
}

function formatOne(task: TaskInfo): string {
  const failure =
    task.status === 'failed' ? `Action id ${task.id} failed: ${task.message ?? ''}\n` : '';
  const streams = ['stdout', 'stderr']
    .map((name) => streamText(task, name))
    .filter((text) => text !== '')
    .map((text) => `${text}\n`);
  return `${failure}${answer(task)}\n${streams.join('')}`;
}

function formatSeveral(tasks: readonly TaskInfo[]): string {
  const map = Object.fromEntries(
    tasks.map((task) => [
      receiverOf(task),
      {
        id: task.id,
        message: task.message === '' ? undefined : task.message,
        output: answer(task),
        status: task.status,
      },
    ]),
  );
  return toYaml(sortKeys(map));
}

function answer(task: TaskInfo): string {
  if (!hasEnded(task) && Object.keys(task.results).length === 0) {
    return `Task ${task.id} ${task.status}\n`;
  }
  const shown = sortedEntries<OutputValue>(task.results).filter(([key]) => !STREAMS.has(key));
  return shown.length === 0 ? '' : toYaml(sortKeys(Object.fromEntries(shown)));
}

/** What the action wrote, decoded where it was not text. */
function streamText(task: TaskInfo, name: string): string {
  const value = task.results[name];
  return typeof value === 'string' ? value.replaceAll(/^\n+|\n+$/g, '') : '';
}
