/** One conversation with an S3 server, through the SDK, told as what each step came to. */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import * as s3 from '@aws-sdk/client-s3';
import { clientFor, type Endpoint, outcomeOf, tlsClientFor } from './clients.ts';

/** The outcome of each step by its name. */
export type Transcript = Record<string, unknown>;

type Step = (client: s3.S3Client) => Promise<unknown>;

const Bucket = 'conversation';
const KEYS = ['a', 'a/b', 'a/c/d', 'b/é x', 'b/z', 'z'];
const BODY = Buffer.from('hello world');
const PART = Buffer.alloc(5 * 1024 * 1024, 'p');

/** Talks to a server that has no bucket of that name yet, and leaves it without. */
export async function converse(
  target: Endpoint & { tlsEndpoint: string; caPem: string },
): Promise<Transcript> {
  const client = clientFor(target, { requestChecksumCalculation: 'WHEN_REQUIRED' });
  const transcript: Transcript = {};
  for (const [name, step] of Object.entries(steps())) {
    transcript[name] = await step(client);
  }
  for (const [name, other] of Object.entries(strangers(target))) {
    transcript[name] = await send(new s3.ListObjectsV2Command({ Bucket: 'any-bucket' }))(other);
    other.destroy();
  }
  client.destroy();
  return transcript;
}

function steps(): Record<string, Step> {
  return { ...buckets(), ...writes(), ...reads(), ...lists(), ...uploads(), ...deletions() };
}

function buckets(): Record<string, Step> {
  return {
    'head of a missing bucket': send(new s3.HeadBucketCommand({ Bucket })),
    'list of a missing bucket': send(new s3.ListObjectsV2Command({ Bucket })),
    'put into a missing bucket': put({ Key: 'x' }),
    'get from a missing bucket': send(new s3.GetObjectCommand({ Bucket, Key: 'x' })),
    'creation of a bucket': send(new s3.CreateBucketCommand({ Bucket })),
    'creation of it again': send(new s3.CreateBucketCommand({ Bucket })),
    'head of the bucket': send(new s3.HeadBucketCommand({ Bucket })),
    'location of the bucket': send(new s3.GetBucketLocationCommand({ Bucket })),
    'list of the empty bucket': list({}),
  };
}

function writes(): Record<string, Step> {
  return {
    'put of a buffer': put({
      Key: 'object',
      Metadata: { colour: 'blue' },
      ContentType: 'text/plain',
    }),
    'put of a stream of known length': async (client) =>
      await put({ Key: 'stream', Body: streamedBody(), ContentLength: BODY.length })(client),
    'put of a stream of unknown length': async (client) =>
      await put({ Key: 'endless', Body: streamedBody() })(client),
    'put of nothing': put({ Key: 'empty', Body: Buffer.alloc(0) }),
    'put where something is': put({ Key: 'object', IfNoneMatch: '*' }),
    'put where nothing is': put({ Key: 'fresh', IfNoneMatch: '*' }),
    'put with the right MD5': put({ Key: 'md5', ContentMD5: md5('hello world') }),
    'put with a wrong MD5': put({ Key: 'wrong', ContentMD5: md5('other') }),
    'put of other bytes than signed': tamperedPut,
    'what was refused is not there': send(new s3.HeadObjectCommand({ Bucket, Key: 'wrong' })),
    ...Object.fromEntries(KEYS.map((Key) => [`put of key ${Key}`, put({ Key })])),
  };
}

function reads(): Record<string, Step> {
  const get = (input: Partial<s3.GetObjectCommandInput>): Step =>
    read({ Bucket, Key: 'object', ...input });
  return {
    'whole object': get({}),
    'first bytes': get({ Range: 'bytes=0-4' }),
    'last bytes': get({ Range: 'bytes=-5' }),
    'from the middle on': get({ Range: 'bytes=6-' }),
    'more than there is': get({ Range: 'bytes=6-1000' }),
    'beyond the end': get({ Range: 'bytes=11-12' }),
    'range of an empty object': get({ Key: 'empty', Range: 'bytes=0-0' }),
    'empty object': get({ Key: 'empty' }),
    'streamed object': get({ Key: 'stream' }),
    'missing object': get({ Key: 'missing' }),
    'read if another version': get({ IfMatch: '"00000000000000000000000000000000"' }),
    'head of a missing object': send(new s3.HeadObjectCommand({ Bucket, Key: 'missing' })),
    'head of an object': async (client) => {
      const head = await client.send(new s3.HeadObjectCommand({ Bucket, Key: 'object' }));
      return [head.ContentLength, head.ContentType, head.Metadata];
    },
  };
}

function lists(): Record<string, Step> {
  return {
    'list of everything': list({}),
    'list below a prefix': list({ Prefix: 'a/' }),
    'list folded by slash': list({ Delimiter: '/' }),
    'list folded below a prefix': list({ Prefix: 'a/', Delimiter: '/' }),
    'list from a key on': list({ StartAfter: 'b/é x' }),
    'list of one entry': list({ MaxKeys: 1 }),
    'list in pages': async (client) => await pages(client, { MaxKeys: 2 }),
    'list in folded pages': async (client) => await pages(client, { MaxKeys: 2, Delimiter: '/' }),
  };
}

function uploads(): Record<string, Step> {
  const missing = { Bucket, Key: 'multi', UploadId: '0123456789abcdef0123456789abcdef' };
  return {
    'upload in parts': async (client) => await upload(client, [PART, BODY]),
    'its size': async (client) =>
      (await client.send(new s3.HeadObjectCommand({ Bucket, Key: 'multi' }))).ContentLength,
    'upload with a small part first': async (client) => await upload(client, [BODY, BODY]),
    'upload with a part that was never sent': async (client) =>
      await upload(client, [PART], [1, 2]),
    'uploads left open': async (client) => {
      const { Uploads = [] } = await client.send(new s3.ListMultipartUploadsCommand({ Bucket }));
      return Uploads.map(({ Key }) => Key);
    },
    'abort of the uploads left open': abortAll,
    'uploads left after that': async (client) =>
      (await client.send(new s3.ListMultipartUploadsCommand({ Bucket }))).Uploads?.length ?? 0,
    'upload with parts out of order': async (client) => {
      const outcome = await upload(client, [PART, PART], [2, 1]);
      await abortAll(client);
      return outcome;
    },
    'part of a missing upload': send(
      new s3.UploadPartCommand({ ...missing, PartNumber: 1, Body: BODY }),
    ),
    'parts of a missing upload': send(new s3.ListPartsCommand(missing)),
    'abort of a missing upload': send(new s3.AbortMultipartUploadCommand(missing)),
  };
}

function deletions(): Record<string, Step> {
  const Objects = [...KEYS, 'missing', 'md5', 'multi'].map((Key) => ({ Key }));
  return {
    'deletion of a bucket in use': send(new s3.DeleteBucketCommand({ Bucket })),
    'deletion of an object': send(new s3.DeleteObjectCommand({ Bucket, Key: 'object' })),
    'deletion of it again': send(new s3.DeleteObjectCommand({ Bucket, Key: 'object' })),
    'deletion of many, of which one is missing': async (client) => {
      const result = await client.send(
        new s3.DeleteObjectsCommand({ Bucket, Delete: { Objects } }),
      );
      return [result.Deleted?.map(({ Key }) => Key).toSorted(), result.Errors?.length ?? 0];
    },
    'deletion of the rest': async (client) => {
      const { Contents = [] } = await client.send(new s3.ListObjectsV2Command({ Bucket }));
      for (const { Key } of Contents) {
        await client.send(new s3.DeleteObjectCommand({ Bucket, Key }));
      }
      return Contents.map(({ Key }) => Key);
    },
    'deletion of the bucket': send(new s3.DeleteBucketCommand({ Bucket })),
    'deletion of a missing bucket': send(new s3.DeleteBucketCommand({ Bucket })),
  };
}

/** Clients that something is wrong with, by what that is. */
function strangers(
  target: Endpoint & { tlsEndpoint: string; caPem: string },
): Record<string, s3.S3Client> {
  const tls = { ...target, endpoint: target.tlsEndpoint };
  const hour = 60 * 60 * 1000;
  return {
    'a wrong secret key': clientFor({ ...target, secretKey: 'wrong' }),
    'an unknown access key': clientFor({ ...target, accessKey: 'UNKNOWN' }),
    'a clock an hour behind': clientFor(target, { systemClockOffset: -hour }),
    'a clock an hour ahead': clientFor(target, { systemClockOffset: hour }),
    'another region': clientFor(target, { region: 'eu-west-1' }),
    'a trusted certificate': tlsClientFor(tls, target.caPem),
    'an untrusted certificate': clientFor(tls),
  };
}

// The SDK's types tell each command from the others; here any one will do, as only its outcome counts.
function send(command: object): Step {
  return async (client) => await outcomeOf(client.send(command as s3.ListBucketsCommand));
}

function put(input: Partial<s3.PutObjectCommandInput>): Step {
  return async (client) =>
    await outcomeOf(
      client.send(new s3.PutObjectCommand({ Bucket, Key: 'x', Body: BODY, ...input })),
    );
}

async function tamperedPut(client: s3.S3Client): Promise<string> {
  const command = new s3.PutObjectCommand({ Bucket, Key: 'wrong', Body: Buffer.from('hello') });
  command.middlewareStack.add(
    (next) => async (args) => {
      (args.request as { body: unknown }).body = Buffer.from('jello');
      return await next(args);
    },
    { step: 'finalizeRequest', priority: 'low', name: 'tamper' },
  );
  return await outcomeOf(client.send(command));
}

function read(input: s3.GetObjectCommandInput): Step {
  return async (client) => {
    let text = '';
    const outcome = await outcomeOf(
      client.send(new s3.GetObjectCommand(input)).then(async (answer) => {
        text = (await answer.Body?.transformToString()) ?? '';
        return answer;
      }),
    );
    return [outcome, text];
  };
}

function list(input: Partial<s3.ListObjectsV2CommandInput>): Step {
  return async (client) => (await page(client, input)).entries;
}

async function page(
  client: s3.S3Client,
  input: Partial<s3.ListObjectsV2CommandInput>,
): Promise<{ entries: unknown; next: string | undefined }> {
  const answer = await client.send(new s3.ListObjectsV2Command({ Bucket, ...input }));
  const { Contents = [], CommonPrefixes = [], KeyCount, IsTruncated } = answer;
  const entries = {
    keys: Contents.map(({ Key, Size }) => `${Key} ${Size}`),
    prefixes: CommonPrefixes.map(({ Prefix }) => Prefix),
    KeyCount,
    IsTruncated,
  };
  return { entries, next: answer.NextContinuationToken };
}

async function pages(
  client: s3.S3Client,
  input: Partial<s3.ListObjectsV2CommandInput>,
): Promise<unknown[]> {
  const found = [];
  let ContinuationToken: string | undefined;
  do {
    const { entries, next } = await page(client, { ...input, ContinuationToken });
    found.push(entries);
    ContinuationToken = next;
  } while (ContinuationToken !== undefined);
  return found;
}

async function upload(
  client: s3.S3Client,
  parts: readonly Buffer[],
  named: readonly number[] = parts.map((_, index) => index + 1),
): Promise<string> {
  const target = { Bucket, Key: 'multi' };
  const { UploadId } = await client.send(new s3.CreateMultipartUploadCommand(target));
  const tags = new Map<number, string | undefined>();
  for (const [index, Body] of parts.entries()) {
    const PartNumber = index + 1;
    const part = new s3.UploadPartCommand({ ...target, UploadId, PartNumber, Body });
    tags.set(PartNumber, (await client.send(part)).ETag);
  }
  const Parts = named.map((PartNumber) => ({ PartNumber, ETag: tags.get(PartNumber) ?? '"none"' }));
  return await outcomeOf(
    client.send(
      new s3.CompleteMultipartUploadCommand({ ...target, UploadId, MultipartUpload: { Parts } }),
    ),
  );
}

async function abortAll(client: s3.S3Client): Promise<string[]> {
  const { Uploads = [] } = await client.send(new s3.ListMultipartUploadsCommand({ Bucket }));
  const outcomes = [];
  for (const { Key, UploadId } of Uploads) {
    const abort = new s3.AbortMultipartUploadCommand({ Bucket, Key, UploadId });
    outcomes.push(await outcomeOf(client.send(abort)));
  }
  return outcomes;
}

function streamedBody(): Readable {
  return Readable.from([BODY.subarray(0, 5), BODY.subarray(5)]);
}

function md5(text: string): string {
  return createHash('md5').update(text).digest('base64');
}
