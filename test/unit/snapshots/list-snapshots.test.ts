import { describe, expect, test } from '@jest/globals';
import { createMemoryObjectStore, withFaults } from '#object-store';
import { artefactPathFor, chunkPrefixFor, listSnapshots } from '#snapshots';
import { aSnapshot } from '../../helpers/snapshots.ts';

const entries = [{ kind: 'file' as const, path: 'f', content: Buffer.from('content') }];

async function twoApps() {
  const store = createMemoryObjectStore();
  const days = ['2026-11-23', '2026-11-21', '2026-11-22'];
  for (const [index, day] of days.entries()) {
    const location = { path: 'top/sub', model: 'prod', app: index === 1 ? 'db-2' : 'db-1' };
    const time = new Date(`${day}T01:02:03Z`);
    await aSnapshot({
      store,
      entries,
      time,
      jobId: `job-${index}`,
      artefactPath: artefactPathFor({ ...location, jobId: `job-${index}`, time }),
      chunkPrefix: chunkPrefixFor(location),
    });
  }
  return store;
}

describe('listing snapshots', () => {
  test.each(['', '/', 'top', '/top/', 'top/sub', 'top/sub/prod/'])(
    'finds those of all applications below %j, oldest first',
    async (prefix) => {
      const { snapshots, unusable } = await listSnapshots(await twoApps(), prefix);
      expect(snapshots.map(({ artefactPath }) => artefactPath)).toEqual([
        'top/sub/prod/db-2/backups/20261121T010203Z-job-1/',
        'top/sub/prod/db-1/backups/20261122T010203Z-job-2/',
        'top/sub/prod/db-1/backups/20261123T010203Z-job-0/',
      ]);
      expect(snapshots[0]?.manifest.attributes['job-id']).toBe('job-1');
      expect(unusable).toEqual([]);
    },
  );

  test('finds those of one application, and a single one by its own path', async () => {
    const store = await twoApps();
    const app = await listSnapshots(store, 'top/sub/prod/db-1');
    expect(app.snapshots).toHaveLength(2);
    const one = await listSnapshots(store, 'top/sub/prod/db-2/backups/20261121T010203Z-job-1');
    expect(one.snapshots).toHaveLength(1);
    expect((await listSnapshots(store, 'top/sub/prod/db')).snapshots).toEqual([]);
  });

  test('reads no chunk, and does not even list them', async () => {
    const store = withFaults(await twoApps(), ({ operation, key }) => {
      expect(key).not.toContain('chunks/');
      expect(operation).not.toBe('getRange');
      return undefined;
    });
    expect((await listSnapshots(store, '')).snapshots).toHaveLength(3);
  });

  test('reports apart what began and never ended, and what only looks like a backup', async () => {
    const store = await twoApps();
    const half = 'top/sub/prod/db-2/backups/20261121T010203Z-job-1/';
    await store.delete([`${half}manifest.json`]);
    await store.put('top/sub/prod/db-1/backups/x/manifest.json', Buffer.from('{"name":"app"}'));
    await store.put('top/sub/prod/db-1/backups/readme.txt', Buffer.from('hello'));
    await store.put('top/other/photo.jpg', Buffer.from('jpg'));
    await store.put('top/other/manifest.json/deeper', Buffer.from('x'));
    const { snapshots, unusable } = await listSnapshots(store, 'top');
    expect(snapshots).toHaveLength(2);
    expect(unusable).toMatchObject([
      { artefactPath: 'top/sub/prod/db-1/backups/x/', code: 'not-a-backup' },
      {
        artefactPath: half,
        code: 'incomplete',
        startedAt: '2026-11-21T01:02:03.000Z',
        attributes: { 'job-id': 'job-1' },
      },
    ]);
  });

  test('an empty store has none', async () => {
    expect(await listSnapshots(createMemoryObjectStore(), '')).toEqual({
      snapshots: [],
      unusable: [],
      deleted: [],
    });
  });
});
