/** The body of a request: decoded, measured, and held against every hash the client gave for it. */
import type { IncomingMessage } from 'node:http';
import type { Authentication } from '../sigv4/authenticate.ts';
import { decodeAwsChunked } from './aws-chunked.ts';
import { type ChecksumAlgorithm, createChecksum, createDigest } from './checksums.ts';
import { type ExpectedChecksum, expectedHashes, trailerAlgorithm } from './expected-hashes.ts';
import { S3Error } from './s3-error.ts';

export interface PayloadHashes {
  /** Hexadecimal; known when the client signed the hash or sent it as checksum. */
  readonly sha256: string | undefined;
  /** Hexadecimal; known when the client sent Content-MD5. */
  readonly md5: string | undefined;
  readonly checksum: StoredChecksum | undefined;
}

export interface StoredChecksum {
  readonly algorithm: ChecksumAlgorithm;
  /** Base64, as in the header. */
  readonly value: string;
}

export interface Payload {
  /** Bytes without their encoding. */
  readonly size: number;
  /** To be read once. Ends with an S3Error when the bytes are not those that were announced. */
  readonly chunks: AsyncIterable<Buffer>;
  /** Meaningful when `chunks` has ended. */
  hashes(): PayloadHashes;
}

/** S3's limit of one upload. */
const MAX_SIZE_BYTES = 5 * 1024 ** 3;
const HEX_SHA256 = /^[\da-f]{64}$/;
/** The one streaming form without signatures; it always has a trailer. */
const UNSIGNED_TRAILER = 'STREAMING-UNSIGNED-PAYLOAD-TRAILER';
const SIGNED_STREAMS: ReadonlySet<string> = new Set([
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER',
]);

/**
 * Opens the body; what can be refused by the headers alone is refused before a byte is read.
 * @throws S3Error
 */
export function openPayload(request: IncomingMessage, authentication: Authentication): Payload {
  const isStream = authentication.payloadHash.startsWith('STREAMING-');
  checkPayloadHash(authentication.payloadHash, isStream);
  const size = statedSize(request, isStream);
  const expected = expectedHashes(request.headers, authentication.payloadHash);
  const running = expected.map((hash) => ({ hash, checksum: start(hash) }));
  const trailer = isStream ? trailerAlgorithm(request.headers) : undefined;
  const trailing = trailer === undefined ? undefined : createChecksum(trailer);
  let trailingValue: string | undefined;

  async function* verified(): AsyncGenerator<Buffer> {
    let received = 0;
    const source = isStream
      ? decode(request, authentication, (value) => {
          trailingValue = value;
        })
      : rawBody(request);
    for await (const chunk of source) {
      received += chunk.length;
      for (const { checksum } of running) {
        checksum.update(chunk);
      }
      trailing?.update(chunk);
      yield chunk;
    }
    if (received !== size) {
      throw new S3Error('IncompleteBody', 'The request body is not as long as announced');
    }
    for (const { hash, checksum } of running) {
      hash.check(checksum.digest());
    }
    checkTrailing(trailingValue, trailing?.digest().toString('base64'));
  }

  return {
    size,
    chunks: verified(),
    hashes: () => ({
      sha256: expected.find(({ algorithm }) => algorithm === 'sha256')?.hex,
      md5: expected.find(({ algorithm }) => algorithm === 'md5')?.hex,
      checksum: storedChecksum(expected, trailer, trailingValue),
    }),
  };
}

function start(hash: ExpectedChecksum): ReturnType<typeof createChecksum> {
  return hash.algorithm === 'md5' ? createDigest('md5') : createChecksum(hash.algorithm);
}

function checkPayloadHash(payloadHash: string, isStream: boolean): void {
  if (isStream && payloadHash !== UNSIGNED_TRAILER && !SIGNED_STREAMS.has(payloadHash)) {
    throw new S3Error('NotImplemented', `This server does not know the body form ${payloadHash}`);
  }
  if (!isStream && payloadHash !== 'UNSIGNED-PAYLOAD' && !HEX_SHA256.test(payloadHash)) {
    throw new S3Error(
      'InvalidArgument',
      'x-amz-content-sha256 must be UNSIGNED-PAYLOAD, a STREAMING form, or a valid sha256 value.',
      { fields: { ArgumentName: 'x-amz-content-sha256', ArgumentValue: payloadHash } },
    );
  }
}

function statedSize(request: IncomingMessage, isStream: boolean): number {
  const { headers } = request;
  const text = isStream ? headers['x-amz-decoded-content-length'] : headers['content-length'];
  if (text === undefined && headers['transfer-encoding'] === undefined && !isStream) {
    return 0;
  }
  const size = typeof text === 'string' && /^\d+$/.test(text) ? Number(text) : undefined;
  if (size === undefined) {
    const name = isStream ? 'x-amz-decoded-content-length' : 'Content-Length';
    throw new S3Error('MissingContentLength', `You must provide the ${name} HTTP header.`);
  }
  if (size > MAX_SIZE_BYTES) {
    throw new S3Error('EntityTooLarge', 'Your proposed upload exceeds the maximum allowed size', {
      fields: { ProposedSize: String(size), MaxSizeAllowed: String(MAX_SIZE_BYTES) },
    });
  }
  return size;
}

function decode(
  request: IncomingMessage,
  authentication: Authentication,
  onChecksum: (value: string | undefined) => void,
): AsyncIterable<Buffer> {
  const { payloadHash, signature, signer } = authentication;
  const algorithm = trailerAlgorithm(request.headers);
  return decodeAwsChunked(rawBody(request), {
    verifier: payloadHash === UNSIGNED_TRAILER ? undefined : signer,
    seed: signature,
    hasTrailer: payloadHash.endsWith('-TRAILER'),
    onTrailer: (headers) => onChecksum(headers.get(`x-amz-checksum-${algorithm ?? ''}`)),
  });
}

// An early end of reading must not destroy the connection: the refusal still has to go out on it.
function rawBody(request: IncomingMessage): AsyncIterable<Buffer> {
  return request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
}

function checkTrailing(value: string | undefined, computed: string | undefined): void {
  if (computed === undefined) {
    return;
  }
  if (value === undefined) {
    throw new S3Error('MalformedTrailerError', 'The trailer lacks the checksum that was announced');
  }
  if (value !== computed) {
    throw new S3Error('BadDigest', 'The checksum in the trailer did not match the calculated one.');
  }
}

function storedChecksum(
  expected: readonly ExpectedChecksum[],
  trailer: ChecksumAlgorithm | undefined,
  trailingValue: string | undefined,
): StoredChecksum | undefined {
  if (trailer !== undefined && trailingValue !== undefined) {
    return { algorithm: trailer, value: trailingValue };
  }
  const sent = expected.find(({ isStored }) => isStored);
  return sent === undefined || sent.algorithm === 'md5'
    ? undefined
    : { algorithm: sent.algorithm, value: Buffer.from(sent.hex, 'hex').toString('base64') };
}
