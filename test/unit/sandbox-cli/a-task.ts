/** Tasks for tests, and a daemon that answers with them. */
import type { TaskInfo } from '../../../lib/sandbox/api.ts';

/** A completed backup. */
export function aTask(overrides: Partial<TaskInfo> = {}): TaskInfo {
  return {
    id: '2',
    operation: '1',
    unit: 'mysql/0',
    action: 'backup',
    parameters: {},
    status: 'completed',
    results: { filename: 'out.tgz', 'return-code': 0 },
    log: [{ time: '2024-01-02T15:04:05Z', message: 'taking snapshot' }],
    enqueued: '2024-01-02T15:04:04Z',
    started: '2024-01-02T15:04:05Z',
    completed: '2024-01-02T15:04:06Z',
    ...overrides,
  };
}

/** A daemon that queues one task a target and answers with the given tasks. */
export function daemonWith(...tasks: readonly TaskInfo[]) {
  return {
    run: () => ({
      operation: '1',
      tasks: tasks.map(({ id, unit }) => ({ id, target: unit })),
    }),
    exec: () => ({
      operation: '1',
      tasks: tasks.map(({ id, unit }) => ({ id, target: unit })),
    }),
    task: ({ id }: { readonly id: string }) =>
      tasks.find((task) => task.id === id) ?? aTask({ status: 'error' }),
  };
}
