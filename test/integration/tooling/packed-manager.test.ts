/** The packed backup manager reads its S3 client only when it talks to S3. */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { runProcess } from '#system';
import type { PackedCharm } from '#tooling';
import { ownPackedCharm } from '../../helpers/packed-charms.ts';

// A manager that is set up, for a bucket nobody listens at.
const TOOL = `#!/bin/sh
echo "\${0##*/} $*" >> "$FAKE_CALLS"
case "\${0##*/} $*" in
  is-leader*) echo true ;;
  config-get*) echo '{"bucket":"b","endpoint":"http://127.0.0.1:1","credentials":"secret:1","compression":true,"retention":"","history-limit":1000}' ;;
  secret-get*) echo '{"access-key":"a","secret-key":"s"}' ;;
  relation-ids*history) echo '["history:0"]' ;;
  relation-ids* | relation-list*) echo '[]' ;;
  *-get*) echo '{}' ;;
esac
`;
const TOOLS = ['config-get', 'is-leader', 'juju-log', 'secret-get', 'status-set'];
const RELATION_TOOLS = ['relation-get', 'relation-ids', 'relation-list', 'relation-set'];

let root = '';
let charm: PackedCharm;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'packed-manager-'));
  charm = await ownPackedCharm('backup-manager', root);
  await mkdir(join(root, 'bin'));
  await writeFile(join(root, 'tool'), TOOL, { mode: 0o755 });
  for (const name of [...TOOLS, ...RELATION_TOOLS]) {
    await symlink(join(root, 'tool'), join(root, 'bin', name));
  }
  // Leaves a trace when it is read, and is the S3 client then.
  const chunk = join(charm.directory, 'src', 'on-demand', 'lib-object-store-s3-client.cjs');
  const code = await readFile(chunk, 'utf8');
  const trace = JSON.stringify(join(root, 'opened'));
  await writeFile(chunk, `require('node:fs').writeFileSync(${trace}, '');\n${code}`);
});
afterAll(async () => {
  await rm(root, { recursive: true, force: true });
});

/** Whether the dispatch read the S3 client. */
async function readsS3(hook: string): Promise<boolean> {
  await rm(join(root, 'opened'), { force: true });
  await runProcess(join(charm.directory, 'dispatch'), [], {
    cwd: charm.directory,
    timeoutMs: 60_000,
    env: {
      PATH: `${join(root, 'bin')}:/usr/bin:/bin`,
      FAKE_CALLS: join(root, 'calls'),
      JUJU_CHARM_DIR: charm.directory,
      JUJU_UNIT_NAME: 'backup-manager/0',
      JUJU_MODEL_UUID: '7b1d4e0c-0f1c-4a53-8a2f-0d3a9f5f2b10',
      JUJU_DISPATCH_PATH: `hooks/${hook}`,
    },
  });
  return existsSync(join(root, 'opened'));
}

test('only a dispatch that talks to S3 reads the S3 client', async () => {
  expect(await readsS3('start')).toBe(false);
  expect(await readsS3('config-changed')).toBe(true);
  expect(await readFile(join(root, 'calls'), 'utf8')).toContain('status-set');
});
