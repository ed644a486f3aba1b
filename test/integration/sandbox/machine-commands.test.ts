import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { SandboxDaemon } from '../../helpers/sandbox-daemon.ts';

/** Ends well when a command that leaves `other` runs at the same time. */
const meet = (other: string, own: string) =>
  `touch ${own}; for i in $(seq 400); do [ -e ${other} ] && exit 0; sleep 0.02; done; exit 1`;

describe('commands on machines', () => {
  let sandbox: SandboxDaemon;
  beforeEach(async () => {
    sandbox = await SandboxDaemon.start();
    await sandbox.deploy('a', { units: 2 });
    await sandbox.settle();
  });
  afterEach(async () => {
    await sandbox.destroy();
  });
  const run = async (command: string, executionGroup?: string) => {
    const { tasks } = await sandbox.call('exec', {
      machines: ['0'],
      command,
      ...(executionGroup === undefined ? {} : { executionGroup }),
    });
    return tasks[0]?.id ?? '';
  };
  const codeOf = async (id: string) =>
    (await sandbox.call('task', { id, waitMs: 20_000 })).results['return-code'];

  test('run in the home directory of the machine, without a hook context', async () => {
    const command = 'pwd; echo "[$JUJU_CONTEXT_ID$JUJU_UNIT_NAME]" >&2; exit 4';
    const { tasks, operation } = await sandbox.call('exec', { machines: ['1', '7'], command });
    expect(tasks).toEqual([
      { target: '1', id: '2' },
      { target: '7', error: 'machine 7 not found' },
    ]);
    const task = await sandbox.call('task', { id: '2', waitMs: 20_000 });
    const { home } = await sandbox.call('place', { target: 'a/1' });
    expect(task).toMatchObject({
      unit: '',
      machine: '1',
      status: 'completed',
      results: { 'return-code': 4, stdout: `${home}\n`, stderr: '[]\n' },
    });
    const { summary, fail } = await sandbox.call('operation', { id: operation });
    expect({ summary, fail }).toEqual({
      summary: 'juju-exec run on machine-1,machine-7',
      fail: 'machine 7 not found',
    });
  }, 60_000);

  test('can be cancelled; one that ran when the daemon was killed has failed', async () => {
    const enqueued = await sandbox.call('exec', { all: true, command: 'sleep 1000' });
    const ids = enqueued.tasks.map(({ id }) => id ?? '');
    expect(ids).toHaveLength(2);
    const [first = '', second = ''] = ids;
    for (const id of ids) {
      await sandbox.waitFor('it to run', async () => {
        const { status } = await sandbox.call('task', { id });
        return status === 'running';
      });
    }
    await sandbox.call('cancel-task', { id: first });
    const cancelled = await sandbox.call('task', { id: first, waitMs: 20_000 });
    expect(cancelled.status).toBe('aborted');
    await sandbox.killDaemon();
    await sandbox.restartDaemon();
    expect(await sandbox.call('task', { id: second, waitMs: 20_000 })).toMatchObject({
      status: 'failed',
      message: 'action terminated',
    });
  }, 60_000);

  test('of one group run one after the other, those of none at once', async () => {
    const together = [await run(meet('b', 'a')), await run(meet('a', 'b'))];
    expect(await Promise.all(together.map(codeOf))).toEqual([0, 0]);
    const inOrder = [
      await run('mkdir held && sleep 0.3 && rmdir held', 'g'),
      await run('mkdir held && rmdir held', 'g'),
    ];
    expect(await Promise.all(inOrder.map(codeOf))).toEqual([0, 0]);
  }, 60_000);
});
