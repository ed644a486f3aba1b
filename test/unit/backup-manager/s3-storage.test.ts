import { describe, expect, test } from '@jest/globals';
import { createMemoryObjectStore, type ObjectStore } from '#object-store';
import { artefactPathFor, chunkPrefixFor, type SnapshotEntry, writeSnapshot } from '#snapshots';
import { createS3Storage } from '../../../charms/backup-manager/src/s3-storage.ts';
import { now, storageConfig } from './makers.ts';

const config = { ...storageConfig, path: 'prod' };
const location = { path: 'prod', model: 'shop', app: 'db' };
const { signal } = new AbortController();

async function* oneFile(): AsyncIterable<SnapshotEntry> {
  yield {
    kind: 'stream',
    path: 'dump.sql',
    open: async function* () {
      yield Buffer.from('select 1;');
    },
  };
}

/** As after a plug pulled before the manifest was written. */
async function halfBackUp(store: ObjectStore, jobId: string): Promise<void> {
  await store.delete([`${await backUp(store, jobId)}manifest.json`]);
}

async function backUp(store: ObjectStore, jobId: string): Promise<string> {
  const artefactPath = artefactPathFor({ ...location, jobId, time: now });
  await writeSnapshot({
    store,
    artefactPath,
    chunkPrefix: chunkPrefixFor(location),
    entries: oneFile(),
    compression: true,
    attributes: {
      engine: 'postgresql',
      'engine-version': '15',
      application: 'db',
      model: 'shop',
      'model-uuid': 'uuid-1',
      'job-id': jobId,
    },
  });
  return artefactPath;
}

function setUp() {
  const store = createMemoryObjectStore();
  let closed = 0;
  const storage = createS3Storage(async () => ({
    store,
    close: () => {
      closed += 1;
    },
  }));
  return { store, storage, closed: () => closed };
}

describe('the storage of a deployed manager', () => {
  test('lists what the bucket holds below its path, with what made it', async () => {
    const { store, storage, closed } = setUp();
    const artefactPath = await backUp(store, 'job-1');
    await store.put('elsewhere/x', Buffer.from('x'));
    await halfBackUp(store, 'job-2');
    const { backups, unfinished } = await storage.list(config, { signal });
    expect(backups).toMatchObject([
      {
        artefactPath,
        bytes: 9,
        application: 'db',
        model: 'shop',
        modelUuid: 'uuid-1',
        engine: 'postgresql',
        engineVersion: '15',
        jobId: 'job-1',
      },
    ]);
    expect(unfinished).toMatchObject([{ artefactPath: expect.stringContaining('job-2') }]);
    expect(closed()).toBe(1);
  });

  test('lists a bucket used without a path', async () => {
    const { store, storage } = setUp();
    await backUp(store, 'job-1');
    const { backups } = await storage.list(storageConfig, { signal });
    expect(backups).toHaveLength(1);
  });

  test('opens a backup however its slashes are written', async () => {
    const { store, storage } = setUp();
    const artefactPath = await backUp(store, 'job-1');
    const written = `/${artefactPath.slice(0, -1)}`;
    expect(await storage.open(config, written, { signal })).toMatchObject({
      artefactPath,
      application: 'db',
    });
  });

  test.each([
    ['a prefix with nothing below', 'prod/none/', 'not-found'],
    ['a half-written backup', 'prod/shop/db/backups/20261121T030000Z-job-2', 'incomplete'],
    ['objects of somebody else', 'prod/other/', 'not-a-backup'],
  ])('says what is wrong with %s, and closes', async (_, path, code) => {
    const { store, storage, closed } = setUp();
    await store.put('prod/other/file', Buffer.from('x'));
    await halfBackUp(store, 'job-2');
    await expect(storage.open(config, path, { signal })).rejects.toMatchObject({ code });
    expect(closed()).toBe(1);
  });

  test('a check leaves nothing behind', async () => {
    const { store, storage } = setUp();
    await storage.check(config, { signal });
    const left = [];
    for await (const { key } of store.list('')) {
      left.push(key);
    }
    expect(left).toEqual([]);
  });
});
