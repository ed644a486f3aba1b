/** Waits for tasks to end and shows what they log meanwhile. */
import type { TaskInfo } from '../../api.ts';
import { CommandError } from '../errors.ts';
import { clockTime, type ZoneChoice } from '../output/timestamp.ts';
import type { Session } from '../session.ts';
import { hasEnded } from './task-state.ts';

// A request to the daemon is answered within so long even when nothing happens.
const POLL_MS = 20_000;

export interface FollowOptions extends ZoneChoice {
  /** Undefined waits for ever. */
  readonly waitMs: number | undefined;
  /** Gets each line the task logs, formatted. */
  readonly onLog?: (line: string) => void;
}

/** Waits for one task to end; answers with what it is when the time is over. */
export async function followTask(
  session: Session,
  id: string,
  options: FollowOptions,
): Promise<TaskInfo> {
  const deadline =
    options.waitMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + options.waitMs;
  let seenLogs = 0;
  for (;;) {
    const waitMs = Math.max(0, Math.min(POLL_MS, Math.ceil(deadline - performance.now())));
    const logs = options.onLog === undefined ? {} : { seenLogs };
    const task = await session.call('task', { id, waitMs, ...logs });
    for (const { time, message } of task.log.slice(seenLogs)) {
      options.onLog?.(`${clockTime(new Date(time), options)} ${message}`);
    }
    seenLogs = task.log.length;
    if (hasEnded(task) || performance.now() >= deadline) {
      return task;
    }
  }
}

export interface WaitTarget {
  readonly id: string;
  readonly target: string;
}

/**
 * Waits for all tasks, one after the other, within one deadline.
 * @throws CommandError naming those that were late.
 */
export async function waitForTasks(
  session: Session,
  targets: readonly WaitTarget[],
  options: FollowOptions & { readonly progress: (line: string) => void },
): Promise<readonly TaskInfo[]> {
  const deadline = options.waitMs === undefined ? undefined : performance.now() + options.waitMs;
  const tasks: TaskInfo[] = [];
  for (const { id } of targets) {
    options.progress(`Waiting for task ${id}...\n`);
    let logged = false;
    const task = await followTask(session, id, {
      utc: options.utc,
      waitMs: deadline === undefined ? undefined : Math.max(0, deadline - performance.now()),
      ...(targets.length > 1
        ? {}
        : {
            onLog: (line) => {
              logged = true;
              session.info(line);
            },
          }),
    });
    if (logged) {
      options.progress('\n');
    }
    if (!hasEnded(task)) {
      const late = targets
        .slice(tasks.length)
        .map(({ target }) => `${target.includes('/') ? 'unit' : 'machine'} ${target}`);
      throw new CommandError(`timed out waiting for results from: ${late.toSorted().join(', ')}`);
    }
    tasks.push(task);
  }
  return tasks;
}
