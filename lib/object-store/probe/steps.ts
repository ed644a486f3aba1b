/** The requests of the probe: each says what it needs, what it tries and what its failure would mean. */
import { createHash, randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import { statusOf } from '../s3-answers.ts';
import { readBody } from '../s3-body.ts';
import type { S3Connection } from '../s3-client.ts';
import { signPayload } from '../sign-payload.ts';
import type { ProbeName } from './report.ts';

/** What the steps share. */
export interface ProbeContext {
  readonly connection: S3Connection;
  readonly bucket: string;
  /** Keys of the probe begin with it. */
  readonly prefix: string;
  readonly signal: AbortSignal;
}

export interface ProbeStep {
  readonly name: ProbeName;
  readonly permission?: string;
  /** What a failure means where backups work without it; undefined where they do not. */
  readonly without?: string;
  /** How translated errors name the request. */
  readonly verb: string;
  /** @returns what is worth telling although it worked; throws what the SDK throws, or Surprise */
  readonly run: (context: ProbeContext) => Promise<string | undefined>;
}

/** The server answered, but not as S3 does. */
export class Surprise extends Error {}

const DATA = Buffer.concat([Buffer.from('storage probe: may be deleted\n'), randomBytes(994)]);

const FIRST_KEY = 'object';
const KEYS = [FIRST_KEY, 'second', 'third', 'checksum', 'spoilt', 'multipart'] as const;

/** Every key a probe may leave behind when it is interrupted. */
export function probeKeys(prefix: string): readonly string[] {
  return KEYS.map((name) => `${prefix}${name}`);
}

export const STEPS: readonly ProbeStep[] = [
  {
    name: 'list',
    permission: 's3:ListBucket',
    verb: 'list',
    run: async ({ connection: { sdk, client }, bucket, prefix, signal }) => {
      const command = new sdk.ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, MaxKeys: 1 });
      await client.send(command, { abortSignal: signal });
      return undefined;
    },
  },
  {
    name: 'write',
    permission: 's3:PutObject',
    verb: 'write',
    run: async (context) => {
      await put(context, FIRST_KEY);
      await put(context, 'second');
      await put(context, 'third');
      return undefined;
    },
  },
  {
    name: 'listed-at-once',
    permission: 's3:ListBucket',
    verb: 'list',
    without: 'a backup may be missing from the list for a while after it was made',
    run: async ({ connection: { sdk, client }, bucket, prefix, signal }) => {
      const command = new sdk.ListObjectsV2Command({ Bucket: bucket, Prefix: prefix });
      const { Contents = [] } = await client.send(command, { abortSignal: signal });
      if (
        !Contents.some(({ Key, Size }) => Key === `${prefix}${FIRST_KEY}` && Size === DATA.length)
      ) {
        throw new Surprise('an object is not listed at once after it was written');
      }
      return undefined;
    },
  },
  {
    name: 'read',
    permission: 's3:GetObject',
    verb: 'read',
    run: async (context) => {
      const data = await get(context);
      if (Buffer.compare(data, DATA) !== 0) {
        throw new Surprise('an object came back different from what was written');
      }
      return undefined;
    },
  },
  {
    name: 'range',
    permission: 's3:GetObject',
    verb: 'read',
    run: async (context) => {
      const data = await get(context, 'bytes=100-199');
      if (Buffer.compare(data, DATA.subarray(100, 200)) !== 0) {
        throw new Surprise(`100 bytes of an object were asked for and ${data.length} came`);
      }
      return undefined;
    },
  },
  {
    name: 'conditional-write',
    permission: 's3:PutObject',
    verb: 'write',
    without: 'before each write that must not replace anything, the store looks first',
    run: async (context) => {
      try {
        await put(context, FIRST_KEY, { IfNoneMatch: '*' });
      } catch (error) {
        if (statusOf(error) === 412) {
          return undefined;
        }
        throw error;
      }
      throw new Surprise('the server ignores "If-None-Match" and replaces the object');
    },
  },
  {
    name: 'checksum',
    permission: 's3:PutObject',
    verb: 'write',
    without: 'not needed: the signature covers the SHA-256, and backups keep their own',
    run: async (context) => {
      const ChecksumSHA256 = createHash('sha256').update(DATA).digest('base64');
      await put(context, 'checksum', { ChecksumSHA256 });
      return undefined;
    },
  },
  {
    name: 'payload-check',
    permission: 's3:PutObject',
    verb: 'write',
    without:
      'bytes damaged on their way are found when a backup is verified, not when it is written',
    run: async (context) => {
      const wrong = createHash('sha256').update('something else').digest('hex');
      try {
        await put(context, 'spoilt', { sha256: wrong });
      } catch (error) {
        if (statusOf(error) === 400) {
          return undefined;
        }
        throw error;
      }
      throw new Surprise('the server accepts data that differ from the signed hash');
    },
  },
  {
    name: 'multipart',
    permission: 's3:PutObject and s3:AbortMultipartUpload',
    verb: 'write',
    without: 'not needed: no object of a backup is that large',
    run: async (context) => {
      await tryMultipart(context);
      return undefined;
    },
  },
  {
    name: 'list-uploads',
    permission: 's3:ListBucketMultipartUploads',
    verb: 'list',
    without: 'unfinished uploads of other programs in this bucket cannot be told',
    run: async ({ connection: { sdk, client }, bucket, prefix, signal }) => {
      const command = new sdk.ListMultipartUploadsCommand({ Bucket: bucket, Prefix: prefix });
      await client.send(command, { abortSignal: signal });
      return undefined;
    },
  },
  {
    name: 'batch-delete',
    permission: 's3:DeleteObject',
    verb: 'delete',
    without: 'objects are deleted one by one',
    run: async ({ connection: { sdk, client }, bucket, prefix, signal }) => {
      const Objects = ['second', 'third'].map((name) => ({ Key: `${prefix}${name}` }));
      const command = new sdk.DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects } });
      const { Errors = [], Deleted = [] } = await client.send(command, { abortSignal: signal });
      const [first] = Errors;
      if (first !== undefined) {
        throw Object.assign(new Error(first.Message ?? 'refused'), { name: first.Code ?? '' });
      }
      if (Deleted.length !== Objects.length) {
        throw new Surprise(`of ${Objects.length} objects ${Deleted.length} were deleted`);
      }
      return undefined;
    },
  },
  {
    name: 'delete',
    permission: 's3:DeleteObject',
    verb: 'delete',
    without: 'backups and restores work, but old backups stay, and so do the objects of this probe',
    run: async ({ connection: { sdk, client }, bucket, prefix, signal }) => {
      for (const Key of probeKeys(prefix)) {
        const command = new sdk.DeleteObjectCommand({ Bucket: bucket, Key });
        // One connection is enough, and the order keeps what is left behind predictable.
        // oxlint-disable-next-line no-await-in-loop
        await client.send(command, { abortSignal: signal });
      }
      return undefined;
    },
  },
];

async function put(
  { connection: { sdk, client }, bucket, prefix, signal }: ProbeContext,
  name: string,
  options: {
    readonly IfNoneMatch?: '*';
    readonly ChecksumSHA256?: string;
    readonly sha256?: string;
  } = {},
): Promise<void> {
  const { sha256, ...headers } = options;
  const command = new sdk.PutObjectCommand({
    Bucket: bucket,
    Key: `${prefix}${name}`,
    Body: DATA,
    ContentLength: DATA.length,
    ...headers,
  });
  signPayload(command, sha256 ?? createHash('sha256').update(DATA).digest('hex'));
  await client.send(command, { abortSignal: signal });
}

async function get(
  { connection: { sdk, client }, bucket, prefix, signal }: ProbeContext,
  Range?: string,
): Promise<Uint8Array> {
  const command = new sdk.GetObjectCommand({
    Bucket: bucket,
    Key: `${prefix}${FIRST_KEY}`,
    ...(Range === undefined ? {} : { Range }),
  });
  const { Body, ContentLength } = await client.send(command, { abortSignal: signal });
  return await readBody(Body as Readable, ContentLength, { idleMs: 5000, signal });
}

async function tryMultipart(context: ProbeContext): Promise<void> {
  const { connection, bucket, prefix, signal } = context;
  const { sdk, client } = connection;
  const upload = { Bucket: bucket, Key: `${prefix}multipart` };
  const send = { abortSignal: signal };
  const { UploadId } = await client.send(new sdk.CreateMultipartUploadCommand(upload), send);
  if (UploadId === undefined) {
    throw new Surprise('the server gives no id for an upload');
  }
  try {
    const part = new sdk.UploadPartCommand({ ...upload, UploadId, PartNumber: 1, Body: DATA });
    await client.send(part, send);
  } finally {
    await client.send(new sdk.AbortMultipartUploadCommand({ ...upload, UploadId }), send);
  }
}
