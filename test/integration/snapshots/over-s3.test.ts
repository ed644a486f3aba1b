/** Whole snapshots through S3 over a real socket, with a server that fails now and then. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createS3ObjectStore, type S3ObjectStore } from '#object-store';
import { listSnapshots, openSnapshot } from '#snapshots';
import { type S3DevServer, startS3DevServer } from '../../helpers/s3-dev-server.ts';
import { aClock, aSnapshot, aTree, someBytes } from '../../helpers/snapshots.ts';

let server: S3DevServer | undefined;
let store: S3ObjectStore | undefined;
let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'over-s3-'));
});
afterEach(async () => {
  store?.close();
  await server?.stop();
  await rm(directory, { recursive: true, force: true });
});

async function aStore(
  options: Parameters<typeof startS3DevServer>[1] = {},
): Promise<S3ObjectStore> {
  server = await startS3DevServer('backups', options);
  const { endpoint, bucket, accessKey, secretKey } = server;
  const settings = { endpoint, bucket, accessKey, secretKey };
  store = createS3ObjectStore(settings, {
    clock: aClock(new Date()),
    retries: { clock: aClock() },
  });
  return store;
}

const FAULTS = [
  { kind: 'status', status: 503, code: 'SlowDown' },
  { kind: 'lose-answer' },
  { kind: 'reset' },
] as const;

const entries = [
  ...aTree(),
  { kind: 'file' as const, path: 'big', content: someBytes(40_000_000, 9, 'compressible') },
];

describe('snapshots over S3', () => {
  test('are written, listed, found again by a second backup, and restored', async () => {
    const s3 = await aStore();
    const first = await aSnapshot({ store: s3, entries });
    const second = await aSnapshot({ store: s3, entries, jobId: 'job-2' });
    expect(second.newBytes).toBeLessThan(first.newBytes / 500);
    const { snapshots } = await listSnapshots(s3, 'some');
    expect(snapshots.map((it) => it.artefactPath)).toEqual([
      first.artefactPath,
      second.artefactPath,
    ]);
    const snapshot = await openSnapshot(s3, second.artefactPath);
    await snapshot.restoreTo({ directory: join(directory, 'restored') });
    for (const { path, content } of entries.filter((it) => it.content !== undefined)) {
      const restored = await readFile(join(directory, 'restored', path));
      expect(restored.equals(content ?? Buffer.alloc(0))).toBe(true);
    }
  }, 60_000);

  test('end well although one request in three is refused, reset, or done without an answer', async () => {
    let requests = 0;
    const s3 = await aStore({
      faults: () => {
        requests += 1;
        return requests % 3 === 0 ? FAULTS[(requests / 3) % FAULTS.length] : undefined;
      },
    });
    const { artefactPath } = await aSnapshot({ store: s3, entries });
    const snapshot = await openSnapshot(s3, artefactPath);
    expect((await snapshot.verify()).bytes).toBe(43_224_295);
    expect(requests).toBeGreaterThan(15);
  }, 60_000);
});
