/** Keys that expire or are rotated in the middle of the work, against a server that checks every signature. */
import { afterEach, describe, expect, test } from '@jest/globals';
import {
  createS3ObjectStore,
  type S3Credentials,
  type S3ObjectStore,
  type S3Tuning,
} from '#object-store';
import { openSnapshot } from '#snapshots';
import { type S3DevServer, startS3DevServer } from '../../helpers/s3-dev-server.ts';
import { aSnapshot } from '../../helpers/snapshots.ts';

const sessionKeys = (n: number): S3Credentials & { sessionToken: string } => ({
  accessKey: `SESSION${n}ACCESSKEY`,
  secretKey: `session-${n}-secret-canary`,
  sessionToken: `session-${n}-token-canary`,
});

const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  await Promise.all(closers.splice(0).map(async (close) => await close()));
});

async function aServer(
  keys: S3Credentials = sessionKeys(1),
  more: object = {},
): Promise<S3DevServer> {
  const server = await startS3DevServer('backups', { ...withToken(keys), ...more });
  closers.push(async () => await server.stop());
  return server;
}

function withToken({ sessionToken, ...keys }: S3Credentials) {
  return { ...keys, ...(sessionToken === undefined ? {} : { sessionToken }) };
}

/** A store whose keys come from `next`; its pauses are told and take no time. */
function aStore(
  server: S3DevServer,
  next: () => Promise<S3Credentials>,
  tuning: S3Tuning = {},
): { readonly store: S3ObjectStore; readonly pauses: number[]; readonly asked: () => number } {
  const pauses: number[] = [];
  let asked = 0;
  const clock = {
    now: () => new Date(),
    sleep: async (ms: number, signal?: AbortSignal) => {
      pauses.push(ms);
      signal?.throwIfAborted();
    },
  };
  const store = createS3ObjectStore(
    { endpoint: server.endpoint, bucket: 'backups', accessKey: 'UNUSED', secretKey: 'unused' },
    {
      clock,
      credentials: async () => {
        asked += 1;
        return await next();
      },
      ...tuning,
    },
  );
  closers.push(() => store.close());
  return { store, pauses, asked: () => asked };
}

describe('credentials from a source', () => {
  test('are asked for once while they work, also by many requests at once', async () => {
    const server = await aServer();
    const { store, asked } = aStore(server, async () => sessionKeys(1));
    await Promise.all(
      Array.from({ length: 8 }, async (_, i) => await store.put(`k${i}`, Buffer.from('x'))),
    );
    expect(asked()).toBe(1);
  });

  test('expire in the middle of a backup, which goes on with newer ones and is sound', async () => {
    let requests = 0;
    const issued = { keys: sessionKeys(1) };
    const server = await aServer(issued.keys, {
      faults: () => {
        requests += 1;
        if (requests % 4 === 0) {
          issued.keys = sessionKeys(requests);
          server.replaceCredentials(issued.keys);
        }
        return undefined;
      },
    });
    const { store, pauses, asked } = aStore(server, async () => issued.keys);
    const { artefactPath } = await aSnapshot({ store });
    expect((await (await openSnapshot(store, artefactPath)).verify()).files).toBe(8);
    expect(asked()).toBeGreaterThan(3);
    expect(pauses).toEqual([]);
  });

  test('are waited for when they have expired and newer ones are not there yet', async () => {
    const server = await aServer();
    let calls = 0;
    const { store, pauses } = aStore(server, async () => {
      calls += 1;
      if (calls === 4) {
        throw new Error('Juju cannot be asked just now');
      }
      return sessionKeys(calls < 6 ? 1 : 2);
    });
    await store.put('a', Buffer.from('a'));
    server.replaceCredentials(sessionKeys(2));
    await store.put('b', Buffer.from('b'));
    expect(pauses).toEqual([1000, 2000, 4000, 8000]);
    expect(Buffer.from(await store.get('b')).toString()).toBe('b');
  });

  test('that stay expired fail the request in the end, without their values', async () => {
    const server = await aServer();
    const { store, pauses } = aStore(server, async () => sessionKeys(1), {
      patience: { maxAttempts: 5 },
    });
    await store.put('a', Buffer.from('a'));
    server.replaceCredentials(sessionKeys(2));
    const error = await store.put('b', Buffer.from('b')).catch((it: unknown) => it);
    expect(error).toMatchObject({ code: 'wrong-credentials' });
    expect(String(error)).toContain('have expired');
    expect(pauses).toEqual([1000, 2000, 4000, 8000, 16_000]);
    expect(`${(error as Error).stack} ${JSON.stringify(error)}`).not.toMatch(/canary|SESSION1/);
  });

  test('rotated for good are renewed too: an unknown key after one that worked', async () => {
    const first = { accessKey: 'FIRSTKEY', secretKey: 'first-secret' };
    const second = { accessKey: 'SECONDKEY', secretKey: 'second-secret' };
    const third = { accessKey: 'SECONDKEY', secretKey: 'third-secret' };
    const server = await aServer(first);
    let keys = first;
    const { store, pauses } = aStore(server, async () => keys);
    await store.put('a', Buffer.from('a'));
    for (const next of [second, third]) {
      keys = next;
      server.replaceCredentials(next);
      await store.put('b', Buffer.from('b'));
    }
    expect(pauses).toEqual([]);
  });

  test('that never worked are told at once, not waited for', async () => {
    const server = await aServer();
    const { store, pauses, asked } = aStore(server, async () => ({
      accessKey: 'NOBODY',
      secretKey: 'nobodys-secret',
    }));
    await expect(store.get('a')).rejects.toMatchObject({ code: 'wrong-credentials' });
    expect(pauses).toEqual([]);
    expect(asked()).toBe(1);
  });

  test('expired from the start are asked for once more', async () => {
    const server = await aServer();
    server.replaceCredentials(sessionKeys(2));
    let calls = 0;
    const { store, pauses } = aStore(server, async () => {
      calls += 1;
      return sessionKeys(calls);
    });
    await store.put('a', Buffer.from('a'));
    expect(pauses).toEqual([]);
    const hopeless = aStore(server, async () => sessionKeys(1));
    await expect(hopeless.store.get('a')).rejects.toMatchObject({ code: 'wrong-credentials' });
    expect(hopeless.asked()).toBe(2);
  });

  test('that the source cannot give are told with its reason', async () => {
    const server = await aServer();
    const { store } = aStore(server, async () => {
      throw new Error('secret "secret:abc" was revoked');
    });
    const error = await store.get('a').catch((it: unknown) => it);
    expect(error).toMatchObject({ code: 'wrong-credentials' });
    expect(String(error)).toContain('secret "secret:abc" was revoked');
  });

  test('an abort ends the waiting, with its reason', async () => {
    const server = await aServer();
    const { store } = aStore(server, async () => sessionKeys(1), {
      clock: {
        now: () => new Date(),
        sleep: async (_, signal) => {
          controller.abort(reason);
          signal?.throwIfAborted();
        },
      },
    });
    const controller = new AbortController();
    const reason = new Error('stop');
    await store.put('a', Buffer.from('a'));
    server.replaceCredentials(sessionKeys(2));
    await expect(store.get('a', { signal: controller.signal })).rejects.toBe(reason);
  });

  test('a fixed session token is sent, and its expiry is told', async () => {
    const server = await aServer();
    const { endpoint, bucket } = server;
    const store = createS3ObjectStore({ endpoint, bucket, ...sessionKeys(1) });
    closers.push(() => store.close());
    await store.put('a', Buffer.from('a'));
    server.replaceCredentials(sessionKeys(2));
    await expect(store.get('a')).rejects.toMatchObject({ code: 'wrong-credentials' });
  });
});
