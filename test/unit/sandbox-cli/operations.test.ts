import { describe, expect, test } from '@jest/globals';
import type { OperationInfo } from '../../../lib/sandbox/api.ts';
import { aTask } from './a-task.ts';
import { runFake } from './fake-session.ts';

const OPERATION: OperationInfo = {
  id: '1',
  summary: 'backup run on unit-mysql-0',
  status: 'completed',
  action: { name: 'backup', parameters: { level: 3 } },
  enqueued: '2024-01-02T15:04:04Z',
  started: '2024-01-02T15:04:05Z',
  completed: '2024-01-02T15:04:06Z',
  tasks: [aTask()],
};

const PENDING: OperationInfo = {
  id: '11',
  summary: OPERATION.summary,
  status: 'pending',
  action: OPERATION.action,
  enqueued: OPERATION.enqueued,
  tasks: [],
};

describe('operations and tasks', () => {
  test('juju operations lists the oldest first', async () => {
    const { out } = await runFake(['operations', '--utc'], {
      operations: () => [OPERATION, PENDING],
    });
    expect(out).toBe(`\
ID  Status     Started              Finished             Task IDs  Summary
 1  completed  2024-01-02T15:04:05  2024-01-02T15:04:06  2         backup run on unit-mysql-0
11  pending                                                        backup run on unit-mysql-0
`);
  });

  test('juju operations filters, and says when nothing is left', async () => {
    const { code, out, err } = await runFake(['operations', '--actions', 'restore'], {
      operations: () => [OPERATION],
    });
    expect({ code, out, err }).toEqual({ code: 0, out: '', err: 'no matching operations\n' });
  });

  test('juju show-operation prints the document of Juju', async () => {
    const { out } = await runFake(['show-operation', '1', '--utc'], {
      operation: () => OPERATION,
    });
    expect(out).toBe(`\
summary: backup run on unit-mysql-0
status: completed
action:
  name: backup
  parameters:
    level: 3
timing:
  enqueued: 2024-01-02 15:04:04 +0000 UTC
  started: 2024-01-02 15:04:05 +0000 UTC
  completed: 2024-01-02 15:04:06 +0000 UTC
tasks:
  "2":
    host: mysql/0
    log:
    - 2024-01-02 15:04:05 +0000 UTC taking snapshot
    results:
      filename: out.tgz
      return-code: 0
    status: completed
    timing:
      completed: 2024-01-02 15:04:06 +0000 UTC
      enqueued: 2024-01-02 15:04:04 +0000 UTC
      started: 2024-01-02 15:04:05 +0000 UTC
`);
  });

  test('juju show-task shows what is there without waiting', async () => {
    const { code, out, calls } = await runFake(['show-task', '2'], {
      task: () => aTask({ status: 'pending', results: {}, log: [] }),
    });
    expect({ code, out }).toEqual({ code: 0, out: 'Task 2 pending\n\n' });
    expect(calls[0]?.params).toEqual({ id: '2', waitMs: 0 });
  });

  test('juju show-task fails when the task does not end in time', async () => {
    const { code, err } = await runFake(['show-task', '2', '--wait', '1ms'], {
      task: () => aTask({ status: 'running', results: {}, log: [] }),
    });
    expect({ code, err }).toEqual({ code: 1, err: 'ERROR maximum wait time reached\n' });
  });

  test.each([
    [['show-task'], 'no task ID specified'],
    [['show-task', 'x'], 'task ID "x" not valid'],
    [
      ['show-task', '1', '--watch', '--wait', '1s'],
      'specify either --watch or --wait but not both',
    ],
    [['show-operation'], 'no operation ID specified'],
    [['cancel-task'], 'no task IDs specified'],
  ])('%j is refused', async (args, message) => {
    const { code, err } = await runFake(args);
    expect({ code, err }).toEqual({ code: 2, err: `ERROR ${message}\n` });
  });
});

describe('juju actions', () => {
  const specs = [
    { name: 'restore', schema: {} },
    {
      name: 'backup',
      description: 'Take a backup\nnow',
      schema: { title: 'backup', type: 'object', properties: { level: { type: 'integer' } } },
    },
  ];

  test('lists them with the first lines of their descriptions', async () => {
    const { out } = await runFake(['actions', 'db'], { actions: () => specs });
    expect(out).toBe('Action   Description\nbackup   Take a backup\nrestore  No description\n');
  });

  test('shows schemas, with sorted keys', async () => {
    const { out } = await runFake(['actions', 'db', '--schema'], { actions: () => specs });
    expect(out).toBe(
      'backup:\n  properties:\n    level:\n      type: integer\n  title: backup\n  type: object\nrestore: {}\n',
    );
  });

  test('says when there are none', async () => {
    const { code, err } = await runFake(['actions', 'db'], { actions: () => [] });
    expect({ code, err }).toEqual({ code: 0, err: 'No actions defined for db.\n' });
  });

  test('show-action shows the parameters of one', async () => {
    const { out } = await runFake(['show-action', 'db', 'backup'], { actions: () => specs });
    expect(out).toBe('Take a backup\nnow\n\nArguments\nlevel:\n  type: integer\n');
  });
});
