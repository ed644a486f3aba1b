import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { fireCustomEvent } from '#ops';
import type { RunProcess } from '#system';

function recorder() {
  const calls: Parameters<RunProcess>[] = [];
  const runProcess: RunProcess = async (...call) => {
    calls.push(call);
    return await Promise.resolve({ exitCode: 0, stdout: '', stderr: '' });
  };
  return { calls, runProcess };
}

const OPTIONS = { unitName: 'app/0', charmDir: '/charm', eventName: 'backup-progress' };

describe('firing a custom event', () => {
  test('runs dispatch through juju-exec, outside of the context of any hook', async () => {
    const { calls, runProcess } = recorder();
    const env = { PATH: '/nowhere', JUJU_CONTEXT_ID: 'app/0-start-1', JUJU_UNIT_NAME: 'app/0' };
    await fireCustomEvent({ ...OPTIONS, env, runProcess });
    expect(calls).toEqual([
      [
        '/usr/bin/juju-exec',
        ['-u', 'app/0', 'JUJU_DISPATCH_PATH=hooks/backup-progress /charm/dispatch'],
        expect.objectContaining({ env: { PATH: '/nowhere', JUJU_UNIT_NAME: 'app/0' } }),
      ],
    ]);
  });

  test('prefers the juju-exec on PATH', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'ops-exec-'));
    const executable = join(directory, 'juju-exec');
    await writeFile(executable, '#!/bin/sh\n');
    await chmod(executable, 0o755);
    const { calls, runProcess } = recorder();
    await fireCustomEvent({ ...OPTIONS, env: { PATH: `/nowhere:${directory}` }, runProcess });
    await rm(directory, { recursive: true });
    expect(calls[0]?.[0]).toBe(executable);
  });

  test('a charm directory with unusual characters reaches the shell as one word', async () => {
    const { calls, runProcess } = recorder();
    await fireCustomEvent({ ...OPTIONS, charmDir: "/it's here", env: {}, runProcess });
    expect(calls[0]?.[1].at(-1)).toBe(
      "JUJU_DISPATCH_PATH=hooks/backup-progress '/it'\\''s here/dispatch'",
    );
  });

  test.each(['', 'a b', '$(reboot)', '../x', 'Upper'])(
    'the name %j is refused',
    async (eventName) => {
      const { calls, runProcess } = recorder();
      await expect(fireCustomEvent({ ...OPTIONS, eventName, runProcess })).rejects.toMatchObject({
        code: 'invalid-event-name',
      });
      expect(calls).toEqual([]);
    },
  );
});
