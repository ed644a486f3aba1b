/** Storage of units: directories that come before install, move between units, and outlive them. */
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { SandboxDaemon } from '../../helpers/sandbox-daemon.ts';

const METADATA = `
name: keeper
summary: Keeps things.
description: A witness with storage.
storage:
  data:
    type: filesystem
    location: /srv/../srv/keeper
  logs:
    type: filesystem
    multiple: { range: 0-2 }
    minimum-size: 100M
`;

const TELL = 'juju-log "kept $JUJU_STORAGE_ID $JUJU_STORAGE_KIND $JUJU_STORAGE_LOCATION"';

let sandbox: SandboxDaemon;

beforeEach(async () => {
  sandbox = await SandboxDaemon.start();
});

afterEach(async () => {
  await sandbox.destroy();
});

async function deploy(name: string, options: Parameters<SandboxDaemon['deploy']>[1] = {}) {
  await sandbox.deploy(name, { ...options, files: { 'metadata.yaml': METADATA } });
  await sandbox.settle();
}

async function storageOf(id: string) {
  return (await sandbox.call('storage', {})).find((one) => one.id === id);
}

test('required storage comes by itself, in a real directory, before install', async () => {
  await deploy('keep', {
    scripts: { 'data-storage-attached': `${TELL}\ntouch "$JUJU_STORAGE_LOCATION/here"` },
  });
  const events = await sandbox.events('keep/0');
  expect(events.slice(0, 2)).toEqual(['data-storage-attached', 'install']);
  const location = join(sandbox.root, 'agents', 'unit-keep-0', 'root', 'srv', 'keeper');
  const told = (await sandbox.log()).map(({ message }) => message);
  expect(told).toContain(`kept data/0 filesystem ${location}`);
  expect(existsSync(join(location, 'here'))).toBe(true);
  expect(await storageOf('data/0')).toMatchObject({
    pool: 'rootfs',
    size: 1024,
    status: { current: 'attached' },
    attachment: { unit: 'keep/0', machine: '0', location, life: 'alive' },
  });
});

test('storage-add waits for the end of its hook, and is refused where the charm cannot have it', async () => {
  await deploy('keep');
  const ran = await sandbox.exec(
    'keep/0',
    'storage-add logs=2; storage-list; storage-get -s data/0 kind',
  );
  expect(ran).toEqual({ code: 0, stdout: 'data/0\nfilesystem\n', stderr: '' });
  await sandbox.settle();
  expect((await sandbox.exec('keep/0', 'storage-list')).stdout).toBe('data/0\nlogs/1\nlogs/2\n');
  await sandbox.exec('keep/0', 'storage-add logs');
  await sandbox.settle();
  expect((await sandbox.exec('keep/0', 'storage-list logs')).stdout).toBe('logs/1\nlogs/2\n');
  const [added] = await sandbox.call('add-storage', {
    unit: 'keep/0',
    directives: { logs: { count: 1 } },
  });
  expect(added?.error).toBe(
    'adding storage to unit keep/0: attaching 1 storage instance brings the total to 3, exceeding the maximum of 2',
  );
});

test('detached storage keeps its data, and another unit finds them', async () => {
  await sandbox.deploy('keep', {
    units: 2,
    scripts: {
      'logs-storage-detaching': 'test -f "$JUJU_STORAGE_LOCATION/page" && juju-log "still there"',
    },
    files: { 'metadata.yaml': METADATA },
  });
  await sandbox.call('add-storage', { unit: 'keep/0', directives: { logs: { count: 1 } } });
  await sandbox.settle();
  await sandbox.exec('keep/0', 'echo text > "$(storage-get -s logs/2 location)/page"');
  expect(await sandbox.call('detach-storage', { storage: ['data/0'] })).toEqual([
    {
      storage: 'data/0',
      error: 'cannot destroy storage attachment data/0:keep/0: cannot detach, storage is singular',
    },
  ]);
  await sandbox.call('detach-storage', { storage: ['logs/2'] });
  await sandbox.waitFor(
    'the storage to be detached',
    async () => (await storageOf('logs/2'))?.status.current === 'detached',
  );
  await sandbox.settle();
  expect((await sandbox.log()).map(({ message }) => message)).toContain('still there');
  expect((await sandbox.exec('keep/0', 'storage-list logs')).stdout).toBe('');
  expect(await readFile(join(sandbox.root, 'storage', 'logs-2', 'page'), 'utf8')).toBe('text\n');
  await sandbox.call('attach-storage', { unit: 'keep/1', storage: ['logs/2'] });
  await sandbox.settle();
  const read = await sandbox.exec('keep/1', 'cat "$(storage-get -s logs/2 location)/page"');
  expect(read.stdout).toBe('text\n');
  expect(await sandbox.call('remove-storage', { storage: ['logs/2'] })).toMatchObject([
    { error: 'storage is attached', attached: true },
  ]);
  await sandbox.call('remove-storage', { storage: ['logs/2'], force: true });
  await sandbox.waitFor(
    'the storage to be gone',
    async () => (await storageOf('logs/2')) === undefined,
  );
  await sandbox.settle();
  const left = join(sandbox.root, 'agents', 'unit-keep-1', 'storage', 'logs', '2');
  await sandbox.waitFor('the data to be gone', async () => !existsSync(left));
});

test('a unit leaves its storage before it stops; what is not part of its machine stays', async () => {
  await deploy('keep');
  await sandbox.call('add-storage', {
    unit: 'keep/0',
    directives: { logs: { pool: 'lxd', count: 1 } },
  });
  await sandbox.settle();
  await sandbox.exec('keep/0', 'echo text > "$(storage-get -s logs/1 location)/page"');
  const [result] = await sandbox.call('remove-unit', { units: ['keep/0'] });
  expect(result).toMatchObject({ destroyedStorage: ['data/0'], detachedStorage: ['logs/1'] });
  await sandbox.waitFor(
    'the unit to be gone',
    async () => (await sandbox.unit('keep/0')) === undefined,
  );
  const events = await sandbox.events('keep/0');
  expect(events.slice(-4)).toEqual([
    'data-storage-detaching',
    'logs-storage-detaching',
    'stop',
    'remove',
  ]);
  expect(await sandbox.call('storage', {})).toMatchObject([
    { id: 'logs/1', status: { current: 'detached' } },
  ]);
  const page = join(sandbox.root, 'storage', 'logs-1', 'page');
  await sandbox.waitFor('the data to be home', async () => existsSync(page));
  await sandbox.call('add-unit', { application: 'keep', attachStorage: ['logs/1'] });
  await sandbox.settle();
  expect((await sandbox.exec('keep/1', 'storage-list')).stdout).toBe('data/2\nlogs/1\n');
  expect(
    (await sandbox.exec('keep/1', 'cat "$(storage-get -s logs/1 location)/page"')).stdout,
  ).toBe('text\n');
  await sandbox.call('remove-application', { applications: ['keep'], destroyStorage: true });
  await sandbox.waitFor(
    'all storage to be gone',
    async () => (await sandbox.call('storage', {})).length === 0,
  );
});

test('what was added before a crash of the daemon is attached after it', async () => {
  await deploy('keep', { scripts: { 'logs-storage-attached': 'touch began; sleep 30' } });
  await sandbox.call('add-storage', { unit: 'keep/0', directives: { logs: { count: 1 } } });
  await sandbox.waitFor('the hook to run', async () =>
    Promise.resolve(existsSync(join(sandbox.charmDirectory('keep/0'), 'began'))),
  );
  await sandbox.setScript('keep/0', 'logs-storage-attached', TELL);
  await sandbox.killDaemon();
  await sandbox.restartDaemon();
  const attached = async () =>
    (await sandbox.log()).filter(({ message }) => message.startsWith('kept logs/1 filesystem'));
  await sandbox.waitFor('the hook to run again', async () => (await attached()).length > 0);
  await sandbox.settle();
  expect(await attached()).toHaveLength(1);
});

test('a charm that asks for block devices or for shared storage is refused with a reason', async () => {
  const directory = join(sandbox.root, 'block');
  await mkdir(directory);
  const write = async (storage: string) =>
    writeFile(
      join(directory, 'metadata.yaml'),
      `name: block\nsummary: s\ndescription: d\nstorage: { disk: ${storage} }\n`,
    );
  await write('{ type: block }');
  await expect(sandbox.call('deploy', { path: directory })).rejects.toThrow('is a block device');
  await write('{ type: filesystem, shared: true }');
  await expect(sandbox.call('deploy', { path: directory })).rejects.toThrow(
    'charm "block" store "disk": shared storage support not implemented',
  );
});
