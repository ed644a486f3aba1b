/** A charm in plain shell, with `hooks/` and `actions/` and no `dispatch`, as charms once were. */
import { chmod, cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { projectRoot } from '#tooling';
import { zipDirectory } from '../../lib/tooling/zip-directory.ts';
import { JujuSandbox } from '../helpers/juju-sandbox.ts';

jest.setTimeout(300_000);

const SOURCE = join(projectRoot, 'test', 'interop', 'charms', 'ferry');
const NORTH = 'north/0';
let sandbox: JujuSandbox;
let scratch = '';

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'interop-shell-'));
  sandbox = await JujuSandbox.bootstrap();
});
afterAll(async () => {
  await sandbox?.destroy();
  await rm(scratch, { recursive: true, force: true });
});

const log = async (unit: string) =>
  await sandbox.juju('debug-log', '--replay', '--no-tail', '--include', unit);
const hooks = async (unit: string) =>
  [...(await log(unit)).matchAll(/ferry (\S+) args=/g)].map(([, hook]) => hook);
const message = async (unit: string) => (await sandbox.unit(unit))?.['workload-status'].message;

test('the files in hooks are run by their names, without arguments, and missing ones are skipped', async () => {
  // From a folder, where hooks are symbolic links to one file.
  await sandbox.juju('deploy', SOURCE, 'north');
  await sandbox.waitForApplication('north');
  expect(await hooks(NORTH)).toEqual([
    'hold-storage-attached',
    'install',
    'leader-elected',
    'config-changed',
    'start',
  ]);
  const text = await log(NORTH);
  const charm = join(sandbox.dataDirectory, 'agents', 'unit-north-0', 'charm');
  expect(text).toContain(
    `ferry install args=0 cwd=${charm} dispatch=hooks/install name=install home=none`,
  );
  expect(text).toContain('DEBUG unit.north/0.install casting off');
  expect(text).toContain('WARNING unit.north/0.install mind the gap');
  expect(text).toContain('ran "install" hook (via explicit, bespoke hook script)');
  expect(text).toContain('skipped "fleet-relation-created" hook (missing)');
  expect(await message(NORTH)).toBe('nobody steers');
});

test('its actions are the files in actions', async () => {
  expect(await sandbox.run(NORTH, 'cross', { passengers: '3' })).toMatchObject({
    status: 'completed',
    results: { fare: '15', cargo: { kind: 'mail' }, stdout: 'ahoy\n' },
  });
  expect(await sandbox.run(NORTH, 'sink')).toMatchObject({
    status: 'failed',
    message: 'there is a hole in it',
    results: { depth: '40' },
  });
  expect(await sandbox.run(NORTH, 'moor')).toMatchObject({
    status: 'failed',
    message: 'action not implemented on unit "north/0"',
  });
  const hold = join(sandbox.dataDirectory, 'agents', 'unit-north-0', 'storage', 'hold', '0');
  expect(await readFile(join(hold, 'log'), 'utf8')).toBe('empty\n3\n');
});

test('packed it is the same, also where the archive has lost the executable bits of its hooks', async () => {
  const archive = join(scratch, 'ferry.charm');
  const copy = join(scratch, 'ferry');
  await cp(SOURCE, copy, { recursive: true, dereference: true });
  for (const hook of await readdir(join(copy, 'hooks'))) {
    await chmod(join(copy, 'hooks', hook), 0o644);
  }
  await zipDirectory(copy, archive);
  await sandbox.juju('deploy', archive, 'south');
  await sandbox.juju('integrate', 'north:crossing', 'south:landing');
  await sandbox.waitFor('the fare', async () => (await message('south/0')) === 'fare 5');
  await sandbox.juju('config', 'north', 'fare=8');
  await sandbox.waitFor('the new fare', async () => (await message('south/0')) === 'fare 8');
});

test('a hook that fails stops the unit until it is resolved', async () => {
  await sandbox.juju('model-config', 'automatically-retry-hooks=false');
  await sandbox.juju('config', 'north', 'captain=Ahab');
  await sandbox.waitFor(
    'the hook to fail',
    async () => (await message(NORTH)) === 'hook failed: "config-changed"',
  );
  expect(await log(NORTH)).toContain('WARNING unit.north/0.config-changed no whaling');
  await sandbox.juju('config', 'north', 'captain=Starbuck');
  await sandbox.juju('resolved', NORTH);
  await sandbox.waitForApplication('north');
  expect(await message(NORTH)).toBe('Starbuck steers');
});

test('it is told when it scales, and when its relation and its application go', async () => {
  await sandbox.juju('add-unit', 'north');
  await sandbox.waitFor('the second unit', async () => (await hooks('north/1')).includes('start'));
  await sandbox.waitForApplication('north');
  expect(await hooks('north/1')).not.toContain('leader-elected');
  expect(await hooks(NORTH)).toContain('fleet-relation-joined');
  await sandbox.juju('remove-application', 'north', '--no-prompt');
  await sandbox.waitFor(
    'the application to be gone',
    async () => (await sandbox.status()).applications['north'] === undefined,
  );
  const last = (await hooks(NORTH)).filter((hook) => hook !== 'fleet-relation-departed').slice(-3);
  expect(last).toEqual(['hold-storage-detaching', 'crossing-relation-departed', 'stop']);
  await sandbox.waitFor('the relation to be gone', async () => {
    return (await message('south/0')) === 'for a crossing';
  });
});
