import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { acquireFileLock } from '#system';

describe('a file lock', () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'file-lock-'));
  });

  afterEach(async () => {
    await rm(directory, { recursive: true, force: true });
  });

  test('has one holder at a time and is free again once disposed of', async () => {
    const path = join(directory, 'lock');
    {
      await using first = await acquireFileLock(path, 0);
      expect(first).toBeDefined();
      expect(await acquireFileLock(path, 20)).toBeUndefined();
    }
    await using second = await acquireFileLock(path, 0);
    expect(second).toBeDefined();
  });

  test('waits for a holder that is about to be done', async () => {
    const path = join(directory, 'lock');
    const first = await acquireFileLock(path, 0);
    const second = acquireFileLock(path, 20_000);
    await first?.[Symbol.asyncDispose]();
    await using held = await second;
    expect(held).toBeDefined();
  });

  test('is freed by the death of its holder', async () => {
    const path = join(directory, 'lock');
    const holder = spawn('/usr/bin/flock', [path, 'sh', '-c', 'echo locked; exec sleep 60'], {
      stdio: ['ignore', 'pipe', 'ignore'],
      detached: true,
    });
    await once(holder.stdout, 'data');
    expect(await acquireFileLock(path, 0)).toBeUndefined();
    process.kill(-(holder.pid ?? 0), 'SIGKILL');
    await using after = await acquireFileLock(path, 20_000);
    expect(after).toBeDefined();
  });
});
