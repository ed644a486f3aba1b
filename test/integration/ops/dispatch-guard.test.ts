/** Processes that claim a unit at the same moment, after the one that had it was killed. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { afterEach, beforeEach, expect, test } from '@jest/globals';

// Claims when told to, says how that ended, and stays until it is killed.
const SCRIPT = `
import { claimDispatch } from ${JSON.stringify(resolve('lib/ops/dispatch-guard.ts'))};
process.stdin.on('data', () => {
  try {
    claimDispatch({ charmDir: process.argv[1], unitName: 'app/0', event: 'hooks/start' });
    console.log('claimed');
  } catch (error) {
    console.log(error.code);
  }
});
console.log('ready');
`;

type Claimer = ChildProcessByStdio<Writable, Readable, null>;

let charmDir = '';
let claimers: Claimer[] = [];

beforeEach(async () => {
  charmDir = await mkdtemp(join(tmpdir(), 'dispatch-guard-'));
});
afterEach(async () => {
  await Promise.all(claimers.map(end));
  await rm(charmDir, { recursive: true, force: true });
});

async function line(claimer: Claimer): Promise<string> {
  const [chunk] = await once(claimer.stdout, 'data');
  return String(chunk).trim();
}

async function end(claimer: Claimer): Promise<void> {
  if (claimer.exitCode === null && claimer.signalCode === null) {
    claimer.kill('SIGKILL');
    await once(claimer, 'exit');
  }
}

test('of many there is one, round after round, and nothing is left but its claim', async () => {
  for (let round = 1; round <= 4; round += 1) {
    claimers = Array.from({ length: 6 }, () =>
      spawn(process.execPath, ['--input-type=module', '--eval', SCRIPT, charmDir], {
        stdio: ['pipe', 'pipe', 'inherit'],
      }),
    );
    await Promise.all(claimers.map(line));
    const answers = claimers.map(line);
    for (const claimer of claimers) {
      claimer.stdin.write('go\n');
    }
    const said = (await Promise.all(answers)).toSorted((a, b) => a.localeCompare(b));
    expect(said).toEqual(['claimed', ...Array.from({ length: 5 }, () => 'dispatch-running')]);
    expect(await readdir(join(charmDir, '.dispatch'))).toHaveLength(1);
    await Promise.all(claimers.map(end));
  }
});
