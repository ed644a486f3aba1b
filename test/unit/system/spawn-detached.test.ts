import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type DetachedOptions, isProcessAlive, spawnDetached } from '#system';

describe('a detached process', () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'spawn-detached-'));
  });

  afterEach(async () => {
    await rm(directory, { recursive: true, force: true });
  });

  function options(script: string, change: Partial<DetachedOptions> = {}): DetachedOptions {
    return {
      command: '/bin/sh',
      args: ['-c', script],
      env: { PATH: '/usr/bin:/bin', GIVEN: 'yes' },
      cwd: directory,
      outputPath: join(directory, 'output'),
      stdin: 'a secret\n',
      stdinTimeoutMs: 10_000,
      ...change,
    };
  }

  async function output(): Promise<string> {
    for (;;) {
      const text = await readFile(join(directory, 'output'), 'utf8');
      if (text.endsWith('end\n')) {
        return text;
      }
    }
  }

  test('leads a session of its own, gets its input and only the environment given', async () => {
    const identity = await spawnDetached(
      options('cat; cut -d" " -f6 /proc/$$/stat; echo "${GIVEN-no} ${HOME-no}"; echo end'),
    );
    const [input, session, environment] = (await output()).split('\n');
    expect(input).toBe('a secret');
    expect(Number(session)).toBe(identity?.pid);
    expect(environment).toBe('yes no');
    expect((await stat(join(directory, 'output'))).mode & 0o777).toBe(0o600);
  });

  test('is known by an identity that ends with it', async () => {
    const identity = await spawnDetached(options('cat >/dev/null; exec sleep 60'));
    if (identity === undefined) {
      throw new Error('the process ended too soon');
    }
    expect(isProcessAlive(identity)).toBe(true);
    process.kill(identity.pid, 'SIGKILL');
    while (isProcessAlive(identity)) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  });

  test('that cannot be started is an error with the name of the command', async () => {
    await expect(spawnDetached(options('', { command: '/no/such/program' }))).rejects.toMatchObject(
      {
        code: 'cannot-start',
        message: expect.stringContaining('/no/such/program'),
      },
    );
  });

  test('that ends before it was given all of its input is an error', async () => {
    await expect(
      spawnDetached(options('exit 0', { stdin: 'x'.repeat(1_000_000) })),
    ).rejects.toMatchObject({ code: 'cannot-start' });
  });
});
