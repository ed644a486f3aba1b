import { describe, expect, test } from '@jest/globals';
import { decodeAwsChunked } from '../../../lib/sandbox/s3-server/protocol/aws-chunked.ts';
import {
  authenticate,
  type UnverifiedRequest,
} from '../../../lib/sandbox/s3-server/sigv4/authenticate.ts';
import { Signer } from '../../../lib/sandbox/s3-server/sigv4/signer.ts';

// The worked examples of Amazon's documentation:
// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
const credentials = {
  accessKey: 'AKIAIOSFODNN7EXAMPLE',
  secretKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
};
const now = new Date('2013-05-24T00:00:00Z');
const options = { credentials, expired: new Set<string>(), now, region: undefined };
const CREDENTIAL = 'AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request';

function getRequest(overrides: Partial<UnverifiedRequest['headers']> = {}): UnverifiedRequest {
  return {
    method: 'GET',
    path: '/test.txt',
    query: [],
    headers: {
      host: 'examplebucket.s3.amazonaws.com',
      range: 'bytes=0-9',
      'x-amz-content-sha256': 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
      'x-amz-date': '20130524T000000Z',
      authorization: `AWS4-HMAC-SHA256 Credential=${CREDENTIAL},SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41`,
      ...overrides,
    },
  };
}

function presigned(): UnverifiedRequest {
  return {
    method: 'GET',
    path: '/test.txt',
    query: [
      ['X-Amz-Algorithm', 'AWS4-HMAC-SHA256'],
      ['X-Amz-Credential', CREDENTIAL],
      ['X-Amz-Date', '20130524T000000Z'],
      ['X-Amz-Expires', '86400'],
      ['X-Amz-SignedHeaders', 'host'],
      ['X-Amz-Signature', 'aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404'],
    ],
    headers: { host: 'examplebucket.s3.amazonaws.com' },
  };
}

function minutesLater(minutes: number): typeof options {
  return { ...options, now: new Date(now.getTime() + minutes * 60_000) };
}

describe('a signature in the header', () => {
  test('is accepted when it is right', () => {
    expect(authenticate(getRequest(), options).payloadHash).toMatch(/^e3b0c4/);
  });

  test('of the documented PUT, with an encoded key, is accepted', () => {
    const hash = '44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072';
    const put: UnverifiedRequest = {
      method: 'PUT',
      path: '/test$file.text',
      query: [],
      headers: {
        host: 'examplebucket.s3.amazonaws.com',
        date: 'Fri, 24 May 2013 00:00:00 GMT',
        'x-amz-date': '20130524T000000Z',
        'x-amz-storage-class': 'REDUCED_REDUNDANCY',
        'x-amz-content-sha256': hash,
        authorization: `AWS4-HMAC-SHA256 Credential=${CREDENTIAL},SignedHeaders=date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class,Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd`,
      },
    };
    expect(authenticate(put, options).payloadHash).toBe(hash);
  });

  test('of the documented list, with a query out of order, is accepted', () => {
    const list: UnverifiedRequest = {
      method: 'GET',
      path: '/',
      query: [
        ['prefix', 'J'],
        ['max-keys', '2'],
      ],
      headers: {
        ...getRequest().headers,
        authorization: `AWS4-HMAC-SHA256 Credential=${CREDENTIAL},SignedHeaders=host;x-amz-content-sha256;x-amz-date,Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7`,
      },
    };
    expect(() => authenticate(list, options)).not.toThrow();
  });

  test.each([
    ['another method', { ...getRequest(), method: 'DELETE' }],
    ['another path', { ...getRequest(), path: '/other.txt' }],
    ['a query added', { ...getRequest(), query: [['a', 'b']] as const }],
    ['a signed header changed', getRequest({ range: 'bytes=0-99' })],
  ])('is refused for %s', (_, request) => {
    expect(() => authenticate(request, options)).toThrow(
      expect.objectContaining({ code: 'SignatureDoesNotMatch', status: 403 }),
    );
  });

  test('is refused when made with another secret key', () => {
    const other = { ...options, credentials: { ...credentials, secretKey: 'other' } };
    expect(() => authenticate(getRequest(), other)).toThrow(
      expect.objectContaining({ code: 'SignatureDoesNotMatch' }),
    );
  });

  test('is refused for an unknown access key', () => {
    const other = { ...options, credentials: { ...credentials, accessKey: 'OTHER' } };
    expect(() => authenticate(getRequest(), other)).toThrow(
      expect.objectContaining({ code: 'InvalidAccessKeyId' }),
    );
  });

  test.each([16, -16])('is refused when the clocks differ by %d minutes', (minutes) => {
    expect(() => authenticate(getRequest(), minutesLater(minutes))).toThrow(
      expect.objectContaining({ code: 'RequestTimeTooSkewed' }),
    );
  });

  test.each([14, -14])('is accepted when the clocks differ by %d minutes', (minutes) => {
    expect(() => authenticate(getRequest(), minutesLater(minutes))).not.toThrow();
  });

  test('is refused when an x-amz header was added without being signed', () => {
    expect(() => authenticate(getRequest({ 'x-amz-acl': 'private' }), options)).toThrow(
      expect.objectContaining({ code: 'AccessDenied' }),
    );
  });

  test('is refused for a region other than the configured one, which is named', () => {
    expect(() => authenticate(getRequest(), { ...options, region: 'eu-west-1' })).toThrow(
      expect.objectContaining({
        code: 'AuthorizationHeaderMalformed',
        fields: { Region: 'eu-west-1' },
      }),
    );
  });

  test.each([
    ['no authorization', undefined, 'AccessDenied'],
    ['version 2 of signatures', 'AWS KEY:signature', 'InvalidRequest'],
    [
      'no credential',
      'AWS4-HMAC-SHA256 SignedHeaders=host,Signature=00',
      'AuthorizationHeaderMalformed',
    ],
    [
      'a short credential',
      'AWS4-HMAC-SHA256 Credential=A/B,SignedHeaders=host,Signature=0',
      'AuthorizationHeaderMalformed',
    ],
    [
      'no host signed',
      `AWS4-HMAC-SHA256 Credential=${CREDENTIAL},SignedHeaders=range,Signature=0`,
      'AuthorizationHeaderMalformed',
    ],
  ])('with %s is refused with its own code', (_, authorization, code) => {
    const { authorization: _removed, ...headers } = getRequest().headers;
    const request = {
      ...getRequest(),
      headers: authorization === undefined ? headers : { ...headers, authorization },
    };
    expect(() => authenticate(request, options)).toThrow(expect.objectContaining({ code }));
  });
});

describe('a presigned URL', () => {
  test('is accepted as long as it is good', () => {
    expect(authenticate(presigned(), minutesLater(23 * 60)).payloadHash).toBe('UNSIGNED-PAYLOAD');
  });

  test('is refused when it has expired', () => {
    expect(() => authenticate(presigned(), minutesLater(25 * 60))).toThrow(
      expect.objectContaining({ code: 'AccessDenied', message: 'Request has expired' }),
    );
  });

  test('is refused for another object', () => {
    expect(() => authenticate({ ...presigned(), path: '/other' }, options)).toThrow(
      expect.objectContaining({ code: 'SignatureDoesNotMatch' }),
    );
  });
});

describe('a body of signed chunks', () => {
  const scope = { day: '20130524', region: 'us-east-1', timestamp: '20130524T000000Z' };
  const verifier = new Signer(credentials.secretKey, scope);
  const seed = '4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9';
  const body = Buffer.concat([
    Buffer.from(
      '10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\n',
    ),
    Buffer.alloc(65_536, 'a'),
    Buffer.from(
      '\r\n400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n',
    ),
    Buffer.alloc(1024, 'a'),
    Buffer.from(
      '\r\n0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n',
    ),
  ]);

  async function decode(bytes: Buffer): Promise<Buffer> {
    async function* source(): AsyncGenerator<Buffer> {
      yield* [bytes.subarray(0, 1000), bytes.subarray(1000)];
    }
    const chunks = [];
    const decoding = { verifier, seed, hasTrailer: false, onTrailer: () => undefined };
    for await (const chunk of decodeAwsChunked(source(), decoding)) {
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  }

  test('gives the bytes when each signature follows from the one before', async () => {
    expect((await decode(body)).equals(Buffer.alloc(66_560, 'a'))).toBe(true);
  });

  test('is refused when one byte was changed', async () => {
    const changed = Buffer.from(body);
    changed[66_000] = 0x62;
    await expect(decode(changed)).rejects.toMatchObject({ code: 'SignatureDoesNotMatch' });
  });

  test('is refused when its signatures are missing', async () => {
    const unsigned = Buffer.from('5\r\nhello\r\n0\r\n\r\n');
    await expect(decode(unsigned)).rejects.toMatchObject({ code: 'SignatureDoesNotMatch' });
  });

  test('is refused when it ends early', async () => {
    await expect(decode(body.subarray(0, -30))).rejects.toMatchObject({ code: 'IncompleteBody' });
  });
});
