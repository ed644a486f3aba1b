/** `juju show-task` and `juju cancel-task`. */
import { describeError } from '#system';
import type { TaskInfo } from '../../api.ts';
import type { OutputValue } from '../../go-output/values.ts';
import { followTask } from '../actions/follow-tasks.ts';
import { formatPlain } from '../actions/plain.ts';
import { structuredTask } from '../actions/structured.ts';
import { hasEnded } from '../actions/task-state.ts';
import { waitChoice } from '../actions/wait-choice.ts';
import { booleanFlag, durationFlag, formatFlag } from '../arguments/flag-kinds.ts';
import { defineCommand, refuseExtra } from '../command.ts';
import { CommandError, quoted, UsageError } from '../errors.ts';
import { deliver, formatDocument, outputFlag } from '../output/print.ts';

export const showTask = defineCommand({
  name: 'show-task',
  usage: '<task ID>',
  summary: 'Show results of a task by ID.',
  examples: ['juju show-task 2', 'juju show-task 2 --wait=2m', 'juju show-task 2 --watch'],
  flags: {
    format: formatFlag(['plain', 'yaml', 'json']),
    output: outputFlag,
    wait: durationFlag('Maximum wait time for a task to complete'),
    watch: booleanFlag('Wait indefinitely for results'),
    utc: booleanFlag('Show times in UTC'),
  },
  run: async ({ session, positionals, flags }) => {
    const waiting = waitChoice(flags);
    const [id, ...extra] = positionals;
    if (id === undefined) {
      throw new UsageError('no task ID specified');
    }
    checkId(id);
    refuseExtra(extra);
    let logged = false;
    const task = await followTask(session, id, {
      utc: flags.utc,
      waitMs: waiting.waitMs,
      ...(waiting.asked
        ? {
            onLog: (line: string) => {
              logged = true;
              session.io.err(`${line}\n`);
            },
          }
        : {}),
    });
    if (logged) {
      session.io.err('\n');
    }
    if (waiting.asked && !hasEnded(task)) {
      throw new CommandError('maximum wait time reached');
    }
    const text =
      flags.format === 'plain'
        ? formatPlain([task])
        : formatDocument(structuredTask(task, flags), flags.format);
    deliver(text, session.io, flags.output);
  },
});

export const cancelTask = defineCommand({
  name: 'cancel-task',
  usage: '<task ID> [<task ID> ...]',
  summary: 'Cancel pending or running tasks.',
  examples: ['juju cancel-task 2'],
  flags: { format: formatFlag(['yaml', 'json']), output: outputFlag },
  run: async ({ session, positionals, flags }) => {
    if (positionals.length === 0) {
      throw new UsageError('no task IDs specified');
    }
    positionals.forEach(checkId);
    const cancelled: TaskInfo[] = [];
    const refused: string[] = [];
    for (const id of positionals) {
      try {
        cancelled.push(await session.call('cancel-task', { id }));
      } catch (error) {
        refused.push(`task: ${id}, error: ${describeError(error)}\n`);
      }
    }
    if (cancelled.length > 0) {
      const document = { actions: cancelled.map(structuredCancelled) };
      deliver(formatDocument(document, flags.format), session.io, flags.output);
    }
    if (refused.length > 0) {
      session.io.err(`WARNING The following tasks could not be canceled:\n${refused.join('')}\n`);
    }
  },
});

/** One member of what `juju cancel-task` prints; its keys in alphabetical order, as Go's. */
function structuredCancelled(task: TaskInfo): OutputValue {
  const { completed } = task;
  return {
    action: task.action,
    'completed at':
      completed === undefined
        ? 'n/a'
        : new Date(completed).toISOString().slice(0, 19).replace('T', ' '),
    id: task.id,
    status: task.status,
    unit: task.machine === undefined ? task.unit : `machine-${task.machine}`,
  };
}

function checkId(id: string): void {
  if (!/^\d+$/.test(id)) {
    throw new UsageError(`task ID ${quoted(id)} not valid`);
  }
}
