/** What the probe says to a user of a real server who lacks one permission: a bucket policy of Ceph RGW grants all others. */
import { CreateBucketCommand, PutBucketPolicyCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  createS3ObjectStore,
  firstFailure,
  probeStorage,
  type S3Options,
  type StorageReport,
} from '#object-store';
import { addCephUser, type CephUser, sharedCephRgw } from '../../helpers/ceph-rgw.ts';

/** All the probe needs. */
const ACTIONS = [
  's3:ListBucket',
  's3:GetObject',
  's3:PutObject',
  's3:DeleteObject',
  's3:AbortMultipartUpload',
  's3:ListBucketMultipartUploads',
] as const;

type Action = (typeof ACTIONS)[number];

let owner: S3Client;
let user: CephUser;
let endpoint: string;
let ownerOptions: Omit<S3Options, 'bucket'>;

beforeAll(async () => {
  const gateway = await sharedCephRgw();
  const { accessKey, secretKey } = gateway;
  ({ endpoint } = gateway);
  user = await addCephUser(gateway);
  ownerOptions = { endpoint, accessKey, secretKey };
  owner = new S3Client({
    endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: accessKey, secretAccessKey: secretKey },
  });
}, 300_000);

afterAll(() => {
  owner.destroy();
});

/** Probes as the user, who may do all but some things in a bucket of somebody else. */
async function probeWithout(bucket: string, missing: readonly Action[]): Promise<StorageReport> {
  await owner.send(new CreateBucketCommand({ Bucket: bucket }));
  const who = {
    Principal: { AWS: [`arn:aws:iam:::user/${user.uid}`] },
    Resource: [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`],
  };
  const allowed = ACTIONS.filter((action) => !missing.includes(action));
  const Statement = [
    { Effect: 'Allow', Action: allowed, ...who },
    // Not allowed is not enough: whoever wrote an object may read it.
    ...(missing.length === 0 ? [] : [{ Effect: 'Deny', Action: missing, ...who }]),
  ];
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement });
  await owner.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy }));
  const { accessKey, secretKey } = user;
  return await probeStorage({ endpoint, bucket, accessKey, secretKey });
}

async function keysIn(bucket: string): Promise<readonly string[]> {
  const store = createS3ObjectStore({ ...ownerOptions, bucket });
  const keys: string[] = [];
  for await (const { key } of store.list('')) {
    keys.push(key);
  }
  store.close();
  return keys;
}

/** The findings that are not `ok`, by name. */
function shortcomings(report: StorageReport): Readonly<Record<string, string>> {
  const bad = report.findings.filter(({ outcome }) => outcome !== 'ok' && outcome !== 'skipped');
  return Object.fromEntries(bad.map(({ name, outcome }) => [name, outcome]));
}

describe('a user of Ceph RGW', () => {
  test('with all permissions the probe names can do everything, in a bucket of somebody else', async () => {
    const report = await probeWithout('all-permitted', []);

    expect(shortcomings(report)).toEqual({});
    expect(report.usable).toBe(true);
    expect(await keysIn('all-permitted')).toEqual([]);
  });

  test.each([
    ['s3:ListBucket', 'list'],
    ['s3:PutObject', 'write'],
    ['s3:GetObject', 'read'],
  ] as const)('without %s is told that it is missing, and nothing else', async (action, name) => {
    const bucket = `without-${name}`;
    const report = await probeWithout(bucket, [action]);

    expect(report.usable).toBe(false);
    expect(shortcomings(report)).toEqual({ [name]: 'failed' });
    expect(firstFailure(report)).toMatchObject({
      name,
      code: 'access-denied',
      permission: action,
      hint: expect.stringContaining(action),
      detail: expect.stringContaining(bucket),
    });
    for (const other of ACTIONS.filter((one) => one !== action)) {
      expect(firstFailure(report)?.hint).not.toContain(`${other} `);
    }
    expect(await keysIn(bucket)).toEqual([]);
  });

  test('without s3:DeleteObject can be backed up, and is told that old backups stay', async () => {
    const report = await probeWithout('without-delete', ['s3:DeleteObject']);

    expect(report.usable).toBe(true);
    expect(shortcomings(report)).toEqual({ 'batch-delete': 'limited', delete: 'limited' });
    expect(report.findings.find(({ name }) => name === 'delete')).toMatchObject({
      code: 'access-denied',
      hint: expect.stringContaining('s3:DeleteObject'),
      detail: expect.stringContaining('old backups stay'),
    });
    expect(await keysIn('without-delete')).not.toEqual([]);
  });

  test('without s3:ListBucketMultipartUploads is told what cannot be told then', async () => {
    const report = await probeWithout('without-uploads', ['s3:ListBucketMultipartUploads']);

    expect(report.usable).toBe(true);
    expect(shortcomings(report)).toEqual({ 'list-uploads': 'limited' });
    expect(report.findings.find(({ name }) => name === 'list-uploads')).toMatchObject({
      code: 'access-denied',
      hint: expect.stringContaining('s3:ListBucketMultipartUploads'),
    });
  });

  test('with no permission at all is told the first one', async () => {
    const report = await probeWithout('nothing-permitted', [...ACTIONS].slice(1));

    expect(firstFailure(report)).toMatchObject({ name: 'write', permission: 's3:PutObject' });
    const { accessKey, secretKey } = user;
    await owner.send(new CreateBucketCommand({ Bucket: 'closed' }));
    const closed = await probeStorage({ endpoint, bucket: 'closed', accessKey, secretKey });
    expect(shortcomings(closed)).toEqual({ list: 'failed' });
    expect(firstFailure(closed)?.hint).toContain('s3:ListBucket');
  });
});
