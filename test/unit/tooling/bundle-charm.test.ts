/** What bundling makes of entry points: what a dispatch reads, and what it leaves for later. */
import { mkdtemp, readdir, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { runProcess } from '#system';
import { bundleCharm } from '../../../lib/tooling/bundle-charm.ts';

let root = '';
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'bundle-'));
});
afterAll(async () => {
  await rm(root, { recursive: true, force: true });
});

async function bundle(source: string): Promise<string> {
  const target = await realpath(await mkdtemp(join(root, 'bundle-')));
  await bundleCharm(resolve(source), target);
  return target;
}

/** Names of the npm packages in a bundled file. */
async function packagesIn(target: string, file: string): Promise<ReadonlySet<string>> {
  const text = await readFile(join(target, file), 'utf8');
  const found = text.matchAll(/^\s*\/\/ node_modules\/((?:@[^/\n]+\/)?[^/\n]+)\//gm);
  return new Set(Array.from(found, ([, name = '']) => name));
}

const S3 = 'on-demand/lib-object-store-s3-client.cjs';

test.each(['backup-manager', 'database'])('%s: the S3 client is apart from main', async (name) => {
  const target = await bundle(`charms/${name}/src`);
  const main = [...(await packagesIn(target, 'main.cjs'))];
  expect(main).toContain('ajv');
  expect(main.filter((one) => /^(@aws|@smithy|yaml$)/.test(one))).toEqual([]);
  expect([...(await packagesIn(target, S3))]).toContain('@aws-sdk/client-s3');
  // Named by the source that asks for them: one more is one more thing to load late, and to know of.
  expect((await readdir(join(target, 'on-demand'))).toSorted()).toEqual([
    'lib-object-store-s3-client.cjs',
    'lib-ops-data-model-validator.cjs',
    'lib-ops-load-meta.cjs',
  ]);
});

test('packages apart are found by their names, and those of one file fit together', async () => {
  const target = await bundle('test/fixtures/tooling/on-demand');
  const { stdout } = await runProcess(process.execPath, [join(target, 'main.cjs')], {
    timeoutMs: 30_000,
  });
  expect(JSON.parse(stdout)).toEqual([true, { a: 1 }, '/', 'main.cjs', target]);
  expect(await readdir(join(target, 'on-demand'))).toHaveLength(1);
});

test('the worker is one file that needs no other: it may outlive the directory it is in', async () => {
  const target = await bundle('charms/database/src');
  expect([...(await packagesIn(target, 'worker.js'))]).toContain('@aws-sdk/client-s3');
  expect((await readFile(join(target, 'worker.js'), 'utf8')).includes('on-demand/')).toBe(false);
});

test.each([
  ['waits', 'Top-level await'],
  ['url', 'import.meta'],
])('what CommonJS lacks is refused, saying what to write: %s', async (name, reason) => {
  await expect(bundle(`test/fixtures/tooling/${name}`)).rejects.toMatchObject({
    code: 'bundle-failed',
    message: expect.stringContaining(reason),
    hint: expect.stringContaining('void main(MyCharm)'),
  });
});
