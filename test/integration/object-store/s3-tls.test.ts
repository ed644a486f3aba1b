/** Certificates, trusted and not, against a real TLS server with a self-signed certificate for "localhost". */
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import { getCACertificates, rootCertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createS3ObjectStore, type ObjectStoreError, type S3Options } from '#object-store';

const FIXTURES = new URL('../../fixtures/tls/', import.meta.url);
let server: Server;
let port: number;
let certificate: string;

beforeAll(async () => {
  certificate = await readFile(new URL('cert.pem', FIXTURES), 'utf8');
  const key = await readFile(new URL('key.pem', FIXTURES), 'utf8');
  server = createServer({ cert: certificate, key }, (_, response) => response.end('trusted'));
  await new Promise<void>((resolve) => server.listen(0, resolve));
  const address = server.address();
  port = typeof address === 'object' && address !== null ? address.port : 0;
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

async function read(options: Partial<S3Options>): Promise<string> {
  const store = createS3ObjectStore(
    { bucket: 'b', accessKey: 'access', secretKey: 'secret', ...options },
    { clock: { now: () => new Date(), sleep: async () => undefined } },
  );
  try {
    return Buffer.from(await store.get('k')).toString();
  } finally {
    store.close();
  }
}

async function failureOf(options: Partial<S3Options>): Promise<Partial<ObjectStoreError>> {
  return await read(options).then(
    () => ({}),
    (error: ObjectStoreError) => error,
  );
}

describe('certificates', () => {
  test('one that nobody vouches for is refused, with the setting that would help', async () => {
    const error = await failureOf({ endpoint: `https://localhost:${port}` });
    expect(error).toMatchObject({ code: 'untrusted-certificate' });
    expect(error.message).toContain('self-signed');
    expect(error.hint).toContain('tls-ca-chain');
  });

  test('one whose authority is in the settings is trusted', async () => {
    const endpoint = `https://localhost:${port}`;
    expect(await read({ endpoint, tlsCaChain: [certificate] })).toBe('trusted');
  });

  test('one whose authority the machine trusts is trusted beside a chain that has nothing to do with it', async () => {
    const before = getCACertificates('default');
    setDefaultCACertificates([certificate]);
    try {
      const endpoint = `https://localhost:${port}`;
      expect(await read({ endpoint, tlsCaChain: rootCertificates.slice(0, 1) })).toBe('trusted');
    } finally {
      setDefaultCACertificates(before);
    }
  });

  test('one for another host is refused even then', async () => {
    const endpoint = `https://127.0.0.1:${port}`;
    const error = await failureOf({ endpoint, tlsCaChain: [certificate] });
    expect(error).toMatchObject({ code: 'untrusted-certificate' });
    expect(error.message).toContain('another host name');
  });

  test('http spoken to the https port is told as that', async () => {
    const error = await failureOf({ endpoint: `http://localhost:${port}` });
    expect(error).toMatchObject({ code: 'invalid-configuration' });
    expect(error.hint).toContain('https://');
  });
});
