/** S3 through an HTTP proxy, to hosts that only the proxy can resolve. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import {
  createS3ObjectStore,
  type ObjectStoreError,
  probeStorage,
  type S3Options,
} from '#object-store';
import { createCertificate } from '../../helpers/certificate.ts';
import { type ConnectProxy, startConnectProxy } from '../../helpers/connect-proxy.ts';
import { type S3DevServer, startS3DevServer } from '../../helpers/s3-dev-server.ts';

let directory: string;
let plain: S3DevServer;
let tls: S3DevServer;
let certPem: string;
const proxies: ConnectProxy[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'proxy-'));
  const certificate = await createCertificate(directory, ['storage.test', '*.storage.test']);
  certPem = certificate.certPem;
  const host = { domain: 'storage.test' };
  plain = await startS3DevServer('backups', host);
  tls = await startS3DevServer('backups', {
    ...host,
    tls: { cert: certPem, key: certificate.keyPem },
  });
});
afterAll(async () => {
  await Promise.all([plain.stop(), tls.stop()]);
  await rm(directory, { recursive: true });
});
afterEach(async () => {
  await Promise.all(proxies.splice(0).map(async (proxy) => await proxy.stop()));
});

async function aProxy(
  server: S3DevServer,
  options: Partial<Parameters<typeof startConnectProxy>[0]> = {},
): Promise<ConnectProxy> {
  const target = { host: '127.0.0.1', port: Number(new URL(server.endpoint).port) };
  const proxy = await startConnectProxy({ target, ...options });
  proxies.push(proxy);
  return proxy;
}

function optionsFor(scheme: 'http' | 'https', rest: Partial<S3Options> = {}): S3Options {
  const { bucket, accessKey, secretKey } = plain;
  const endpoint = `${scheme}://storage.test`;
  return { bucket, accessKey, secretKey, endpoint, tlsCaChain: [certPem], ...rest };
}

const instantly = { now: () => new Date(), sleep: async () => undefined };

describe('through a proxy', () => {
  test.each(['path', 'host'] as const)('over https, in %s style', async (uriStyle) => {
    const proxy = await aProxy(tls);
    const store = createS3ObjectStore(optionsFor('https', { uriStyle }), {
      environment: { JUJU_CHARM_HTTPS_PROXY: proxy.url },
    });
    const data = Buffer.alloc(3_000_000, 'data');
    await store.put(`${uriStyle}/k ü`, data);
    expect(Buffer.compare(await store.get(`${uriStyle}/k ü`), data)).toBe(0);
    store.close();
    const host = uriStyle === 'path' ? 'storage.test' : 'backups.storage.test';
    // One connection serves both requests.
    expect(proxy.seen).toEqual([`CONNECT ${host}:443`]);
  });

  test.each(['path', 'host'] as const)('over http, in %s style', async (uriStyle) => {
    const proxy = await aProxy(plain);
    const store = createS3ObjectStore(optionsFor('http', { uriStyle }), {
      environment: { http_proxy: proxy.url },
    });
    await store.put(`${uriStyle}/k ü`, Buffer.from('data'));
    const keys = [];
    for await (const { key } of store.list(`${uriStyle}/`)) {
      keys.push(key);
    }
    expect(keys).toEqual([`${uriStyle}/k ü`]);
    store.close();
    const host = uriStyle === 'path' ? 'storage.test' : 'backups.storage.test';
    expect(proxy.seen).toEqual([`PUT ${host}`, `GET ${host}`]);
  });

  test('with a user and a password, which no message repeats', async () => {
    const proxy = await aProxy(tls, { user: 'me', password: 'proxy-canary' });
    const environment = { https_proxy: proxy.url };
    const store = createS3ObjectStore(optionsFor('https'), { environment });
    await store.put('k', Buffer.from('data'));
    store.close();
    const wrong = proxy.url.replace('proxy-canary', 'wrong-canary');
    const error = await failure('https', wrong);
    expect(error).toMatchObject({ code: 'unreachable' });
    expect(error.message).toContain('asks for a user and a password');
    expect(`${error.stack} ${JSON.stringify(error)} ${error.hint}`).not.toContain('canary');
  });

  test('the storage probe goes the same way', async () => {
    const proxy = await aProxy(tls);
    const environment = { https_proxy: proxy.url };
    const report = await probeStorage(optionsFor('https'), { environment });
    expect(report.findings.filter(({ outcome }) => outcome === 'failed')).toEqual([]);
    expect(proxy.seen.length).toBeGreaterThan(0);
  });
});

async function failure(scheme: 'http' | 'https', proxy: string): Promise<ObjectStoreError> {
  const environment = { http_proxy: proxy, https_proxy: proxy };
  const store = createS3ObjectStore(optionsFor(scheme), { environment, clock: instantly });
  const error = await store.get('k').catch((it: unknown) => it);
  store.close();
  return error as ObjectStoreError;
}

describe('a proxy that does not work is explained', () => {
  test('it refuses connections to the endpoint', async () => {
    const proxy = await aProxy(tls, { refuseWith: 403 });
    const error = await failure('https', proxy.url);
    expect(error).toMatchObject({ code: 'unreachable', transient: false });
    expect(error.message).toContain(`the proxy ${proxy.url} does not connect`);
    expect(error.message).toContain('403');
    expect(error.hint).toContain('juju-no-proxy');
    expect(proxy.seen).toHaveLength(1);
  });

  test('it fails for the moment, which is tried again', async () => {
    const proxy = await aProxy(tls, { refuseWith: 503 });
    expect(await failure('https', proxy.url)).toMatchObject({ code: 'unreachable' });
    expect(proxy.seen).toHaveLength(3);
  });

  test.each(['http', 'https'] as const)('nobody listens there (%s)', async (scheme) => {
    const error = await failure(scheme, 'http://127.0.0.1:1');
    expect(error).toMatchObject({ code: 'unreachable' });
    expect(error.message).toContain(
      'connection refused (ECONNREFUSED), through the proxy http://127.0.0.1:1',
    );
  });

  test('it asks a plain request for a password', async () => {
    const proxy = await aProxy(plain, { user: 'me', password: 'p' });
    const error = await failure('http', proxy.url.replace('me:p@', ''));
    expect(error.message).toContain('asks for a user and a password');
  });

  test('its URL makes no sense', async () => {
    expect(await failure('https', 'socks5://proxy')).toMatchObject({
      code: 'invalid-configuration',
    });
  });
});
