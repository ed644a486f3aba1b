/** FORMAT.md says how to restore with a shell, zstd and openssl: here its lines are run, as they stand there. */
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { runProcess } from '#system';
import { ensureDebianPackages, projectRoot } from '#tooling';
import { describeTree, GOLDEN, GOLDEN_PASSPHRASE, goldenContent } from '../../helpers/golden.ts';

const PAGES = `${GOLDEN}-pages`;
const BACKUPS = 'some/path/prod/db/backups';

let directory: string;

beforeAll(async () => {
  await ensureDebianPackages(['zstd', 'openssl']);
  directory = await mkdtemp(join(tmpdir(), 'by-hand-'));
  const text = await readFile(join(projectRoot, 'lib/snapshots/FORMAT.md'), 'utf8');
  for (const [, script = '', name = ''] of text.matchAll(/```sh\n(# (\S+\.sh) .*?)```/gs)) {
    await writeFile(join(directory, name), script);
  }
}, 300_000);
afterAll(async () => await rm(directory, { recursive: true, force: true }));

async function run(script: string, ...words: string[]): Promise<string> {
  // umask: what has no mode in the snapshot is for its owner only, as in a restore of ours.
  const command = ['-c', `umask 077; . "$0"`, join(directory, script), ...words];
  return (await runProcess('sh', command, { timeoutMs: 60_000 })).stdout;
}

describe('by hand, as FORMAT.md says', () => {
  test.each([
    ['20261121T020304Z-job-1', GOLDEN, GOLDEN, ['base/noise']],
    ['20261122T020304Z-job-2', GOLDEN, GOLDEN, []],
    ['20261128T010000Z-job-4', PAGES, GOLDEN, []],
    ['20261128T020000Z-job-5', PAGES, PAGES, []],
  ])('a plain snapshot: %s', async (name, root, content, without) => {
    const target = join(directory, name);
    await run('restore.sh', join(root, BACKUPS, name), target);
    const expected = await goldenContent(content, without);
    expect(await describeTree(target, Object.keys(expected))).toEqual(expected);
  });

  test('an encrypted snapshot, with its passphrase', async () => {
    const root = `${GOLDEN}-encrypted`;
    const [keyFile = ''] = await readdir(join(root, 'some/path/prod/db/keys'));
    const path = join(root, 'some/path/prod/db/keys', keyFile);
    const key = await run('key.sh', path, GOLDEN_PASSPHRASE);
    expect(key).toMatch(/^[0-9a-f]{64}$/);
    const target = join(directory, 'encrypted');
    await run('restore.sh', join(root, BACKUPS, '20261122T040000Z-job-3'), target, key);
    const expected = await goldenContent(GOLDEN);
    expect(await describeTree(target, Object.keys(expected))).toEqual(expected);
    // Another key opens nothing, and is noticed.
    const wrong = run(
      'restore.sh',
      join(root, BACKUPS, '20261122T040000Z-job-3'),
      `${target}-wrong`,
      'ab'.repeat(32),
    );
    await expect(wrong).rejects.toMatchObject({ code: 'process-failed' });
  });

  test('one flipped bit in any object stops it', async () => {
    const objects = (await readdir(GOLDEN, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile() && entry.name !== 'started.json')
      .map((entry) => join(entry.parentPath, entry.name).slice(GOLDEN.length))
      .filter((path) => !path.includes('job-1/'));
    expect(objects).toHaveLength(4);
    for (const [number, object] of objects.entries()) {
      const copy = join(directory, `copy-${number}`);
      await cp(GOLDEN, copy, { recursive: true });
      const data = await readFile(join(copy, object));
      data[20] = (data[20] ?? 0) ^ 1;
      await writeFile(join(copy, object), data);
      const restored = run(
        'restore.sh',
        join(copy, BACKUPS, '20261122T020304Z-job-2'),
        join(directory, `damaged-${number}`),
      );
      await expect(restored).rejects.toMatchObject({ code: 'process-failed' });
    }
  });
});
