/**
 * The refusals of the S3 protocol: code, HTTP status, and the XML document that carries them.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
 */
import { xmlDocument } from './xml.ts';

const STATUS = {
  AccessDenied: 403,
  AuthorizationHeaderMalformed: 400,
  AuthorizationQueryParametersError: 400,
  BadDigest: 400,
  BucketNotEmpty: 409,
  EntityTooLarge: 400,
  EntityTooSmall: 400,
  ExpiredToken: 400,
  IncompleteBody: 400,
  InternalError: 500,
  InvalidAccessKeyId: 403,
  InvalidArgument: 400,
  InvalidBucketName: 400,
  InvalidDigest: 400,
  InvalidPart: 400,
  InvalidPartOrder: 400,
  InvalidRange: 416,
  InvalidRequest: 400,
  InvalidStorageClass: 400,
  InvalidToken: 400,
  InvalidURI: 400,
  KeyTooLongError: 400,
  MalformedTrailerError: 400,
  MalformedXML: 400,
  MetadataTooLarge: 400,
  MethodNotAllowed: 405,
  MissingContentLength: 411,
  NoSuchBucket: 404,
  NoSuchKey: 404,
  NoSuchUpload: 404,
  NotImplemented: 501,
  PreconditionFailed: 412,
  RequestTimeTooSkewed: 403,
  SignatureDoesNotMatch: 403,
  XAmzContentSHA256Mismatch: 400,
} as const;

export type S3ErrorCode = keyof typeof STATUS;

export interface S3ErrorDetails {
  /** Further elements of the document, such as `BucketName`. */
  readonly fields?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/** A request refused. Thrown by operations, answered in one place. */
export class S3Error extends Error {
  readonly code: S3ErrorCode;
  readonly status: number;
  readonly fields: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: S3ErrorCode, message: string, details: S3ErrorDetails = {}) {
    super(message, { cause: details.cause });
    this.name = 'S3Error';
    this.code = code;
    this.status = STATUS[code];
    this.fields = details.fields ?? {};
    this.headers = details.headers ?? {};
  }
}

/** The body of an error response. */
export function errorDocument(
  error: { readonly code: string; readonly message: string; readonly fields?: object },
  context: { readonly resource: string; readonly requestId: string },
): string {
  return xmlDocument(
    'Error',
    [
      ['Code', error.code],
      ['Message', error.message],
      ...Object.entries(error.fields ?? {}),
      ['Resource', context.resource],
      ['RequestId', context.requestId],
      ['HostId', 'juju-s3'],
    ],
    { namespace: false },
  );
}
