/** What packing makes of a charm: runs where nothing else is, and keeps compiled code safely. */
import { mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { runProcess } from '#system';
import { type PackedCharm, packCharm } from '#tooling';

let root = '';
let charm: PackedCharm;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'ops-packed-'));
  const source = resolve('test/fixtures/ops/example-charm');
  charm = await packCharm('greeter', { source, outputDirectory: root });
  await writeFile(join(root, 'tool'), '#!/bin/sh\necho "{}"\n', { mode: 0o755 });
  for (const tool of ['config-get', 'relation-ids', 'status-set', 'juju-log']) {
    await symlink(join(root, 'tool'), join(root, tool));
  }
});
afterAll(async () => {
  await rm(root, { recursive: true, force: true });
});

async function dispatch(): Promise<string> {
  const { stderr } = await runProcess(join(charm.directory, 'dispatch'), [], {
    cwd: charm.directory,
    timeoutMs: 30_000,
    env: {
      // No HOME, and no Node on PATH: as Juju does it.
      PATH: `${root}:/usr/bin:/bin`,
      JUJU_CHARM_DIR: charm.directory,
      JUJU_UNIT_NAME: 'greeter/0',
      JUJU_DISPATCH_PATH: 'hooks/update-status',
    },
  });
  return stderr;
}

const cache = () => join(charm.directory, '.compile-cache');

test('dispatches that overlap share one folder of compiled code', async () => {
  expect(await Promise.all([dispatch(), dispatch(), dispatch()])).toEqual(['', '', '']);
  const files = await readdir(cache(), { recursive: true });
  expect(files.filter((name) => name.includes('/'))).toHaveLength(1);
});

test('a dispatch runs where compiled code is damaged, or cannot be kept', async () => {
  const [name = ''] = (await readdir(cache(), { recursive: true })).filter((one) =>
    one.includes('/'),
  );
  await writeFile(join(cache(), name), 'not what it was');
  expect(await dispatch()).toBe('');
  await rm(cache(), { recursive: true });
  await writeFile(cache(), 'a file in its place');
  expect(await dispatch()).toBe('');
});
