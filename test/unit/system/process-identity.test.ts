import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from '@jest/globals';
import { identifyProcess, isProcessAlive, type ProcessIdentity } from '#system';

test('a process is alive under its own identity only', () => {
  const self = identityOf(process.pid);
  expect(isProcessAlive(self)).toBe(true);
  expect(isProcessAlive({ ...self, startTicks: '1' })).toBe(false);
  expect(isProcessAlive({ ...self, bootId: 'an earlier boot' })).toBe(false);
});

test('an ended process is not alive', async () => {
  const child = spawn('/bin/sleep', ['60']);
  const identity = identityOf(child.pid ?? 0);
  expect(isProcessAlive(identity)).toBe(true);
  child.kill('SIGKILL');
  await once(child, 'close');
  expect(isProcessAlive(identity)).toBe(false);
});

function identityOf(pid: number): ProcessIdentity {
  const identity = identifyProcess(pid);
  if (identity === undefined) {
    throw new Error(`process ${pid} is not there`);
  }
  return identity;
}
