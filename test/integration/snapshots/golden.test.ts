/**
 * A snapshot written by the first release of each format version is kept for ever, and must restore.
 * test/golden/snapshots/v1 holds two: job-1, and job-2 which shares chunks with it. v1-encrypted holds the content of
 * job-2 once more, encrypted.
 */
import { createHash } from 'node:crypto';
import { lstat, mkdtemp, readFile, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { createDirectoryObjectStore } from '#object-store';
import { chunkPrefixFor, listSnapshots, openKeyRing, openSnapshot } from '#snapshots';

const GOLDEN = fileURLToPath(new URL('../../golden/snapshots/v1', import.meta.url));
const PASSPHRASE = 'golden passphrase, known to everybody';

/** SHA-256 of the content of each file, noted when the snapshots were written. */
const CONTENT = JSON.parse(await readFile(`${GOLDEN}.json`, 'utf8')) as Record<string, string>;

test.each([
  ['job-1', GOLDEN, new Set(['base/noise'])],
  ['job-2', GOLDEN, new Set<string>()],
  ['job-3', `${GOLDEN}-encrypted`, new Set<string>()],
])('format version 1 restores for ever: %s', async (jobId, folder, without) => {
  const store = createDirectoryObjectStore(folder);
  const chunkPrefix = chunkPrefixFor({ path: 'some/path', model: 'prod', app: 'db' });
  const keys = await openKeyRing({ store, chunkPrefix }, PASSPHRASE);
  const { snapshots } = await listSnapshots(store, '');
  const info = snapshots.find(({ manifest }) => manifest.attributes['job-id'] === jobId);
  const snapshot = await openSnapshot(store, info?.artefactPath ?? '', { keys });
  const directory = await mkdtemp(join(tmpdir(), 'golden-'));
  try {
    await snapshot.restoreTo({ directory });
    const restored: Record<string, string> = {};
    for await (const entry of snapshot.entries()) {
      const path = join(directory, entry.path);
      restored[entry.path] = await describePath(path);
    }
    const expected = Object.entries(CONTENT).filter(([path]) => !without.has(path));
    expect(restored).toEqual(Object.fromEntries(expected));
    expect((await snapshot.verify()).entries).toBe(expected.length);
  } finally {
    await rm(directory, { recursive: true });
  }
});

async function describePath(path: string): Promise<string> {
  const found = await lstat(path);
  if (found.isSymbolicLink()) {
    return `link to ${await readlink(path)}`;
  }
  if (found.isDirectory()) {
    return `directory ${(found.mode & 0o7777).toString(8)}`;
  }
  const digest = createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
  return `file ${(found.mode & 0o7777).toString(8)} ${digest}`;
}
