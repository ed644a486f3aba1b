/** What the packed charms are started with: Juju's environment and nothing of the machine's. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type { PackedCharm } from '#tooling';
import { JujuSandbox } from '../helpers/juju-sandbox.ts';
import { ownPackedCharm } from '../helpers/packed-charms.ts';

jest.setTimeout(300_000);

// All that Juju 3.6 sets for hooks and actions on Ubuntu; besides, what the shell that runs `dispatch` adds.
const JUJU =
  /^(?:CHARM_DIR|JUJU_[A-Z_]+|CLOUD_API_VERSION|PATH|LANG|TERM|DEBIAN_FRONTEND|APT_LISTCHANGES_FRONTEND)$/;
const SHELL = ['PWD', 'OLDPWD', 'SHLVL', '_'];
const AGENT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/snap/bin';

let root = '';
let sandbox: JujuSandbox;
let charm: PackedCharm;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'charm-environment-'));
  charm = await ownPackedCharm('backup-manager', root);
  // The same dispatch, which first writes down what it was given.
  const dispatch = join(charm.directory, 'dispatch');
  const [shebang = '', ...body] = (await readFile(dispatch, 'utf8')).split('\n');
  await writeFile(dispatch, [shebang, 'env -0 > "${0%/*}/seen.$$"', ...body].join('\n'));
  sandbox = await JujuSandbox.bootstrap();
  await sandbox.juju('deploy', charm.directory, 'backup-manager');
  await sandbox.waitForApplication('backup-manager', 'blocked');
  await sandbox.run('backup-manager/0', 'list-jobs');
});
afterAll(async () => {
  await sandbox?.destroy();
  await rm(root, { recursive: true, force: true });
});

async function dispatches(): Promise<readonly Readonly<Record<string, string>>[]> {
  const home = join(sandbox.dataDirectory, 'agents', 'unit-backup-manager-0', 'charm');
  const names = (await readdir(home)).filter((name) => name.startsWith('seen.'));
  return await Promise.all(
    names.map(async (name) => {
      const lines = (await readFile(join(home, name), 'utf8')).split('\0').filter(Boolean);
      return Object.fromEntries(lines.map((line) => splitOnce(line)));
    }),
  );
}

function splitOnce(line: string): readonly [string, string] {
  const at = line.indexOf('=');
  return [line.slice(0, at), line.slice(at + 1)];
}

test('hooks and actions have the PATH of a Juju agent, no HOME, and no variable Juju does not set', async () => {
  // Of the user and the test, who have both.
  expect(process.env).toHaveProperty('HOME');
  const seen = await dispatches();
  const paths = seen.map((one) => one['JUJU_DISPATCH_PATH']);
  expect(paths).toEqual(
    expect.arrayContaining(['hooks/install', 'hooks/start', 'actions/list-jobs']),
  );
  for (const environment of seen) {
    const names = Object.keys(environment).filter((name) => !SHELL.includes(name));
    expect(names.filter((name) => !JUJU.test(name))).toEqual([]);
    expect(environment['PATH']).toBe(`${join(sandbox.dataDirectory, 'tools')}:${AGENT_PATH}`);
  }
});
