/** What an administrator is told when storage does not work; each against a real socket. */
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTcpServer, type Socket, type Server as TcpServer } from 'node:net';
import {
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  checkStorage,
  createS3ObjectStore,
  type ObjectStoreError,
  type S3Options,
} from '#object-store';
import { type S3DevServer, startS3DevServer } from '../../helpers/s3-dev-server.ts';

const closers: (() => Promise<void>)[] = [];
let dev: S3DevServer;
let good: S3Options;

beforeAll(async () => {
  dev = await startS3DevServer('backups');
  closers.push(async () => await dev.stop());
  const { endpoint, bucket, accessKey, secretKey } = dev;
  good = { endpoint, bucket, accessKey, secretKey };
});
afterAll(async () => {
  await Promise.all(closers.map(async (close) => await close()));
});

async function listen(server: Server | TcpServer): Promise<string> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(async () => {
    for (const socket of sockets) {
      socket.destroy();
    }
    await new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
}

function answer(
  status: number,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): RequestListener {
  return (_, response) => {
    response.writeHead(status, { 'content-type': 'application/xml', ...headers });
    response.end(body);
  };
}

const xml = (code: string, more = ''): string =>
  `<?xml version="1.0"?><Error><Code>${code}</Code><Message>m</Message>${more}</Error>`;

async function failureOf(options: Partial<S3Options>): Promise<ObjectStoreError> {
  const store = createS3ObjectStore(
    { ...good, ...options },
    {
      clock: { now: () => new Date(), sleep: async () => undefined },
      timeouts: { connectMs: 2000, idleMs: 300 },
    },
  );
  try {
    await checkStorage(store);
  } catch (error) {
    return error as ObjectStoreError;
  } finally {
    store.close();
  }
  throw new Error('the check passed');
}

describe('storage that does not work is explained', () => {
  test('wrong access key', async () => {
    const error = await failureOf({ accessKey: 'NOSUCHKEY0000' });
    expect(error).toMatchObject({ code: 'wrong-credentials' });
    expect(error.message).toContain('does not know the access key');
  });

  test('wrong secret key, which is not repeated', async () => {
    const error = await failureOf({ secretKey: 'wrong-secret-canary' });
    expect(error).toMatchObject({ code: 'wrong-credentials' });
    expect(error.message).toContain('secret key does not belong');
    const everything = `${error.stack} ${JSON.stringify(error)} ${String(error.cause)}`;
    expect(everything).not.toContain('wrong-secret-canary');
    expect(everything).not.toContain(good.accessKey);
  });

  test('missing bucket, named with the endpoint', async () => {
    const error = await failureOf({ bucket: 'nowhere' });
    expect(error).toMatchObject({ code: 'no-such-bucket' });
    expect(error.message).toContain(`bucket "nowhere" at ${good.endpoint}`);
    expect(error.hint).toContain('nowhere');
  });

  test('connection refused', async () => {
    const error = await failureOf({ endpoint: 'http://127.0.0.1:1' });
    expect(error).toMatchObject({ code: 'unreachable' });
    expect(error.message).toContain('refused');
  });

  test('no such host', async () => {
    const error = await failureOf({ endpoint: 'http://no-such-host.invalid' });
    expect(error).toMatchObject({ code: 'unreachable' });
  });

  test('a server that takes the request and says nothing', async () => {
    const endpoint = await listen(createTcpServer(() => undefined));
    const error = await failureOf({ endpoint });
    expect(error).toMatchObject({ code: 'unreachable' });
    expect(error.message).toContain('no answer in time');
  });

  test('a server that hangs up', async () => {
    const endpoint = await listen(createTcpServer((socket) => socket.destroy()));
    expect(await failureOf({ endpoint })).toMatchObject({ code: 'unreachable' });
  });

  test('https spoken to a http port', async () => {
    const error = await failureOf({ endpoint: good.endpoint?.replace('http:', 'https:') ?? '' });
    expect(error).toMatchObject({ code: 'invalid-configuration' });
    expect(error.hint).toContain('http://');
  });

  test('a web page', async () => {
    const page = '<!DOCTYPE html><html><body><p>Welcome<br></body></html>';
    for (const status of [200, 404, 403]) {
      const headers = { 'content-type': 'text/html' };
      const endpoint = await listen(createServer(answer(status, page, headers)));
      expect(await failureOf({ endpoint })).toMatchObject({ code: 'not-an-s3-endpoint' });
    }
  });

  test.each([
    ['access-denied', 403, xml('AccessDenied'), {}, 's3:ListBucket'],
    ['wrong-region', 301, xml('PermanentRedirect'), { 'x-amz-bucket-region': 'eu-1' }, 'eu-1'],
    ['wrong-region', 400, xml('AuthorizationHeaderMalformed', '<Region>eu-2</Region>'), {}, 'eu-2'],
    ['clock-skew', 403, xml('RequestTimeTooSkewed'), {}, 'clock'],
    ['unavailable', 503, xml('SlowDown'), {}, 'later'],
    ['unavailable', 500, 'garbage', {}, 'later'],
    ['storage-full', 507, xml('InsufficientStorage'), {}, 'space'],
    ['wrong-credentials', 400, xml('ExpiredToken'), {}, 'secret-key'],
    ['storage-failed', 418, xml('Teapot'), {}, 'log'],
  ])('%s (%i)', async (code, status, body, headers, hint) => {
    const endpoint = await listen(createServer(answer(status, body, headers)));
    const error = await failureOf({ endpoint });
    expect(error).toMatchObject({ code });
    expect(error.hint).toContain(hint);
  });
});

describe('storage that works again', () => {
  test('a few refusals and broken answers are repeated until it does', async () => {
    let requests = 0;
    const endpoint = await listen(
      createServer((request, response) => {
        requests += 1;
        if (requests === 1) {
          answer(503, xml('SlowDown'))(request, response);
        } else if (requests === 2) {
          request.socket.destroy();
        } else if (requests === 3) {
          response.writeHead(200, { 'content-length': '100' });
          response.write('broken');
          setImmediate(() => request.socket.destroy());
        } else {
          answer(200, 'whole')(request, response);
        }
      }),
    );
    const store = createS3ObjectStore(
      { ...good, endpoint },
      { clock: { now: () => new Date(), sleep: async () => undefined } },
    );
    expect(Buffer.from(await store.get('k')).toString()).toBe('whole');
    expect(requests).toBe(4);
    store.close();
  });

  test('an abort ends a request that hangs, with its reason', async () => {
    const endpoint = await listen(createTcpServer(() => undefined));
    const store = createS3ObjectStore({ ...good, endpoint });
    const reason = new Error('stop');
    const controller = new AbortController();
    const getting = store.get('k', { signal: controller.signal });
    setTimeout(() => controller.abort(reason), 50);
    await expect(getting).rejects.toBe(reason);
    store.close();
  });
});

describe('objects under retention', () => {
  const LOCKED = 'Access Denied because object protected by object lock.';

  test.each(['at once', 'one by one'])('are told as such, and the others go (%s)', async (way) => {
    const deleted: string[] = [];
    const endpoint = await listen(
      createServer((request, response) => {
        if (request.method === 'POST') {
          const refusal = `<Error><Key>locked</Key><Code>AccessDenied</Code><Message>${LOCKED}</Message></Error>`;
          const body = `<?xml version="1.0"?><DeleteResult>${refusal}</DeleteResult>`;
          const reply = way === 'at once' ? answer(200, body) : answer(501, xml('NotImplemented'));
          reply(request, response);
        } else if (request.url?.includes('locked') === true) {
          answer(403, xml('AccessDenied').replace('>m<', `>${LOCKED}<`))(request, response);
        } else {
          deleted.push(request.url ?? '');
          response.writeHead(204).end();
        }
      }),
    );
    const store = createS3ObjectStore({ ...good, endpoint });
    const keys = ['a', 'locked', ...Array.from({ length: 10 }, (_, n) => `b${n}`)];
    const error = await store.delete(keys).catch((it: unknown) => it);
    expect(error).toMatchObject({ code: 'retained', transient: false });
    expect((error as ObjectStoreError).hint).toContain('retention');
    expect(deleted).toHaveLength(way === 'at once' ? 0 : 11);
    store.close();
  });
});

describe('a bucket that asks for Content-MD5, as those do that lock objects by default', () => {
  test('gets it from the second request on', async () => {
    const seen: (string | undefined)[] = [];
    const endpoint = await listen(
      createServer((request, response) => {
        const md5 = request.headers['content-md5'];
        seen.push(typeof md5 === 'string' ? md5 : undefined);
        const demand =
          'Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters';
        const refusal = answer(400, xml('InvalidRequest').replace('>m<', `>${demand}<`));
        (md5 === undefined ? refusal : answer(200, ''))(request, response);
      }),
    );
    const store = createS3ObjectStore({ ...good, endpoint });
    await store.put('a', Buffer.from('hello'));
    expect(await store.putIfAbsent('b', Buffer.from('hello'))).toBe('created');
    expect(seen).toEqual([undefined, 'XUFAKrxLKna5cZ2REBfFkg==', 'XUFAKrxLKna5cZ2REBfFkg==']);
    store.close();
  });
});

describe('uploads that nobody ended', () => {
  test('go when they are below the prefix and old enough', async () => {
    const client = new S3Client({
      endpoint: dev.endpoint,
      region: 'us-east-1',
      forcePathStyle: true,
      credentials: { accessKeyId: dev.accessKey, secretAccessKey: dev.secretKey },
    });
    const Bucket = dev.bucket;
    for (const Key of ['ours/1', 'ours/2', 'theirs/1']) {
      await client.send(new CreateMultipartUploadCommand({ Bucket, Key }));
    }
    const store = createS3ObjectStore(good);
    const before = new Date(Date.now() - 3_600_000);
    const after = new Date(Date.now() + 3_600_000);
    expect(await store.sweepUploads('ours/', before)).toBe(0);
    expect(await store.sweepUploads('ours/', after)).toBe(2);
    expect(await store.sweepUploads('ours/', after)).toBe(0);
    const { Uploads } = await client.send(new ListMultipartUploadsCommand({ Bucket }));
    expect(Uploads?.map(({ Key }) => Key)).toEqual(['theirs/1']);
    store.close();
    client.destroy();
  });
});
