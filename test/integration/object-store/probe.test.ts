/** What the probe says of real servers, and of servers and permissions that lack something. */
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  createS3ObjectStore,
  firstFailure,
  type ProbeFinding,
  type ProbeName,
  probeStorage,
  type S3Options,
  type StorageReport,
} from '#object-store';
import type { Fault, FaultRequest } from '#sandbox';
import type { Clock } from '#system';
import { type SharedCephRgw, sharedCephRgw } from '../../helpers/ceph-rgw.ts';
import { Gate } from '../../helpers/gate.ts';
import { type S3DevServer, startS3DevServer } from '../../helpers/s3-dev-server.ts';

let fault: ((request: FaultRequest) => Fault | undefined) | undefined;
let dev: S3DevServer;
let good: S3Options;

beforeAll(async () => {
  dev = await startS3DevServer('backups', { faults: (request) => fault?.(request) });
  const { endpoint, bucket, accessKey, secretKey } = dev;
  good = { endpoint, bucket, accessKey, secretKey };
});
afterAll(async () => await dev.stop());

async function probeWith(
  faults: (request: FaultRequest) => Fault | undefined,
  options: Partial<S3Options> = {},
): Promise<StorageReport> {
  fault = faults;
  try {
    return await probeStorage({ ...good, ...options });
  } finally {
    fault = undefined;
  }
}

function finding(report: StorageReport, name: ProbeName): ProbeFinding {
  const found = report.findings.find((one) => one.name === name);
  if (found === undefined) {
    throw new Error(`the report says nothing of ${name}`);
  }
  return found;
}

const denied =
  (...operations: string[]) =>
  ({ operation }: FaultRequest): Fault | undefined =>
    operations.includes(operation)
      ? { kind: 'status', status: 403, code: 'AccessDenied' }
      : undefined;

/** What lies in the bucket; it is empty afterwards. */
async function takeKeys(): Promise<string[]> {
  const store = createS3ObjectStore(good);
  const keys: string[] = [];
  for await (const { key } of store.list('')) {
    keys.push(key);
  }
  await store.delete(keys);
  store.close();
  return keys;
}

describe('the development server', () => {
  test('can do everything, and nothing is left behind', async () => {
    const report = await probeStorage(good, { prefix: 'some/where/' });

    expect(report.findings.filter(({ outcome }) => outcome !== 'ok')).toEqual([]);
    expect(report).toMatchObject({
      usable: true,
      profile: {
        uriStyle: 'path',
        region: 'us-east-1',
        conditionalWrites: true,
        batchDelete: true,
        multipart: true,
        checksPayload: true,
      },
    });
    expect(Math.abs(report.clockSkewMs ?? Number.NaN)).toBeLessThan(5000);
    expect(await takeKeys()).toEqual([]);
  });

  test.each([
    ['ListObjectsV2', 'list', 's3:ListBucket'],
    ['PutObject', 'write', 's3:PutObject'],
    ['GetObject', 'read', 's3:GetObject'],
  ] as const)('a missing permission for %s is named', async (operation, name, permission) => {
    const report = await probeWith(denied(operation));

    expect(report.usable).toBe(false);
    expect(firstFailure(report)).toMatchObject({
      name,
      outcome: 'failed',
      code: 'access-denied',
      hint: expect.stringContaining(permission),
    });
    expect(await takeKeys()).toEqual([]);
  });

  test('without the permission to delete, backups work and the report says what does not', async () => {
    const report = await probeWith(denied('DeleteObject', 'DeleteObjects'));

    expect(report.usable).toBe(true);
    expect(finding(report, 'delete')).toMatchObject({
      outcome: 'limited',
      hint: expect.stringContaining('s3:DeleteObject'),
      detail: expect.stringContaining('old backups stay'),
    });
    expect(await takeKeys()).not.toEqual([]);
  });

  test('requests the server does not know are done without', async () => {
    const report = await probeWith(({ operation, query }) =>
      operation === 'DeleteObjects' || query.has('uploads')
        ? { kind: 'status', status: 501, code: 'NotImplemented' }
        : undefined,
    );

    expect(report.usable).toBe(true);
    expect(report.profile).toMatchObject({ batchDelete: false, multipart: false });
    expect(finding(report, 'batch-delete').detail).toContain('one by one');
  });

  test('bytes that change on their way back are noticed', async () => {
    const report = await probeWith(({ operation }) =>
      operation === 'GetObject' ? { kind: 'corrupt', offset: 3 } : undefined,
    );

    expect(firstFailure(report)).toMatchObject({
      name: 'read',
      detail: 'an object came back different from what was written',
    });
  });

  test('wrong keys, a missing bucket and a closed port each have their words', async () => {
    const [keys, bucket, port] = await Promise.all([
      probeStorage({ ...good, secretKey: 'canary-secret-key' }),
      probeStorage({ ...good, bucket: 'missing' }),
      probeStorage({ ...good, endpoint: 'http://127.0.0.1:1' }),
    ]);

    expect(firstFailure(keys)).toMatchObject({ name: 'list', code: 'wrong-credentials' });
    expect(firstFailure(bucket)).toMatchObject({ name: 'list', code: 'no-such-bucket' });
    expect(firstFailure(port)).toMatchObject({ name: 'list', code: 'unreachable' });
    expect(JSON.stringify([keys, bucket, port])).not.toContain('canary-secret-key');
    expect(keys.findings.slice(1, -1).every(({ outcome }) => outcome === 'skipped')).toBe(true);
    expect(finding(port, 'clock').outcome).toBe('skipped');
  });

  test('takes few requests', async () => {
    const asked: string[] = [];
    await probeWith(({ operation }) => {
      asked.push(operation);
      return undefined;
    });
    // Each a round trip, one after the other: over a slow line they are the time it takes.
    expect(asked.length).toBeLessThanOrEqual(24);
  });

  test('a server that does not answer is given up when the time is over, and what was written is removed', async () => {
    const gate = new Gate();
    gate.shut();
    const deadlines: number[] = [];
    const clock: Clock = {
      now: () => new Date(),
      // Over as soon as the server falls silent.
      sleep: async (ms) => {
        deadlines.push(ms);
        await gate.reached;
      },
    };
    fault = ({ operation }) => (operation === 'GetObject' ? gate.pass() : undefined);
    const report = await probeStorage(good, { clock });
    fault = undefined;
    gate.open();

    expect(firstFailure(report)).toMatchObject({ name: 'read', code: 'unreachable' });
    expect(deadlines).toHaveLength(1);
    // With the two seconds for what was written it is over in ten.
    expect(deadlines[0]).toBeLessThanOrEqual(8000);
    expect(await takeKeys()).toEqual([]);
  });

  test('a style the server does not know is replaced by the one it knows', async () => {
    // "localhost" has subdomains here, but the server takes the first part of the path for the bucket.
    const endpoint = dev.endpoint.replace('127.0.0.1', 'localhost');
    const report = await probeStorage({ ...good, endpoint, uriStyle: 'host' });

    expect(report).toMatchObject({ usable: true, profile: { uriStyle: 'path' } });
  });

  test('who asks may give up', async () => {
    await expect(
      probeStorage(good, { signal: AbortSignal.abort(new Error('enough')) }),
    ).rejects.toThrow('enough');
  });
});

test('where a server deletes one object at a time only, the store does so', async () => {
  const store = createS3ObjectStore(good);
  const keys = Array.from({ length: 20 }, (_, index) => `one-by-one/${index}`);
  await Promise.all(keys.map(async (key) => await store.put(key, Buffer.from(key))));
  fault = ({ operation }) =>
    operation === 'DeleteObjects'
      ? { kind: 'status', status: 501, code: 'NotImplemented' }
      : undefined;

  await store.delete(keys);

  fault = undefined;
  store.close();
  expect(await takeKeys()).toEqual([]);
});

describe('Ceph RGW', () => {
  let gateway: SharedCephRgw;
  beforeAll(async () => {
    gateway = await sharedCephRgw();
  }, 300_000);

  test('is usable over TLS, and its profile is found', async () => {
    const { tlsEndpoint, accessKey, secretKey, caPem, endpoint } = gateway;
    const credentials = { accessKeyId: accessKey, secretAccessKey: secretKey };
    const client = new S3Client({
      endpoint,
      region: 'us-east-1',
      forcePathStyle: true,
      credentials,
    });
    await client.send(new CreateBucketCommand({ Bucket: 'probed' }));
    client.destroy();

    const report = await probeStorage({
      endpoint: tlsEndpoint,
      bucket: 'probed',
      accessKey,
      secretKey,
      tlsCaChain: [caPem],
    });

    expect(report.findings.filter(({ outcome }) => outcome === 'failed')).toEqual([]);
    expect(report).toMatchObject({
      usable: true,
      profile: { uriStyle: 'path', batchDelete: true, multipart: true, checksPayload: true },
    });
  });
});
