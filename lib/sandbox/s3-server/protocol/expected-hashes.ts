/** The hashes of its body that a request states in its headers. */
import type { IncomingHttpHeaders } from 'node:http';
import { CHECKSUM_ALGORITHMS, type ChecksumAlgorithm, isChecksumValue } from './checksums.ts';
import { S3Error, type S3ErrorCode } from './s3-error.ts';

export interface ExpectedChecksum {
  readonly algorithm: ChecksumAlgorithm | 'md5';
  /** The value stated, in hexadecimal. */
  readonly hex: string;
  /** Whether the client asked to keep it beside the object. */
  readonly isStored: boolean;
  /** @throws S3Error when the bytes hash to something else. */
  check(actual: Buffer): void;
}

/** @throws S3Error InvalidDigest or InvalidRequest for values that are no hash. */
export function expectedHashes(
  headers: IncomingHttpHeaders,
  payloadHash: string,
): readonly ExpectedChecksum[] {
  const md5 = headers['content-md5'];
  return [
    ...(/^[\da-f]{64}$/.test(payloadHash) ? [signedHash(payloadHash)] : []),
    ...(typeof md5 === 'string' ? [contentMd5(md5)] : []),
    ...checksumHeader(headers),
  ];
}

/** The checksum that the trailer of a streamed body will carry, where it announces one. */
export function trailerAlgorithm(headers: IncomingHttpHeaders): ChecksumAlgorithm | undefined {
  const announced = headers['x-amz-trailer'];
  if (announced === undefined) {
    return undefined;
  }
  const algorithm = CHECKSUM_ALGORITHMS.find((name) => announced === `x-amz-checksum-${name}`);
  if (algorithm === undefined) {
    throw new S3Error(
      'InvalidRequest',
      'The value specified in the x-amz-trailer header is not supported',
    );
  }
  return algorithm;
}

function signedHash(hex: string): ExpectedChecksum {
  return expected({ algorithm: 'sha256', hex, isStored: false }, 'XAmzContentSHA256Mismatch');
}

function contentMd5(value: string): ExpectedChecksum {
  const bytes = Buffer.from(value, 'base64');
  if (bytes.length !== 16) {
    throw new S3Error('InvalidDigest', 'The Content-MD5 you specified was invalid.');
  }
  return expected({ algorithm: 'md5', hex: bytes.toString('hex'), isStored: false }, 'BadDigest');
}

function checksumHeader(headers: IncomingHttpHeaders): ExpectedChecksum[] {
  const sent = CHECKSUM_ALGORITHMS.filter(
    (name) => headers[`x-amz-checksum-${name}`] !== undefined,
  );
  const [algorithm, ...others] = sent;
  if (algorithm === undefined) {
    return [];
  }
  const value = String(headers[`x-amz-checksum-${algorithm}`]);
  if (others.length > 0 || !isChecksumValue(algorithm, value)) {
    throw new S3Error('InvalidRequest', `Value for x-amz-checksum-${algorithm} header is invalid.`);
  }
  const hex = Buffer.from(value, 'base64').toString('hex');
  return [expected({ algorithm, hex, isStored: true }, 'BadDigest')];
}

function expected(
  hash: Omit<ExpectedChecksum, 'check'>,
  code: S3ErrorCode & ('BadDigest' | 'XAmzContentSHA256Mismatch'),
): ExpectedChecksum {
  return {
    ...hash,
    check: (actual) => {
      if (actual.toString('hex') !== hash.hex) {
        throw new S3Error(
          code,
          `The ${hash.algorithm} you specified did not match what we received.`,
        );
      }
    },
  };
}
