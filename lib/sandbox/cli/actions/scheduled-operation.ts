/** What `juju run` and `juju exec` do once their operation is queued: tell, wait, print, judge. */
import type { EnqueuedOperation, TaskInfo } from '../../api.ts';
import { toYaml } from '../../go-output/yaml.ts';
import { booleanFlag, durationFlag, formatFlag } from '../arguments/flag-kinds.ts';
import type { FlagValues } from '../arguments/flags.ts';
import { receiverTag } from '../arguments/names.ts';
import { UsageError } from '../errors.ts';
import { deliver, formatDocument, outputFlag } from '../output/print.ts';
import type { Session } from '../session.ts';
import { failedTasksError } from './failures.ts';
import { type WaitTarget, waitForTasks } from './follow-tasks.ts';
import { structuredRun } from './structured.ts';

/** The flags that both commands have. */
export const OPERATION_FLAGS = {
  background: booleanFlag('Run the task in the background'),
  wait: durationFlag('Maximum wait time for a task to complete'),
  utc: booleanFlag('Show times in UTC'),
  color: booleanFlag('Accepted for compatibility; changes nothing'),
  'no-color': booleanFlag('Accepted for compatibility; changes nothing'),
  format: formatFlag(['plain', 'yaml', 'json']),
  output: outputFlag,
} as const;

export type OperationChoices = FlagValues<typeof OPERATION_FLAGS>;

export interface OperationPrinting {
  readonly choices: OperationChoices;
  readonly defaultWaitMs: number;
  /** Where "Running operation …" goes. */
  readonly progress: (line: string) => void;
  readonly formatPlain: (tasks: readonly TaskInfo[]) => string;
}

/** @throws UsageError when both waiting and not waiting is asked for. */
export function checkOperationChoices({ wait, background }: OperationChoices): void {
  if (background && (wait ?? 0) > 0) {
    throw new UsageError('cannot specify both --wait and --background');
  }
}

/** @throws CommandError when a task failed with a return code, or was late. */
export async function finishOperation(
  session: Session,
  enqueued: EnqueuedOperation,
  printing: OperationPrinting,
): Promise<void> {
  const { choices } = printing;
  const running = enqueued.tasks.flatMap(({ id, target }) =>
    id === undefined ? [] : [{ id, target }],
  );
  const refused = enqueued.tasks.flatMap(({ error }) => error ?? []);
  announce(enqueued.operation, running, printing);
  if (running.length === 0) {
    session.info(
      `Operation ${enqueued.operation} failed to schedule any tasks:\n${refused.join('\n')}`,
    );
    return;
  }
  if (refused.length > 0) {
    session.info(`Some actions could not be scheduled:\n${refused.join('\n')}\n\n`);
  }
  if (choices.background) {
    announceBackground(session, enqueued.operation, running);
    return;
  }
  const tasks = await waitForTasks(session, running, {
    utc: choices.utc,
    waitMs: waitOf(choices.wait, printing.defaultWaitMs),
    progress: printing.progress,
  });
  const text =
    choices.format === 'plain'
      ? printing.formatPlain(tasks)
      : formatDocument(structuredRun(tasks, choices), choices.format);
  deliver(text, session.io, choices.output);
  const failure = failedTasksError(tasks);
  if (failure !== undefined) {
    throw failure;
  }
}

/** A negative time waits for ever, as in Juju. */
function waitOf(wait: number | undefined, unlessTold: number): number | undefined {
  if (wait === undefined || wait === 0) {
    return unlessTold;
  }
  return wait < 0 ? undefined : wait;
}

function announce(
  operation: string,
  running: readonly WaitTarget[],
  { choices, progress }: OperationPrinting,
): void {
  if (choices.background) {
    return;
  }
  if (running.length > 0) {
    progress(`Running operation ${operation} with ${running.length} ${plural(running, 'task')}`);
  }
  for (const { id, target } of running) {
    progress(`  - task ${id} on ${receiverTag(target)}`);
  }
  progress('');
}

function announceBackground(
  session: Session,
  operation: string,
  running: readonly WaitTarget[],
): void {
  const [only] = running;
  if (running.length === 1 && only !== undefined) {
    session.info(`Scheduled operation ${operation} with task ${only.id}`);
    session.info(`Check operation status with 'juju show-operation ${operation}'`);
    session.info(`Check task status with 'juju show-task ${only.id}'`);
    return;
  }
  session.info(`Scheduled operation ${operation} with ${running.length} tasks`);
  session.io.out(toYaml(Object.fromEntries(running.map(({ id, target }) => [target, { id }]))));
  session.info(`Check operation status with 'juju show-operation ${operation}'`);
  session.info(`Check task status with 'juju show-task <id>'`);
}

function plural(items: readonly unknown[], word: string): string {
  return items.length === 1 ? word : `${word}s`;
}
