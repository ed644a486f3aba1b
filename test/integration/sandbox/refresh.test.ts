/** Another charm for units that run, and files for them: refresh, resources. */
import { existsSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { projectRoot } from '#tooling';
import { SandboxDaemon } from '../../helpers/sandbox-daemon.ts';

const WITNESS = join(projectRoot, 'test', 'fixtures', 'charms', 'witness');

let sandbox: SandboxDaemon;
let scratch: string;

beforeEach(async () => {
  sandbox = await SandboxDaemon.start();
  scratch = await mkdtemp(join(tmpdir(), 'juju-refresh-'));
});

afterEach(async () => {
  await sandbox.destroy();
  await rm(scratch, { recursive: true, force: true });
});

/** A newer witness with files replaced; `undefined` leaves one out. */
async function newer(files: Readonly<Record<string, string | undefined>> = {}): Promise<string> {
  const directory = join(scratch, 'newer');
  await rm(directory, { recursive: true, force: true });
  await cp(WITNESS, directory, { recursive: true });
  for (const [name, content] of Object.entries(files)) {
    if (content === undefined) {
      await rm(join(directory, name));
    } else {
      await writeFile(join(directory, name), content);
    }
  }
  return directory;
}

const read = async (unit: string, name: string) =>
  readFile(join(sandbox.charmDirectory(unit), name), 'utf8');

test('files of the new charm come, those of the old go, all others stay; hooks follow', async () => {
  await sandbox.deploy('web', { files: { 'old-only': '1', both: 'old' }, config: { number: 7 } });
  await sandbox.settle();
  await writeFile(join(sandbox.charmDirectory('web/0'), 'made-by-charm'), 'kept');
  const before = (await sandbox.events('web/0')).length;
  const path = await newer({
    both: 'new',
    'new-only': '2',
    'config.yaml':
      'options:\n  greeting: { type: string, default: hi }\n  number: { type: string }\n',
  });
  expect(await sandbox.call('refresh', { application: 'web', path })).toEqual({
    charm: 'witness',
    revision: 1,
  });
  await sandbox.settle();
  expect((await sandbox.events('web/0')).slice(before)).toEqual([
    'upgrade-charm',
    'config-changed',
  ]);
  expect(await read('web/0', 'both')).toBe('new');
  expect(await read('web/0', 'new-only')).toBe('2');
  expect(await read('web/0', 'made-by-charm')).toBe('kept');
  expect(existsSync(join(sandbox.charmDirectory('web/0'), 'old-only'))).toBe(false);
  const { settings } = await sandbox.call('get-config', { application: 'web' });
  expect(settings).toEqual({
    greeting: { type: 'string', default: 'hi', value: 'hi', source: 'default' },
    number: { type: 'string', source: 'unset' },
  });
  expect((await sandbox.status()).applications[0]?.charm).toMatchObject({ revision: 1 });
});

test('a unit in error takes the new charm when its hook is resolved, or at once when forced', async () => {
  await sandbox.call('model-config', { values: { 'automatically-retry-hooks': false } });
  await sandbox.deploy('web', { files: { mark: 'old' }, scripts: { 'config-changed': 'exit 1' } });
  const inError = async () =>
    (await sandbox.unit('web/0'))?.workload.message === 'hook failed: "config-changed"';
  await sandbox.waitFor('the hook to fail', inError);
  await sandbox.call('refresh', { application: 'web', path: await newer({ mark: 'new' }) });
  expect(await sandbox.unit('web/0')).toMatchObject({ upgradingFrom: 'local:witness-0' });
  expect(await read('web/0', 'mark')).toBe('old');
  const path = await newer({ mark: 'newest' });
  await sandbox.call('refresh', { application: 'web', path, forceUnits: true });
  await sandbox.waitFor('the new files', async () => (await read('web/0', 'mark')) === 'newest');
  expect(await inError()).toBe(true);
  await rm(join(sandbox.charmDirectory('web/0'), 'scripts'), { recursive: true, force: true });
  await sandbox.call('resolved', { units: ['web/0'] });
  await sandbox.settle();
  expect(await sandbox.events('web/0')).not.toContain('upgrade-charm');
  expect((await sandbox.unit('web/0'))?.upgradingFrom).toBeUndefined();
});

test('a charm that does not fit is refused and changes nothing', async () => {
  await sandbox.deploy('web', {
    files: {
      'metadata.yaml':
        'name: witness\nsummary: s\ndescription: d\nprovides:\n  serves: { interface: witness }\nstorage:\n  data: { type: filesystem }\n',
    },
  });
  await sandbox.deploy('user');
  await sandbox.call('integrate', { endpoints: ['web:serves', 'user:wants'] });
  await sandbox.settle();
  const refused = async (yaml: string) =>
    sandbox
      .call('refresh', {
        application: 'web',
        path: await newer({ 'metadata.yaml': `summary: s\ndescription: d\n${yaml}` }),
      })
      .then(
        () => 'accepted',
        (error: unknown) => (error as Error).message,
      );
  const cannot = 'cannot upgrade application "web" to charm "local:witness-2": ';
  const serves = 'provides:\n  serves: { interface: witness }\n';
  expect(await refused('name: other\n')).toBe('cannot refresh "witness" to "other"');
  expect(await refused(`name: witness\n${serves}`)).toBe(
    `${cannot}required storage "data" removed`,
  );
  expect(await refused(`name: witness\n${serves}storage:\n  data: { type: block }\n`)).toBe(
    `${cannot}existing storage "data" type changed from "filesystem" to "block"`,
  );
  expect(await refused('name: witness\nstorage:\n  data: { type: filesystem }\n')).toBe(
    `${cannot}would break relation "user:wants web:serves"`,
  );
  expect(
    (await sandbox.status()).applications.find(({ name }) => name === 'web')?.charm.revision,
  ).toBe(0);
  const more = 'storage:\n  data: { type: filesystem }\n  more: { type: filesystem }\n';
  expect(await refused(`name: witness\n${serves}${more}`)).toBe('accepted');
  await sandbox.settle();
  expect((await sandbox.call('storage', {})).map(({ id }) => id)).toEqual(['data/0', 'more/1']);
});

test('an upgrade that a crash of the daemon interrupts is finished by the next', async () => {
  await sandbox.deploy('web', { files: { mark: 'old' }, scripts: { 'update-status': ':' } });
  await sandbox.settle();
  const path = await newer({ mark: 'new' });
  const asked = sandbox.call('refresh', { application: 'web', path });
  await asked;
  await sandbox.killDaemon();
  await sandbox.restartDaemon();
  await sandbox.waitFor('upgrade-charm', async () =>
    (await sandbox.events('web/0')).includes('upgrade-charm'),
  );
  await sandbox.settle();
  expect(await read('web/0', 'mark')).toBe('new');
  expect((await sandbox.unit('web/0'))?.upgradingFrom).toBeUndefined();
});

test('resources come to units as files, again when there is a new revision, with upgrade-charm', async () => {
  const file = join(scratch, 'tool');
  await writeFile(file, 'first');
  const path = await newer({
    'metadata.yaml': `${await readFile(join(WITNESS, 'metadata.yaml'), 'utf8')}
resources:
  tool: { type: file, filename: tool.bin, description: A tool }
  later: { type: file, filename: later.bin }
`,
  });
  await expect(
    sandbox.call('deploy', { path, application: 'web', resources: { none: file } }),
  ).rejects.toThrow('unrecognized resource "none"');
  await sandbox.call('deploy', { path, application: 'web', resources: { tool: file } });
  await sandbox.settle();
  const target = join(sandbox.root, 'agents', 'unit-web-0', 'resources', 'tool', 'tool.bin');
  expect(await sandbox.exec('web/0', 'resource-get tool')).toEqual({
    code: 0,
    stdout: target,
    stderr: '',
  });
  expect(await readFile(target, 'utf8')).toBe('first');
  expect((await sandbox.exec('web/0', 'resource-get later')).stderr).toBe(
    'ERROR could not download resource: HTTP request failed: resource#web/later not found\n',
  );
  // Not fetched again while the revision is the same: what the charm did to its copy stays.
  await writeFile(target, 'touched');
  await sandbox.exec('web/0', 'resource-get tool');
  expect(await readFile(target, 'utf8')).toBe('touched');
  await writeFile(file, 'second');
  const before = (await sandbox.events('web/0')).length;
  await sandbox.call('attach-resource', { application: 'web', name: 'tool', path: file });
  await sandbox.settle();
  expect((await sandbox.events('web/0')).slice(before)).toEqual([
    'upgrade-charm',
    'config-changed',
  ]);
  await sandbox.exec('web/0', 'resource-get tool');
  expect(await readFile(target, 'utf8')).toBe('second');
  const { resources, units } = await sandbox.call('resources', { application: 'web' });
  expect(resources).toMatchObject([
    { name: 'tool', upload: { revision: 2, size: 6 } },
    { name: 'later' },
  ]);
  expect(units).toEqual({ 'web/0': { tool: 2 } });
  await expect(
    sandbox.call('attach-resource', { application: 'web', name: 'none', path: file }),
  ).rejects.toThrow('failed to upload resource "none": resource "none" not found');
});

test('a unit that has yet to upgrade has the options and the actions of its own charm', async () => {
  await sandbox.deploy('web', { config: { number: 7 } });
  await sandbox.settle();
  await sandbox.call('model-config', { values: { 'automatically-retry-hooks': false } });
  await sandbox.setScript('web/0', 'config-changed', 'exit 1');
  await sandbox.call('set-config', { application: 'web', values: { greeting: 'moin' } });
  await sandbox.waitFor(
    'the hook to fail',
    async () => (await sandbox.unit('web/0'))?.workload.current === 'error',
  );
  const path = await newer({
    'config.yaml': 'options:\n  greeting: { type: string, default: hi }\n',
    'actions.yaml': 'other: { description: An action of the newer charm }\n',
  });
  await sandbox.call('refresh', { application: 'web', path });
  const run = async (action: string) =>
    sandbox.call('run', { targets: ['web/0'], action, params: {} });
  expect((await run('other')).tasks[0]?.error).toBe('action "other" not defined on unit "web/0"');
  expect((await sandbox.exec('web/0', 'config-get number')).stdout).toBe('7\n');
  // The application has them by its own.
  expect(Object.keys((await sandbox.call('get-config', { application: 'web' })).settings)).toEqual([
    'greeting',
  ]);

  await sandbox.call('resolved', { units: ['web/0'], noRetry: true });
  await sandbox.settle();
  expect(await sandbox.exec('web/0', 'config-get; config-get number')).toMatchObject({
    stdout: 'greeting: moin\n',
  });
  expect((await run('act')).tasks[0]?.error).toBe('action "act" not defined on unit "web/0"');
  expect((await run('other')).tasks[0]?.error).toBe(undefined);
}, 60_000);
