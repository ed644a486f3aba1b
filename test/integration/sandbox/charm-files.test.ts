/** The files of a charm as units get them: they can be run at once, whatever else is begun meanwhile. */
import { cp, mkdir, mkdtemp, open, readdir, readFile, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { copyCharm } from '../../../lib/sandbox/agent/copy-charm.ts';
import { replaceCharm } from '../../../lib/sandbox/agent/replace-charm.ts';

// Copying so much takes long enough to be looked at.
const BIG_BYTES = 64 * 1024 * 1024;
const ENOUGH_LOOKS = 10;

let scratch = '';
let charm = '';

beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'charm-files-'));
  charm = join(scratch, 'charm');
  await mkdir(join(charm, 'bin'), { recursive: true });
  await cp('/bin/true', join(charm, 'bin', 'program'));
});

afterEach(async () => {
  await rm(scratch, { recursive: true, force: true });
});

test('are never open for writing in the process that begins others', async () => {
  const big = await open(join(charm, 'bin', 'big'), 'w');
  await big.write(Buffer.alloc(BIG_BYTES, 1));
  await big.close();
  const target = join(scratch, 'unit');
  const seen = new Set<string>();
  const whileDoing = async (work: Promise<void>) => {
    let looks = 0;
    const over = new AbortController();
    const done = work.finally(() => over.abort());
    while (!over.signal.aborted) {
      for (const path of await openForWriting()) {
        seen.add(path);
      }
      looks += 1;
    }
    await done;
    return looks;
  };

  // A fast disk is done before one has looked twice.
  for (let looks = 0, copy = 0; looks < ENOUGH_LOOKS; copy += 1) {
    looks += await whileDoing(copyCharm(charm, `${target}-${copy}`));
  }
  await copyCharm(charm, target);
  await whileDoing(replaceCharm(target, { before: [charm], after: charm }));

  expect([...seen].filter((path) => path.startsWith(scratch))).toEqual([]);
});

/** What this process has open so. */
async function openForWriting(): Promise<readonly string[]> {
  const found: string[] = [];
  for (const fd of await readdir('/proc/self/fd')) {
    // One may be closed by now, the look itself for example.
    const path = await readlink(`/proc/self/fd/${fd}`).catch(() => '');
    const info = await readFile(`/proc/self/fdinfo/${fd}`, 'utf8').catch(() => '');
    if (/^flags:\s+0*\d*[12]$/m.test(info)) {
      found.push(path);
    }
  }
  return found;
}
