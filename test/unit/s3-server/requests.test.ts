import { describe, expect, test } from '@jest/globals';
import { contentRange, parseRange } from '../../../lib/sandbox/s3-server/operations/byte-range.ts';
import {
  isModified,
  writeCondition,
} from '../../../lib/sandbox/s3-server/operations/conditions.ts';
import { storedHeaders } from '../../../lib/sandbox/s3-server/operations/object-headers.ts';
import { findRoute } from '../../../lib/sandbox/s3-server/operations/routes.ts';
import { parseTarget } from '../../../lib/sandbox/s3-server/protocol/uri.ts';
import type { ObjectRecord } from '../../../lib/sandbox/s3-server/storage/object-file.ts';

const record: ObjectRecord = {
  key: 'k',
  size: 100,
  etag: 'abc',
  modifiedAt: '2026-11-21T10:00:00.500Z',
  headers: {},
  storageClass: 'STANDARD',
};

describe('a range', () => {
  test.each([
    ['bytes=0-9', { start: 0, length: 10 }],
    ['bytes=90-', { start: 90, length: 10 }],
    ['bytes=90-1000', { start: 90, length: 10 }],
    ['bytes=99-99', { start: 99, length: 1 }],
    ['bytes=-5', { start: 95, length: 5 }],
    ['bytes=-500', { start: 0, length: 100 }],
  ])('%s of 100 bytes is found', (header, expected) => {
    expect(parseRange(header, 100)).toEqual(expected);
  });

  test.each([
    undefined,
    'bytes=',
    'bytes=-',
    'bytes=9-3',
    'bytes=0-1,5-6',
    'items=0-1',
    'bytes=a-b',
  ])('%s is ignored', (header) => {
    expect(parseRange(header, 100)).toBeUndefined();
  });

  test.each([
    ['bytes=100-', 100],
    ['bytes=200-300', 100],
    ['bytes=-0', 100],
    ['bytes=0-0', 0],
  ])('%s of %d bytes cannot be satisfied', (header, size) => {
    expect(() => parseRange(header, size)).toThrow(
      expect.objectContaining({ status: 416, headers: { 'content-range': `bytes */${size}` } }),
    );
  });

  test('is confirmed with its last byte included', () => {
    expect(contentRange({ start: 5, length: 10 }, 100)).toBe('bytes 5-14/100');
  });
});

describe('a conditional read', () => {
  test.each([
    [{}, true],
    [{ 'if-none-match': '"abc"' }, false],
    [{ 'if-none-match': '*' }, false],
    [{ 'if-none-match': '"xyz"' }, true],
    [{ 'if-match': '"xyz", "abc"' }, true],
    [{ 'if-modified-since': 'Sat, 21 Nov 2026 10:00:00 GMT' }, false],
    [{ 'if-modified-since': 'Sat, 21 Nov 2026 09:59:59 GMT' }, true],
    [{ 'if-modified-since': 'no date' }, true],
    [{ 'if-unmodified-since': 'Sat, 21 Nov 2026 10:00:00 GMT' }, true],
  ])('with %j gets the object: %s', (headers, expected) => {
    expect(isModified(headers, record)).toBe(expected);
  });

  test.each([{ 'if-match': '"xyz"' }, { 'if-unmodified-since': 'Sat, 21 Nov 2026 09:00:00 GMT' }])(
    'with %j fails',
    (headers) => {
      expect(() => isModified(headers, record)).toThrow(expect.objectContaining({ status: 412 }));
    },
  );
});

describe('a conditional write', () => {
  test('with If-None-Match: * takes place only where nothing is', () => {
    const condition = writeCondition({ 'if-none-match': '*' });
    expect(() => condition(undefined)).not.toThrow();
    expect(() => condition(record)).toThrow(expect.objectContaining({ status: 412 }));
  });

  test('with If-Match takes place only on that version', () => {
    expect(() => writeCondition({ 'if-match': '"abc"' })(record)).not.toThrow();
    expect(() => writeCondition({ 'if-match': '"xyz"' })(record)).toThrow(
      expect.objectContaining({ status: 412 }),
    );
    expect(() => writeCondition({ 'if-match': '"abc"' })(undefined)).toThrow(
      expect.objectContaining({ code: 'NoSuchKey' }),
    );
  });

  test('with If-None-Match of a tag is not implemented, as in S3', () => {
    expect(() => writeCondition({ 'if-none-match': '"abc"' })).toThrow(
      expect.objectContaining({ status: 501 }),
    );
  });
});

describe('the operation of a request', () => {
  test.each([
    ['GET', '/', 'ListBuckets'],
    ['PUT', '/bucket', 'CreateBucket'],
    ['PUT', '/bucket/', 'CreateBucket'],
    ['GET', '/bucket?location', 'GetBucketLocation'],
    ['GET', '/bucket?list-type=2&prefix=a', 'ListObjectsV2'],
    ['GET', '/bucket', 'ListObjects'],
    ['POST', '/bucket/?delete=', 'DeleteObjects'],
    ['PUT', '/bucket/key?x-id=PutObject', 'PutObject'],
    ['GET', '/bucket/key?X-Amz-Signature=x', 'GetObject'],
    ['POST', '/bucket/key?uploads', 'CreateMultipartUpload'],
    ['PUT', '/bucket/key?partNumber=1&uploadId=u', 'UploadPart'],
    ['GET', '/bucket/key?uploadId=u', 'ListParts'],
    ['DELETE', '/bucket/key?uploadId=u', 'AbortMultipartUpload'],
    ['DELETE', '/bucket/key', 'DeleteObject'],
  ])('%s %s is %s', (method, url, operation) => {
    expect(findRoute(method, parseTarget(url), {}).operation).toBe(operation);
  });

  test.each([
    ['GET', '/bucket?acl'],
    ['PUT', '/bucket?versioning'],
    ['GET', '/bucket/key?tagging'],
    ['PUT', '/bucket/key?partNumber=1'],
    ['GET', '/bucket/key?versionId=1'],
    ['GET', '/bucket?unheard-of'],
    ['POST', '/bucket/key?select&select-type=2'],
  ])('%s %s is not implemented', (method, url) => {
    expect(() => findRoute(method, parseTarget(url), {})).toThrow(
      expect.objectContaining({ code: 'NotImplemented', status: 501 }),
    );
  });

  test.each([
    ['POST', '/bucket/key'],
    ['PATCH', '/bucket/key'],
    ['DELETE', '/'],
  ])('%s %s is not allowed', (method, url) => {
    expect(() => findRoute(method, parseTarget(url), {})).toThrow(
      expect.objectContaining({ code: 'MethodNotAllowed', status: 405 }),
    );
  });
});

describe('the headers kept with an object', () => {
  test('are its type, its metadata and what HTTP knows, not how it travelled', () => {
    const headers = storedHeaders({
      'content-type': 'text/plain',
      'content-encoding': 'aws-chunked,gzip',
      'cache-control': 'no-store',
      'x-amz-meta-colour': 'blue',
      'x-amz-date': 'now',
      host: 'here',
    });
    expect(headers).toEqual({
      'content-type': 'text/plain',
      'content-encoding': 'gzip',
      'cache-control': 'no-store',
      'x-amz-meta-colour': 'blue',
    });
  });

  test('are refused when the metadata exceed 2 KB', () => {
    expect(() => storedHeaders({ 'x-amz-meta-long': 'x'.repeat(2048) })).toThrow(
      expect.objectContaining({ code: 'MetadataTooLarge' }),
    );
  });
});
