import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { newSandbox, type Sandbox } from './juju-process.ts';

const METADATA = `
name: keeper
summary: Keeps things
description: A charm in shell with storage and a resource.
storage:
  data: {type: filesystem, location: /srv/data, minimum-size: 100M}
  logs: {type: filesystem, multiple: {range: 0-2}}
resources:
  tool: {type: file, filename: tool.bin, description: A tool}
`;

const DISPATCH = `#!/bin/sh
case "$JUJU_DISPATCH_PATH" in
  hooks/install) status-set active "storage $(storage-list | tr '\\n' ' ')" ;;
  hooks/upgrade-charm) status-set active "upgraded, tool is $(cat "$(resource-get tool)")" ;;
esac
`;

/** One charm with storage, files and upgrades; each test goes on where the one before ended. */
describe('storage, resources and refresh, by the juju program', () => {
  let sandbox: Sandbox;
  const juju: Sandbox['juju'] = async (line, options) => sandbox.juju(line, options);
  const settled = async (unit: string, message: string) =>
    juju([
      'wait-for',
      'unit',
      unit,
      '--timeout',
      '20s',
      '--query',
      `workload-message=="${message}" && agent-status=="idle"`,
    ]);

  beforeAll(async () => {
    sandbox = newSandbox();
    const charm = join(sandbox.folder, 'keeper');
    mkdirSync(charm);
    writeFileSync(join(charm, 'metadata.yaml'), METADATA);
    writeFileSync(join(charm, 'dispatch'), DISPATCH, { mode: 0o755 });
    writeFileSync(join(sandbox.folder, 'tool'), 'one');
    await juju('bootstrap');
  });
  afterAll(async () => sandbox.end());

  test('nothing is shown while there is nothing', async () => {
    expect(await juju('storage')).toEqual({ code: 0, out: '', err: 'No storage to display.\n' });
    expect((await juju('storage-pools')).out).toBe(
      'Name    Provider  Attributes\nlxd     lxd       \nrootfs  rootfs    \n',
    );
  });

  test('storage comes with the unit and by command, and is listed in every format', async () => {
    expect(await juju('deploy ./keeper k --storage data=50M')).toMatchObject({
      code: 1,
      err: expect.stringContaining(
        'ERROR charm "keeper" store "data": minimum storage size is 100 MB, 50 MB specified',
      ),
    });
    expect(await juju('deploy ./keeper k --storage logs=lxd,1,2G')).toMatchObject({ code: 0 });
    expect(await settled('k/0', 'storage data/0 logs/1 ')).toMatchObject({ code: 0 });
    expect((await juju('storage')).out).toBe(
      [
        'Unit  Storage ID  Type        Pool    Size     Status    Message',
        'k/0   data/0      filesystem  rootfs  100 MiB  attached  ',
        'k/0   logs/1      filesystem  lxd     2.0 GiB  attached  ',
        '',
      ].join('\n'),
    );
    const location = join(sandbox.data, 'agents/unit-k-0/root/srv/data');
    expect(parse((await juju('show-storage data/0')).out)).toEqual({
      'data/0': {
        kind: 'filesystem',
        life: 'alive',
        status: { current: 'attached', since: expect.any(String) },
        persistent: false,
        attachments: { units: { 'k/0': { machine: '0', location, life: 'alive' } } },
      },
    });
    const { storage } = JSON.parse((await juju('status --format=json')).out) as {
      storage: Record<string, unknown>;
    };
    expect(Object.keys(storage)).toEqual(['storage', 'filesystems']);
    expect(storage['filesystems']).toMatchObject({
      '0/0': { storage: 'data/0', pool: 'rootfs', size: 100 },
      1: { storage: 'logs/1', pool: 'lxd', size: 2048 },
    });
    expect((await juju('status --storage')).out).toMatch(
      /^Storage Unit {2}Storage ID {2}Type .*\nk\/0 +data\/0 +filesystem +rootfs +\S+\/srv\/data +100 MiB +attached +$/m,
    );
    expect(await juju('add-storage k/0 logs')).toEqual({
      code: 0,
      out: '',
      err: 'added storage logs/2 to k/0\n',
    });
    expect(await juju('add-storage k/0 logs')).toMatchObject({
      code: 1,
      err: expect.stringContaining('exceeding the maximum of 2'),
    });
  });

  test('storage is detached, attached and removed, or refused with a reason', async () => {
    expect(await juju('detach-storage data/0')).toMatchObject({
      code: 1,
      err: 'failed to detach data/0: cannot destroy storage attachment data/0:k/0: cannot detach, storage is singular\n',
    });
    expect(await juju('remove-storage logs/1')).toEqual({
      code: 1,
      out: '',
      err: 'failed to remove logs/1: storage is attached\n\nUse the --force option to remove attached storage, or use\n"juju detach-storage" to explicitly detach the storage\nbefore removing.\n',
    });
    expect(await juju('detach-storage logs/1')).toEqual({
      code: 0,
      out: '',
      err: 'detaching logs/1\n',
    });
    expect(await juju('show-storage logs/9')).toMatchObject({
      code: 1,
      err: 'ERROR storage instance "logs/9" not found\n',
    });
    expect(await juju('attach-storage k/9 logs/1')).toMatchObject({
      code: 1,
      err: expect.stringContaining('failed to attach logs/1 to k/9: '),
    });
  });

  test('a new charm and new files reach the unit', async () => {
    expect(await juju('refresh k')).toMatchObject({
      code: 1,
      err: 'ERROR refreshing a local charm requires either --path or --switch\n',
    });
    expect(await juju('refresh k --path ./keeper --switch ./keeper')).toMatchObject({ code: 2 });
    expect(await juju('resources k')).toMatchObject({
      out: 'Resource  Supplied by  Revision\ntool      upload       -\n',
    });
    expect(await juju('refresh k --path ./keeper --resource tool=./tool')).toEqual({
      code: 0,
      out: '',
      err: 'Added local charm "keeper", revision 1, to the model\n',
    });
    expect(await settled('k/0', 'upgraded, tool is one')).toMatchObject({ code: 0 });
    expect((await juju('status')).out).toMatch(/^k +active +1 +keeper +1 +no /m);
    writeFileSync(join(sandbox.folder, 'tool'), 'two');
    expect(await juju('attach-resource k tool=./tool')).toEqual({ code: 0, out: '', err: '' });
    expect(await settled('k/0', 'upgraded, tool is two')).toMatchObject({ code: 0 });
    expect((await juju('resources k')).out).toMatch(
      /^Resource {2}Supplied by {2}Revision\ntool {6}admin {8}\d{4}-\d\d-\d\dT\d\d:\d\d\n$/,
    );
    expect(JSON.parse((await juju('resources k --format=json')).out)).toMatchObject({
      resources: [{ resourceid: 'k/tool', revision: '2', size: 3, origin: 'upload', used: true }],
    });
    expect(await juju('attach-resource k none=./tool')).toMatchObject({
      code: 1,
      err: 'ERROR failed to upload resource "none": resource "none" not found\n',
    });
  });

  test('removal says what becomes of storage', async () => {
    expect((await juju('remove-application k --dry-run')).out).toBe(
      'will remove application k\n- will remove unit k/0\n- will remove storage data/0\n- will detach storage logs/2\n',
    );
    expect(await juju('remove-application k --no-prompt')).toMatchObject({ code: 0 });
    const data = join(sandbox.data, 'storage', 'logs-1');
    writeFileSync(join(data, 'page'), 'still here');
    expect(readFileSync(join(data, 'page'), 'utf8')).toBe('still here');
    expect(await juju('remove-storage logs/1')).toEqual({
      code: 0,
      out: '',
      err: 'removing logs/1\n',
    });
  });
});
