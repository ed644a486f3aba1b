import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from '@jest/globals';
import { identifyProcess, isProcessAlive } from '#system';

test('a process is alive under its own identity only', () => {
  const self = identifyProcess(process.pid);
  expect(self).toBeDefined();
  if (self !== undefined) {
    expect(isProcessAlive(self)).toBe(true);
    expect(isProcessAlive({ ...self, startTicks: '1' })).toBe(false);
    expect(isProcessAlive({ ...self, bootId: 'an earlier boot' })).toBe(false);
  }
});

test('an ended process is not alive', async () => {
  const child = spawn('/bin/sleep', ['60']);
  const identity = identifyProcess(child.pid ?? 0);
  expect(identity && isProcessAlive(identity)).toBe(true);
  child.kill('SIGKILL');
  await once(child, 'close');
  expect(identity && isProcessAlive(identity)).toBe(false);
});
