/**
 * A snapshot written by the first release of each format version is kept for ever, and must restore.
 * test/golden/snapshots/v1 holds two: job-1, and job-2 which shares chunks with it. v1-encrypted holds the content of
 * job-2 once more, encrypted. v1-pages holds it in job-4, and in job-5 with some pages changed.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { createDirectoryObjectStore } from '#object-store';
import { chunkPrefixFor, listSnapshots, openKeyRing, openSnapshot } from '#snapshots';
import { describeTree, GOLDEN, GOLDEN_PASSPHRASE, goldenContent } from '../../helpers/golden.ts';

test.each([
  ['job-1', GOLDEN, GOLDEN, ['base/noise']],
  ['job-2', GOLDEN, GOLDEN, []],
  ['job-3', `${GOLDEN}-encrypted`, GOLDEN, []],
  ['job-4', `${GOLDEN}-pages`, GOLDEN, []],
  ['job-5', `${GOLDEN}-pages`, `${GOLDEN}-pages`, []],
])('format version 1 restores for ever: %s', async (jobId, folder, content, without) => {
  const store = createDirectoryObjectStore(folder);
  const chunkPrefix = chunkPrefixFor({ path: 'some/path', model: 'prod', app: 'db' });
  const keys = await openKeyRing({ store, chunkPrefix }, GOLDEN_PASSPHRASE);
  const { snapshots } = await listSnapshots(store, '');
  const info = snapshots.find(({ manifest }) => manifest.attributes['job-id'] === jobId);
  const snapshot = await openSnapshot(store, info?.artefactPath ?? '', { keys });
  const directory = await mkdtemp(join(tmpdir(), 'golden-'));
  try {
    await snapshot.restoreTo({ directory });
    const paths: string[] = [];
    for await (const { path } of snapshot.entries()) {
      paths.push(path);
    }
    const expected = await goldenContent(content, without);
    expect(await describeTree(directory, paths)).toEqual(expected);
    expect((await snapshot.verify()).entries).toBe(Object.keys(expected).length);
  } finally {
    await rm(directory, { recursive: true });
  }
});
