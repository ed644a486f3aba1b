import { mkdir, mkdtemp, readdir, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { bootId, identifyProcess } from '#system';
import { claimDispatch } from '../../../lib/ops/dispatch-guard.ts';

let charmDir = '';
const links = () => join(charmDir, '.dispatch');
const claim = () => claimDispatch({ charmDir, unitName: 'app/0', event: 'hooks/start' });

beforeEach(async () => {
  charmDir = await mkdtemp(join(tmpdir(), 'dispatch-guard-'));
});
afterEach(async () => {
  await rm(charmDir, { recursive: true, force: true });
});

async function leave(number: number, text: string): Promise<void> {
  await mkdir(links(), { recursive: true });
  await symlink(text, join(links(), String(number)));
}

/** The parent of this test runs as long as it does. */
function livingHolder(): string {
  const parent = identifyProcess(process.ppid);
  return `${process.ppid} ${parent?.startTicks} ${bootId()} actions/backup`;
}

test('the first dispatch claims the unit, and says who it is', async () => {
  expect(claim()).toBe(true);
  expect(await readlink(join(links(), '1'))).toBe(
    `${process.pid} ${identifyProcess(process.pid)?.startTicks} ${bootId()} hooks/start`,
  );
});

test('while another process runs one, the message names both events and the remedy', async () => {
  await leave(7, livingHolder());
  expect(claim).toThrow(
    expect.objectContaining({
      code: 'dispatch-running',
      message: `cannot dispatch hooks/start: another dispatch of app/0 is running (process ${process.ppid} handles actions/backup)`,
      hint: expect.stringContaining(
        `juju-exec -u app/0 "JUJU_DISPATCH_PATH=hooks/start ${charmDir}/dispatch"`,
      ),
    }),
  );
  expect(await readdir(links())).toEqual(['7']);
});

test.each([
  ['a process that is gone', () => `4194300 1 ${bootId()} hooks/start`],
  ['a process whose number another one has now', () => `${process.ppid} 1 ${bootId()} hooks/start`],
  ['a process of before the machine started', () => `${process.ppid} 1 other-boot hooks/start`],
  ['nobody', () => 'nonsense'],
])('the claim of %s is over', async (_who, text) => {
  await leave(7, text());
  expect(claim()).toBe(true);
  expect(await readdir(links())).toEqual(['8']);
});

test('a claim that comes late finds the number taken, or a higher one', async () => {
  await leave(7, `4194300 1 ${bootId()} hooks/start`);
  await leave(8, livingHolder());
  expect(claim).toThrow('process');
  await rm(join(links(), '8'));
  await writeFile(join(links(), '8'), 'no link at all');
  expect(claim()).toBe(true);
  expect(await readdir(links())).toEqual(['9']);
});

test('where nothing can be written nothing is claimed, and nothing made', async () => {
  const nowhere = join(charmDir, 'nowhere');
  expect(claimDispatch({ charmDir: nowhere, unitName: 'app/0', event: 'hooks/start' })).toBe(false);
  expect(await readdir(charmDir)).toEqual([]);
});
