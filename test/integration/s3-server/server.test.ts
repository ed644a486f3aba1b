import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createS3Server } from '#sandbox';
import { createCertificate } from '../../helpers/certificate.ts';
import { clientFor, outcomeOf, startServer, type TestServer, tlsClientFor } from './clients.ts';

const Bucket = 'bucket';
const body = randomBytes(3 * 1024 * 1024 + 17);
let plain: TestServer;
let client: S3Client;

beforeAll(async () => {
  plain = await startServer();
  client = clientFor(plain.server);
});

afterAll(async () => {
  client.destroy();
  await plain[Symbol.asyncDispose]();
});

async function bytesOf(s3: S3Client, Key: string, Range?: string): Promise<Buffer> {
  const { Body } = await s3.send(
    new GetObjectCommand({ Bucket, Key, ...(Range === undefined ? {} : { Range }) }),
  );
  return Buffer.from((await Body?.transformToByteArray()) ?? []);
}

function* pieces(): Generator<Buffer> {
  for (let start = 0; start < body.length; start += 100_000) {
    yield body.subarray(start, start + 100_000);
  }
}

describe.each(['http', 'https'])('over %s', (protocol) => {
  let served: TestServer;
  let newClient: (checksums: 'WHEN_SUPPORTED' | 'WHEN_REQUIRED') => S3Client;
  let scratch: string;

  beforeAll(async () => {
    scratch = await mkdtemp(join(tmpdir(), 's3-certificate-'));
    const certificate = await createCertificate(scratch);
    const tls = { cert: certificate.certPem, key: certificate.keyPem };
    served = await startServer(protocol === 'https' ? { tls } : {});
    newClient = (requestChecksumCalculation) =>
      tlsClientFor(served.server, certificate.certPem, { requestChecksumCalculation });
  });

  afterAll(async () => {
    await served[Symbol.asyncDispose]();
    await rm(scratch, { recursive: true, force: true });
  });

  describe.each(['WHEN_SUPPORTED', 'WHEN_REQUIRED'] as const)('with checksums %s', (checksums) => {
    test.each([
      ['a buffer', () => body],
      ['a stream', () => Readable.from(pieces())],
    ])('the SDK stores %s and reads it back', async (_, makeBody) => {
      const s3 = newClient(checksums);
      const put = { Bucket, Key: 'key', Body: makeBody(), ContentLength: body.length };
      expect(await outcomeOf(s3.send(new PutObjectCommand(put)))).toBe('200');
      expect((await bytesOf(s3, 'key')).equals(body)).toBe(true);
      s3.destroy();
    });

    test('the SDK uploads a part', async () => {
      const s3 = newClient(checksums);
      const target = { Bucket, Key: 'parts' };
      const { UploadId } = await s3.send(new CreateMultipartUploadCommand(target));
      const { ETag } = await s3.send(
        new UploadPartCommand({ ...target, UploadId, PartNumber: 1, Body: body }),
      );
      const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
      await s3.send(new CompleteMultipartUploadCommand({ ...target, UploadId, MultipartUpload }));
      expect((await bytesOf(s3, 'parts')).equals(body)).toBe(true);
      s3.destroy();
    });
  });
});

describe('checksums', () => {
  test.each(['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const)(
    'of kind %s are checked, kept, and given back for the client to check',
    async (ChecksumAlgorithm) => {
      const stored = await client.send(
        new PutObjectCommand({ Bucket, Key: 'sum', Body: 'hello', ChecksumAlgorithm }),
      );
      const head = await client.send(
        new HeadObjectCommand({ Bucket, Key: 'sum', ChecksumMode: 'ENABLED' }),
      );
      const name = `Checksum${ChecksumAlgorithm}` as const;
      expect(stored[name]).toMatch(/^[\w+/]+=*$/);
      expect(head[name]).toBe(stored[name]);
    },
  );

  test.each([
    [
      'Content-MD5',
      { ContentMD5: createHash('md5').update('other').digest('base64') },
      'BadDigest',
    ],
    ['a checksum', { ChecksumCRC32: 'AAAAAA==' }, 'BadDigest'],
    ['a digest that is none', { ContentMD5: 'bm9uZQ==' }, 'InvalidDigest'],
  ])('that are wrong, in %s, store nothing', async (_, wrong, code) => {
    const put = new PutObjectCommand({ Bucket, Key: 'wrong', Body: 'hello', ...wrong });
    expect(await outcomeOf(client.send(put))).toBe(`400 ${code}`);
    expect(await outcomeOf(client.send(new HeadObjectCommand({ Bucket, Key: 'wrong' })))).toBe(
      '404 NotFound',
    );
  });

  test('the MD5 that a client sent is the entity tag', async () => {
    const md5 = createHash('md5').update('hello');
    const hex = md5.copy().digest('hex');
    const put = { Bucket, Key: 'md5', Body: 'hello', ContentMD5: md5.digest('base64') };
    expect((await client.send(new PutObjectCommand(put))).ETag).toBe(`"${hex}"`);
  });

  test('another body than was signed is refused', async () => {
    const signing = clientFor(plain.server, { requestChecksumCalculation: 'WHEN_REQUIRED' });
    signing.middlewareStack.add(
      (next) => async (args) => {
        (args.request as { body: unknown }).body = Buffer.from('jello');
        return await next(args);
      },
      { step: 'finalizeRequest', priority: 'low', name: 'tamper' },
    );
    const put = new PutObjectCommand({ Bucket, Key: 'tampered', Body: Buffer.from('hello') });
    expect(await outcomeOf(signing.send(put))).toBe('400 XAmzContentSHA256Mismatch');
    signing.destroy();
  });
});

describe('objects', () => {
  test('come with their metadata, type and storage class, and by range', async () => {
    await client.send(
      new PutObjectCommand({
        Bucket,
        Key: "it's a (k)éy+!*~ %2F/../x",
        Body: 'hello world',
        ContentType: 'text/plain',
        Metadata: { colour: 'blue' },
        StorageClass: 'STANDARD_IA',
      }),
    );
    const Key = "it's a (k)éy+!*~ %2F/../x";
    const head = await client.send(new HeadObjectCommand({ Bucket, Key }));
    expect(head).toMatchObject({
      ContentType: 'text/plain',
      ContentLength: 11,
      Metadata: { colour: 'blue' },
      StorageClass: 'STANDARD_IA',
    });
    expect(String(await bytesOf(client, Key, 'bytes=6-'))).toBe('world');
  });

  test('are copied with or without their metadata', async () => {
    const source = { Bucket, Key: 'source', Body: 'hello', Metadata: { a: '1' } };
    await client.send(new PutObjectCommand(source));
    const CopySource = 'bucket/source';
    await client.send(new CopyObjectCommand({ Bucket, Key: 'copy', CopySource }));
    const copy = await client.send(new HeadObjectCommand({ Bucket, Key: 'copy' }));
    expect(copy.Metadata).toEqual({ a: '1' });
    expect(String(await bytesOf(client, 'copy'))).toBe('hello');
  });

  test('written to the same key at the same time with If-None-Match are created once', async () => {
    const put = { Bucket, Key: 'once', Body: body, IfNoneMatch: '*' };
    const outcomes = await Promise.all(
      [1, 2, 3, 4].map(async () => await outcomeOf(client.send(new PutObjectCommand(put)))),
    );
    expect(outcomes.toSorted()).toEqual([
      '200',
      ...Array<string>(3).fill('412 PreconditionFailed'),
    ]);
  });

  test('are listed page by page', async () => {
    const keys = Array.from({ length: 7 }, (_, index) => `list/${index}`);
    for (const Key of keys) {
      await client.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }));
    }
    const found: (string | undefined)[] = [];
    let ContinuationToken: string | undefined;
    do {
      const page = await client.send(
        new ListObjectsV2Command({ Bucket, Prefix: 'list/', MaxKeys: 3, ContinuationToken }),
      );
      found.push(...(page.Contents ?? []).map(({ Key }) => Key));
      ContinuationToken = page.NextContinuationToken;
    } while (ContinuationToken !== undefined);
    expect(found).toEqual(keys);
  });

  test('with characters that XML cannot carry are deleted by list all the same', async () => {
    const keys = ['x&y', '<z>', 'tab\there', '\u{1f600}'];
    for (const Key of keys) {
      await client.send(new PutObjectCommand({ Bucket, Key: `odd/${Key}`, Body: 'x' }));
    }
    const Objects = keys.map((Key) => ({ Key: `odd/${Key}` }));
    await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    const left = await client.send(new ListObjectsV2Command({ Bucket, Prefix: 'odd/' }));
    expect(left.KeyCount).toBe(0);
  });
});

describe('multipart uploads', () => {
  test('are listed while they last, and completed from the parts named', async () => {
    const target = { Bucket, Key: 'multi' };
    const part = randomBytes(5 * 1024 * 1024);
    const { UploadId } = await client.send(new CreateMultipartUploadCommand(target));
    const tags: (string | undefined)[] = [];
    for (const [index, Body] of [part, Buffer.from('left out'), Buffer.from('end')].entries()) {
      const upload = { ...target, UploadId, PartNumber: index + 1, Body };
      tags.push((await client.send(new UploadPartCommand(upload))).ETag);
    }
    const listed = await client.send(new ListPartsCommand({ ...target, UploadId, MaxParts: 2 }));
    expect(listed).toMatchObject({ IsTruncated: true, NextPartNumberMarker: '2' });
    expect(listed.Parts?.map(({ ETag }) => ETag)).toEqual(tags.slice(0, 2));
    const uploads = await client.send(new ListMultipartUploadsCommand({ Bucket }));
    expect(uploads.Uploads?.map(({ Key }) => Key)).toEqual(['multi']);
    const Parts = [1, 3].map((PartNumber) => ({ PartNumber, ETag: tags[PartNumber - 1] }));
    await client.send(
      new CompleteMultipartUploadCommand({ ...target, UploadId, MultipartUpload: { Parts } }),
    );
    const expected = Buffer.concat([part, Buffer.from('end')]);
    expect((await bytesOf(client, 'multi')).equals(expected)).toBe(true);
    expect(
      (await client.send(new ListMultipartUploadsCommand({ Bucket }))).Uploads,
    ).toBeUndefined();
  });
});

describe('the server', () => {
  test('keeps everything over a restart', async () => {
    await using first = await startServer();
    const before = clientFor(first.server);
    await before.send(new PutObjectCommand({ Bucket, Key: 'kept', Body: 'hello' }));
    before.destroy();
    await first.server.close();
    await using second = await createS3Server({
      directory: first.directory,
      accessKey: 'ACCESS',
      secretKey: 'secret',
    });
    const after = clientFor(second);
    expect(String(await bytesOf(after, 'kept'))).toBe('hello');
    after.destroy();
  });

  test('refuses a data directory that another one uses, and a port that is taken', async () => {
    const { directory, server } = plain;
    const keys = { accessKey: 'A', secretKey: 'S' };
    await expect(createS3Server({ directory, ...keys })).rejects.toMatchObject({
      code: 'data-directory-in-use',
    });
    const other = await mkdtemp(join(tmpdir(), 's3-other-'));
    const { port } = server;
    await expect(createS3Server({ directory: other, ...keys, port })).rejects.toMatchObject({
      code: 'port-taken',
      hint: expect.stringContaining('another port'),
    });
    // The directory of a server that could not start is free again.
    const free = await createS3Server({ directory: other, ...keys });
    await free.close();
    await rm(other, { recursive: true });
  });

  test('answers errors as XML with a request id', async () => {
    const answer = await rawGet(plain.server.port, '/bucket/key');
    expect(answer.status).toBe(403);
    expect(answer.requestId).toMatch(/^[\dA-F]{16}$/);
    expect(answer.text).toContain('<Code>AccessDenied</Code>');
    expect(answer.text).toContain(`<RequestId>${String(answer.requestId)}</RequestId>`);
  });

  test('serves the next request on a connection whose upload it refused half-way', async () => {
    const wrong = clientFor({
      ...plain.server,
      endpoint: plain.server.endpoint,
      secretKey: 'wrong',
    });
    const put = (): Promise<string> =>
      outcomeOf(wrong.send(new PutObjectCommand({ Bucket, Key: 'refused', Body: body })));
    expect([await put(), await put()]).toEqual([
      '403 SignatureDoesNotMatch',
      '403 SignatureDoesNotMatch',
    ]);
    wrong.destroy();
  });
});

async function rawGet(
  port: number,
  path: string,
): Promise<{ status: number; text: string; requestId: unknown }> {
  const { promise, resolve, reject } = Promise.withResolvers<Awaited<ReturnType<typeof rawGet>>>();
  const call = request({ host: '127.0.0.1', port, path, agent: false }, (response) => {
    let text = '';
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => {
      text += chunk;
    });
    response.on('end', () =>
      resolve({
        status: response.statusCode ?? 0,
        text,
        requestId: response.headers['x-amz-request-id'],
      }),
    );
  });
  call.once('error', reject);
  call.end();
  return await promise;
}
