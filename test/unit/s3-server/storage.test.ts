import { appendFileSync, mkdtempSync, readdirSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { ObjectRecord } from '../../../lib/sandbox/s3-server/storage/object-file.ts';
import { Store } from '../../../lib/sandbox/s3-server/storage/store.ts';

let directory: string;
let damaged: string[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 's3-store-'));
  damaged = [];
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

function open(): Store {
  return new Store({ directory, fsync: true, onDamaged: (path) => damaged.push(path) });
}

async function openWithBucket(): Promise<Store> {
  const store = open();
  await store.createBucket('bucket', new Date(0));
  return store;
}

async function* bytes(...pieces: readonly string[]): AsyncGenerator<Buffer> {
  for (const piece of pieces) {
    yield Buffer.from(piece);
  }
}

async function put(store: Store, key: string, content: string): Promise<void> {
  await using writer = await store.receive();
  await writer.append(bytes(content));
  const record: ObjectRecord = {
    key,
    size: writer.size,
    etag: 'e',
    modifiedAt: '2026-01-01T00:00:00.000Z',
    headers: { 'x-amz-meta-a': 'ä'.repeat(900) },
    storageClass: 'STANDARD',
  };
  await writer.seal(record);
  await store.bucket('bucket').commit(writer, record, () => undefined);
}

async function read(store: Store, key: string): Promise<string> {
  const bucket = store.bucket('bucket');
  const { size } = bucket.get(key);
  using reader = bucket.openBody(key);
  const chunks = [];
  for await (const chunk of reader.range(0, size)) {
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function objectFiles(): string[] {
  return readdirSync(join(directory, 'buckets', 'bucket'), { recursive: true, encoding: 'utf8' })
    .map((name) => join(directory, 'buckets', 'bucket', name))
    .filter((path) => path.includes('/objects/') && statSync(path).isFile());
}

describe('the store', () => {
  test('keeps objects over a restart, whatever their keys', async () => {
    const keys = ['a', 'a/b', '../../etc/passwd', '/', '.', 'x'.repeat(1024), 'ü 😀\u0001', 'b/'];
    const store = await openWithBucket();
    for (const key of keys) {
      await put(store, key, `content of ${key}`);
    }
    const again = open();
    for (const key of keys) {
      expect(await read(again, key)).toBe(`content of ${key}`);
    }
    expect(again.bucket('bucket').index.size).toBe(keys.length);
    expect(readdirSync(directory).toSorted()).toEqual(['buckets', 'incoming']);
  });

  test('forgets a body that was never published, and its file', async () => {
    const store = await openWithBucket();
    const writer = await store.receive();
    await writer.append(bytes('half'));
    const again = open();
    expect(again.bucket('bucket').index.size).toBe(0);
    expect(readdirSync(join(directory, 'incoming'))).toEqual([]);
    await writer[Symbol.asyncDispose]();
  });

  test.each([
    ['cut short', (path: string) => truncateSync(path, statSync(path).size - 1)],
    ['emptied', (path: string) => truncateSync(path, 0)],
    ['grown', (path: string) => appendFileSync(path, 'x')],
  ])('reports an object whose file was %s, and does not list it', async (_, damage) => {
    const store = await openWithBucket();
    await put(store, 'key', 'content');
    const [path = ''] = objectFiles();
    damage(path);
    expect(open().bucket('bucket').index.size).toBe(0);
    expect(damaged).toEqual([path]);
  });

  test('replaces an object at once, while a reader of the old one still gets all of it', async () => {
    const store = await openWithBucket();
    await put(store, 'key', 'old');
    using reader = store.bucket('bucket').openBody('key');
    await put(store, 'key', 'new content');
    const { value } = await reader.range(0, 3).next();
    expect(String(value)).toBe('old');
    expect(await read(store, 'key')).toBe('new content');
    expect(objectFiles()).toHaveLength(1);
  });

  test('leaves nothing behind of an object whose condition fails at the end', async () => {
    const store = await openWithBucket();
    await put(store, 'key', 'first');
    await using writer = await store.receive();
    await writer.append(bytes('second'));
    const record = { ...store.bucket('bucket').get('key'), size: 6 };
    await writer.seal(record);
    const refusal = new Error('exists');
    await expect(
      store.bucket('bucket').commit(writer, record, () => {
        throw refusal;
      }),
    ).rejects.toBe(refusal);
    expect(await read(store, 'key')).toBe('first');
    await writer[Symbol.asyncDispose]();
    expect(readdirSync(join(directory, 'incoming'))).toEqual([]);
  });

  test('deletes a bucket only when it is empty, and then for good', async () => {
    const store = await openWithBucket();
    await put(store, 'key', 'content');
    expect(() => store.deleteBucket('bucket')).toThrow(
      expect.objectContaining({ code: 'BucketNotEmpty' }),
    );
    store.bucket('bucket').delete('key');
    store.deleteBucket('bucket');
    expect(open().hasBucket('bucket')).toBe(false);
  });

  test.each(['ab', 'Upper', '../up', 'a..b', '-ab', '192.168.0.1', 'x'.repeat(64), 'a/b'])(
    'refuses a bucket called %s',
    async (name) => {
      await expect(open().createBucket(name, new Date())).rejects.toMatchObject({
        code: 'InvalidBucketName',
      });
    },
  );
});
