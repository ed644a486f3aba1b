/** Decides whether a request was signed with the server's secret key, now, and as it arrived. */
import type { IncomingHttpHeaders } from 'node:http';
import { S3Error } from '../protocol/s3-error.ts';
import type { QueryParameter } from '../protocol/uri.ts';
import { canonicalRequest } from './canonical-request.ts';
import { type Claims, readClaims } from './claims.ts';
import { isSameSignature, Signer } from './signer.ts';

export interface Credentials {
  readonly accessKey: string;
  readonly secretKey: string;
  /** Must come with every request where the keys are temporary. */
  readonly sessionToken?: string;
}

/** What a signature proves about the body that follows. */
export interface Authentication {
  /** A hash in hexadecimal, `UNSIGNED-PAYLOAD` or one of the `STREAMING-` forms. */
  readonly payloadHash: string;
  /** The signature of the request, the first link in the chain of signed chunks. */
  readonly signature: string;
  readonly signer: Signer;
}

export interface AuthenticateOptions {
  readonly credentials: Credentials;
  /** Access keys of sessions that are over. */
  readonly expired: ReadonlySet<string>;
  readonly now: Date;
  /** Refuse every other region in the signature; any is accepted when undefined. */
  readonly region: string | undefined;
}

export interface UnverifiedRequest {
  readonly method: string;
  readonly path: string;
  readonly query: readonly QueryParameter[];
  readonly headers: IncomingHttpHeaders;
}

/** S3 tolerates clocks that differ by 15 minutes. */
const MAX_SKEW_MS = 15 * 60 * 1000;

/** @throws S3Error when the request is anonymous, signed by another key, too old, or altered. */
export function authenticate(
  request: UnverifiedRequest,
  options: AuthenticateOptions,
): Authentication {
  const claims = readClaims(request.headers, request.query);
  checkKeys(claims.accessKey, tokenOf(request), options);
  checkScope(claims, options.region);
  checkTime(claims, options.now);
  checkSignedHeaders(claims, request.headers);
  const signer = new Signer(options.credentials.secretKey, claims);
  const canonical = canonicalRequest({ ...request, ...claims });
  if (!isSameSignature(signer.signRequest(canonical), claims.signature)) {
    throw new S3Error(
      'SignatureDoesNotMatch',
      'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
      { fields: { AWSAccessKeyId: claims.accessKey, CanonicalRequest: canonical } },
    );
  }
  return { payloadHash: claims.payloadHash, signature: claims.signature, signer };
}

function tokenOf({ headers, query }: UnverifiedRequest): string | undefined {
  const token = headers['x-amz-security-token'];
  return typeof token === 'string'
    ? token
    : query.find(([name]) => name === 'X-Amz-Security-Token')?.[1];
}

function checkKeys(
  accessKey: string,
  token: string | undefined,
  { credentials, expired }: AuthenticateOptions,
): void {
  if (expired.has(accessKey)) {
    throw new S3Error('ExpiredToken', 'The provided token has expired.');
  }
  if (accessKey !== credentials.accessKey) {
    throw new S3Error(
      'InvalidAccessKeyId',
      'The AWS Access Key Id you provided does not exist in our records.',
      { fields: { AWSAccessKeyId: accessKey } },
    );
  }
  if (token !== credentials.sessionToken) {
    throw new S3Error('InvalidToken', 'The provided token is malformed or otherwise invalid.');
  }
}

function checkScope(claims: Claims, region: string | undefined): void {
  const malformed =
    claims.expiresSeconds === undefined
      ? 'AuthorizationHeaderMalformed'
      : 'AuthorizationQueryParametersError';
  if (claims.day !== claims.timestamp.slice(0, 8)) {
    throw new S3Error(malformed, 'The date in the Credential is not that of X-Amz-Date.');
  }
  if (region !== undefined && claims.region !== region) {
    throw new S3Error(
      malformed,
      `The authorization header is malformed; the region '${claims.region}' is wrong; expecting '${region}'`,
      { fields: { Region: region }, headers: { 'x-amz-bucket-region': region } },
    );
  }
}

function checkTime(claims: Claims, now: Date): void {
  const signedAt = Date.parse(
    claims.timestamp.replace(/^(....)(..)(..T..)(..)(..Z)$/, '$1-$2-$3:$4:$5'),
  );
  const ageMs = now.getTime() - signedAt;
  const isExpired = claims.expiresSeconds !== undefined && ageMs > claims.expiresSeconds * 1000;
  if (isExpired) {
    throw new S3Error('AccessDenied', 'Request has expired', {
      fields: { ServerTime: now.toISOString(), 'X-Amz-Expires': String(claims.expiresSeconds) },
    });
  }
  const isTooOld = claims.expiresSeconds === undefined && ageMs > MAX_SKEW_MS;
  if (Number.isNaN(ageMs) || isTooOld || ageMs < -MAX_SKEW_MS) {
    throw new S3Error(
      'RequestTimeTooSkewed',
      'The difference between the request time and the current time is too large.',
      {
        fields: {
          RequestTime: claims.timestamp,
          ServerTime: now.toISOString(),
          MaxAllowedSkewMilliseconds: String(MAX_SKEW_MS),
        },
      },
    );
  }
}

function checkSignedHeaders(claims: Claims, headers: IncomingHttpHeaders): void {
  const unsigned = Object.keys(headers).filter(
    (name) =>
      name.startsWith('x-amz-') &&
      !claims.signedHeaders.includes(name) &&
      // A presigned URL may carry the hash beside its signature, as the query is what was signed.
      !(name === 'x-amz-content-sha256' && claims.expiresSeconds !== undefined),
  );
  if (unsigned.length > 0) {
    throw new S3Error(
      'AccessDenied',
      'There were headers present in the request which were not signed',
      {
        fields: { HeadersNotSigned: unsigned.join(', ') },
      },
    );
  }
}
