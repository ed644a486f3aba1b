/** docs/real-juju.md, run as it stands: its `sh` blocks in their order, in one shell, against the sandbox. */
import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { projectRoot } from '#tooling';
import { JujuSandbox } from '../helpers/juju-sandbox.ts';
import { packedCharm } from '../helpers/packed-charms.ts';
import { type S3DevServer, startS3DevServer } from '../helpers/s3-dev-server.ts';

jest.setTimeout(900_000);

let root = '';
let sandbox: JujuSandbox;
let s3: S3DevServer;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'real-juju-guide-'));
  await mkdir(join(root, 'bin'));
  const juju = join(projectRoot, 'lib', 'sandbox', 'bin', 'juju.mjs');
  await writeFile(
    join(root, 'bin', 'juju'),
    `#!/bin/sh\nexec '${process.execPath}' '${juju}' "$@"\n`,
    {
      mode: 0o755,
    },
  );
  for (const name of ['database', 'backup-manager']) {
    const { path } = await packedCharm(name);
    // The guide names the archive of amd64.
    const named = basename(path).replace('arm64', 'amd64');
    await symlink(path, join(root, named));
  }
  s3 = await startS3DevServer('another');
  sandbox = await JujuSandbox.bootstrap();
});
afterAll(async () => {
  await sandbox?.destroy();
  await s3?.stop();
  await rm(root, { recursive: true, force: true });
});

test('every step that the sandbox has leads to where the guide says', async () => {
  const guide = await readFile(join(projectRoot, 'docs', 'real-juju.md'), 'utf8');
  const blocks = [...guide.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block = '']) => block);
  expect(blocks).toHaveLength(9);
  const marked = blocks.map((block, index) => `${block}echo "step ${index + 1} done"\n`);
  const { exitCode, output } = await runScript(marked.join(''));
  const trace = exitCode === 0 ? '' : `${output}\n${await sandbox.describe()}`;
  expect(`${exitCode} ${trace}`).toBe('0 ');
  expect(output).toMatch(/100000\|[0-9a-f]{32}/);
  expect(output.match(/^job-\S+: success$/gm)).toHaveLength(7);
  expect(output).toContain('step 9 done');
  // A database of another model goes by its offer, its backups by where it is; a consumer is granted the secret.
  expect(output).toMatch(/ twin +elsewhere +postgresql .* elsewhere\/twin\/backups\//);
  expect(output).toMatch(/target: application-remote-[0-9a-f]{32}$/m);
  expect(output).not.toContain(s3.secretKey);
});

/** One shell for all steps, as an administrator has one. */
async function runScript(script: string): Promise<{ exitCode: number | null; output: string }> {
  const log = join(root, 'output');
  const file = createWriteStream(log);
  const child = spawn('/bin/bash', ['-eu', '-o', 'pipefail', '-c', script], {
    cwd: root,
    env: {
      PATH: `${join(root, 'bin')}:/usr/local/bin:/usr/bin:/bin`,
      HOME: root,
      JUJU_DATA: sandbox.dataDirectory,
      S3_ENDPOINT: s3.endpoint,
      S3_BUCKET: 'backups',
      S3_ACCESS_KEY: s3.accessKey,
      S3_SECRET_KEY: s3.secretKey,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.pipe(file, { end: false });
  child.stderr.pipe(file, { end: false });
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  await new Promise<void>((resolve) => {
    file.end(() => resolve());
  });
  return { exitCode, output: await readFile(log, 'utf8') };
}
