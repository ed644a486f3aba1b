/** Storage, reboots and faults on machines of their own, and machines whose changes are kept in memory. */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { runProcess } from '#system';
import { SandboxDaemon } from '../../helpers/sandbox-daemon.ts';

const onlyAsRoot = process.getuid?.() === 0 ? describe : describe.skip;

const KEEPER = `
name: keeper
summary: Keeps things.
description: A witness with storage.
storage:
  data: { type: filesystem, location: /srv/keeper }
  logs: { type: filesystem, multiple: { range: 0- } }
`;

async function startIsolated(folder?: string): Promise<SandboxDaemon> {
  const sandbox = await SandboxDaemon.start({ isolation: 'namespaces' }, folder);
  const { isolation, warnings } = await sandbox.call('ping', {});
  if (isolation === 'none') {
    await sandbox.destroy();
    throw new Error(warnings.join(', '));
  }
  return sandbox;
}

onlyAsRoot('on machines in namespaces of their own (needs root)', () => {
  let sandbox: SandboxDaemon;
  beforeEach(async () => {
    sandbox = await startIsolated();
  });
  afterEach(async () => {
    await sandbox.destroy();
  });

  test('storage is a directory of the machine, and moves with its data to another one', async () => {
    await sandbox.deploy('keep', {
      units: 2,
      files: { 'metadata.yaml': KEEPER },
      scripts: { 'data-storage-attached': 'hostname > "$JUJU_STORAGE_LOCATION/host"' },
    });
    await sandbox.settle();
    const hosts = await Promise.all(
      ['keep/0', 'keep/1'].map(async (unit) =>
        sandbox.exec(unit, 'cat "$(storage-get -s $(storage-list data) location)/host"'),
      ),
    );
    expect(hosts.map(({ stdout }) => stdout.trim().split('-').at(-1))).toEqual(['0', '1']);

    const [added] = await sandbox.call('add-storage', {
      unit: 'keep/0',
      directives: { logs: { count: 1, pool: 'lxd' } },
    });
    const id = added?.storage?.[0] ?? '';
    expect(id).toMatch(/^logs\//);
    await sandbox.settle();
    const location = `"$(storage-get -s ${id} location)"`;
    await sandbox.exec('keep/0', `echo text > ${location}/page`);
    await sandbox.call('detach-storage', { storage: [id] });
    await sandbox.waitFor('it to be detached', async () =>
      (await sandbox.call('storage', {})).some(
        (one) => one.id === id && one.status.current === 'detached',
      ),
    );
    await sandbox.call('attach-storage', { unit: 'keep/1', storage: [id] });
    await sandbox.settle();
    expect((await sandbox.exec('keep/1', `cat ${location}/page`)).stdout).toBe('text\n');
  }, 90_000);

  test('a reboot ends all processes of its machine and no others, and files stay', async () => {
    const service = 'setsid sleep 300 </dev/null >/dev/null 2>&1 & echo here > /opt/mark';
    await sandbox.deploy('web', { units: 2, scripts: { install: service } });
    await sandbox.settle();
    const count = async (unit: string) =>
      (
        await sandbox.exec(
          unit,
          `for p in /proc/[0-9]*; do [ "$(tr '\\0' ' ' <$p/cmdline)" = 'sleep 300 ' ] && echo $p; done | wc -l`,
        )
      ).stdout.trim();
    await expect(Promise.all(['web/0', 'web/1'].map(count))).resolves.toEqual(['1', '1']);
    await sandbox.setScript('web/0', 'config-changed', 'juju-reboot');
    await sandbox.call('set-config', { application: 'web', values: { greeting: 'moin' } });
    await sandbox.waitFor(
      'the second start',
      async () => (await sandbox.events('web/0')).filter((event) => event === 'start').length === 2,
    );
    await sandbox.settle();
    await expect(Promise.all(['web/0', 'web/1'].map(count))).resolves.toEqual(['0', '1']);
    expect((await sandbox.exec('web/0', 'cat /opt/mark')).stdout).toBe('here\n');
    expect((await sandbox.events('web/1')).filter((event) => event === 'start')).toHaveLength(1);
  }, 90_000);

  test('a hook is fired, frozen and thawed as anywhere', async () => {
    await sandbox.deploy('a', {
      scripts: { act: 'touch /opt/began; while [ ! -f /opt/end ]; do sleep 0.05; done' },
    });
    await sandbox.settle();
    const file = (name: string) => join(sandbox.root, 'machines', '0', 'layers', name);
    expect(existsSync(file('.'))).toBe(true);
    await sandbox.call('fault', { fault: 'fire', unit: 'a/0', event: 'update-status' });
    await sandbox.waitFor('the event', async () =>
      (await sandbox.events('a/0')).includes('update-status'),
    );
    await sandbox.settle();

    const { tasks } = await sandbox.call('run', { targets: ['a/0'], action: 'act', params: {} });
    const id = tasks[0]?.id ?? '';
    await sandbox.waitFor('the action', async () => {
      const found = await runProcess('find', [file('.'), '-name', 'began']);
      return found.stdout !== '';
    });
    await sandbox.call('fault', { fault: 'freeze', unit: 'a/0' });
    const states = await stoppedProcesses(sandbox.root);
    expect(states).not.toEqual([]);
    await sandbox.call('fault', { fault: 'thaw', unit: 'a/0' });
    await expect(stoppedProcesses(sandbox.root)).resolves.toEqual([]);
    await sandbox.call('cancel-task', { id });
    expect((await sandbox.call('task', { id, waitMs: 20_000 })).status).toBe('aborted');
  }, 90_000);
});

/** Processes of the sandbox that a signal has stopped. */
async function stoppedProcesses(root: string): Promise<readonly string[]> {
  const { stdout } = await runProcess('sh', [
    '-c',
    `for p in /proc/[0-9]*; do grep -qs '^State:.T' $p/status && tr '\\0' '\\n' < $p/environ | grep -qF "$1" && echo $p; done; true`,
    'sh',
    root,
  ]);
  return stdout.split('\n').filter((line) => line !== '');
}

onlyAsRoot('where the sandbox lies on a file system that takes no overlay (needs root)', () => {
  test('machines keep their changes in memory, and it is said', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'juju-overlay-'));
    const at = (name: string) => join(folder, name);
    await Promise.all(['lower', 'upper', 'work', 'merged'].map(async (name) => mkdir(at(name))));
    // An overlay cannot be the upper layer of another.
    const layers = `lowerdir=${at('lower')},upperdir=${at('upper')},workdir=${at('work')}`;
    await runProcess('mount', ['-t', 'overlay', '-o', layers, 'overlay', at('merged')]);
    try {
      const sandbox = await startIsolated(at('merged'));
      try {
        const { warnings } = await sandbox.call('ping', {});
        expect(warnings.join(' ')).toContain('is kept in memory and lost when a machine is killed');
        await sandbox.deploy('a', { units: 2, scripts: { install: 'hostname > /opt/mark' } });
        await sandbox.settle();
        const marks = await Promise.all(
          ['a/0', 'a/1'].map(async (unit) => (await sandbox.exec(unit, 'cat /opt/mark')).stdout),
        );
        expect(marks.map((mark) => mark.trim().split('-').at(-1))).toEqual(['0', '1']);
        expect(existsSync('/opt/mark')).toBe(false);
      } finally {
        await sandbox.destroy();
      }
    } finally {
      await runProcess('umount', [at('merged')]);
      await rm(folder, { recursive: true, force: true });
    }
  }, 90_000);
});
