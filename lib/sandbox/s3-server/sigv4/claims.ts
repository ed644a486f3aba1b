/** What a request says about who signed it and how: the Authorization header or a presigned query. */
import type { IncomingHttpHeaders } from 'node:http';
import { S3Error, type S3ErrorCode } from '../protocol/s3-error.ts';
import type { QueryParameter } from '../protocol/uri.ts';

export interface Claims {
  readonly accessKey: string;
  readonly day: string;
  readonly region: string;
  readonly timestamp: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  /** The value of x-amz-content-sha256 that the signature covers. */
  readonly payloadHash: string;
  /** Seconds that a presigned URL is good for; undefined for a signature in the header. */
  readonly expiresSeconds: number | undefined;
}

const ALGORITHM = 'AWS4-HMAC-SHA256';
/** S3's own limit of a presigned URL: seven days. */
const MAX_EXPIRES_SECONDS = 604_800;

/** @throws S3Error for an anonymous request or one whose signature cannot be read. */
export function readClaims(headers: IncomingHttpHeaders, query: readonly QueryParameter[]): Claims {
  const parameters = new Map(query);
  if (headers.authorization !== undefined) {
    return fromHeader(headers, headers.authorization);
  }
  if (parameters.has('X-Amz-Signature') || parameters.has('X-Amz-Algorithm')) {
    return fromQuery(headers, parameters);
  }
  throw new S3Error('AccessDenied', 'Access Denied: the request is not signed');
}

function fromHeader(headers: IncomingHttpHeaders, authorization: string): Claims {
  const space = authorization.indexOf(' ');
  if (authorization.slice(0, space) !== ALGORITHM) {
    throw new S3Error(
      'InvalidRequest',
      'The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.',
    );
  }
  const fields = new Map(
    authorization
      .slice(space + 1)
      .split(',')
      .map((field): [string, string] => {
        const [name = '', ...value] = field.trim().split('=');
        return [name, value.join('=')];
      }),
  );
  return {
    ...readCredential(fields.get('Credential'), 'AuthorizationHeaderMalformed'),
    timestamp: readTimestamp(headers['x-amz-date'] ?? headers.date, 'AccessDenied'),
    signedHeaders: readSignedHeaders(fields.get('SignedHeaders'), 'AuthorizationHeaderMalformed'),
    signature: fields.get('Signature') ?? '',
    payloadHash: requiredPayloadHash(headers),
    expiresSeconds: undefined,
  };
}

function fromQuery(headers: IncomingHttpHeaders, query: ReadonlyMap<string, string>): Claims {
  const malformed = 'AuthorizationQueryParametersError';
  if (query.get('X-Amz-Algorithm') !== ALGORITHM) {
    throw new S3Error(malformed, `X-Amz-Algorithm only supports "${ALGORITHM}"`);
  }
  const expiresSeconds = Number(query.get('X-Amz-Expires') ?? Number.NaN);
  if (!Number.isInteger(expiresSeconds) || expiresSeconds < 0) {
    throw new S3Error(malformed, 'X-Amz-Expires should be a number');
  }
  if (expiresSeconds > MAX_EXPIRES_SECONDS) {
    throw new S3Error(malformed, 'X-Amz-Expires must be less than a week (in seconds)');
  }
  const stated = query.get('X-Amz-Content-Sha256') ?? headers['x-amz-content-sha256'];
  return {
    ...readCredential(query.get('X-Amz-Credential'), malformed),
    timestamp: readTimestamp(query.get('X-Amz-Date'), malformed),
    signedHeaders: readSignedHeaders(query.get('X-Amz-SignedHeaders'), malformed),
    signature: query.get('X-Amz-Signature') ?? '',
    payloadHash: typeof stated === 'string' ? stated : 'UNSIGNED-PAYLOAD',
    expiresSeconds,
  };
}

function readCredential(
  credential: string | undefined,
  malformed: S3ErrorCode,
): Pick<Claims, 'accessKey' | 'day' | 'region'> {
  const parts = credential?.split('/') ?? [];
  const [day, region, service, end] = parts.slice(-4);
  const accessKey = parts.slice(0, -4).join('/');
  if (accessKey === '' || day === undefined || region === undefined) {
    throw new S3Error(
      malformed,
      'The Credential is mal-formed; expecting KEY/DATE/REGION/s3/aws4_request.',
    );
  }
  if (service !== 's3' || end !== 'aws4_request') {
    throw new S3Error(malformed, 'The Credential must end in "/s3/aws4_request".');
  }
  return { accessKey, day, region };
}

function readSignedHeaders(list: string | undefined, malformed: S3ErrorCode): readonly string[] {
  const names = list?.split(';') ?? [];
  if (!names.includes('host')) {
    throw new S3Error(malformed, 'The SignedHeaders must name "host".');
  }
  return names;
}

function readTimestamp(
  value: string | readonly string[] | undefined,
  malformed: S3ErrorCode,
): string {
  if (typeof value === 'string' && /^\d{8}T\d{6}Z$/.test(value)) {
    return value;
  }
  throw new S3Error(
    malformed,
    'A signed request needs its date as X-Amz-Date, in ISO 8601 basic format.',
  );
}

function requiredPayloadHash(headers: IncomingHttpHeaders): string {
  const value = headers['x-amz-content-sha256'];
  if (typeof value !== 'string') {
    throw new S3Error(
      'InvalidRequest',
      'Missing required header for this request: x-amz-content-sha256',
    );
  }
  return value;
}
