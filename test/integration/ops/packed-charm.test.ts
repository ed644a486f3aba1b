/** What packing makes of a charm: runs where nothing else is, and keeps compiled code safely. */
import { copyFile, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { runProcess } from '#system';
import type { PackedCharm } from '#tooling';
import { ownPackedCharm } from '../../helpers/packed-charms.ts';

let root = '';
let charm: PackedCharm;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'ops-packed-'));
  const source = resolve('test/fixtures/ops/example-charm');
  charm = await ownPackedCharm('greeter', root, source);
  await writeFile(join(root, 'tool'), '#!/bin/sh\necho "{}"\n', { mode: 0o755 });
  for (const tool of ['config-get', 'relation-ids', 'status-set', 'juju-log']) {
    await symlink(join(root, 'tool'), join(root, tool));
  }
});
afterAll(async () => {
  await rm(root, { recursive: true, force: true });
});

/** `unit`: the folder Juju would name as the charm's, that of the packed charm unless told. */
async function dispatch(unit = charm.directory): Promise<string> {
  const { stderr } = await runProcess(join(charm.directory, 'dispatch'), [], {
    cwd: charm.directory,
    timeoutMs: 30_000,
    env: {
      // No HOME, and no Node on PATH: as Juju does it.
      PATH: `${root}:/usr/bin:/bin`,
      JUJU_CHARM_DIR: unit,
      JUJU_UNIT_NAME: 'greeter/0',
      JUJU_DISPATCH_PATH: 'hooks/update-status',
    },
  });
  return stderr;
}

const cache = () => join(charm.directory, '.compile-cache');

test('dispatches that overlap share one folder of compiled code', async () => {
  // Of one unit a second dispatch is refused; these are of three, as far as that is concerned.
  const units = ['a', 'b', 'c'].map((name) => join(root, name));
  for (const unit of units) {
    await mkdir(unit);
    for (const file of ['metadata.yaml', 'config.yaml', 'actions.yaml']) {
      await copyFile(join(charm.directory, file), join(unit, file));
    }
  }
  expect(await Promise.all(units.map((unit) => dispatch(unit)))).toEqual(['', '', '']);
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
