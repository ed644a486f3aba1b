/** What can be told from an error of the SDK before it is put into words. */

/** The HTTP status of the answer; undefined where there was none. */
export function statusOf(error: unknown): number | undefined {
  return (error as { $metadata?: { httpStatusCode?: number } } | undefined)?.$metadata
    ?.httpStatusCode;
}

const UNSUPPORTED_STATUS: ReadonlySet<number | undefined> = new Set([405, 411, 501]);
const UNSUPPORTED_NAMES: ReadonlySet<string> = new Set([
  'NotImplemented',
  'MethodNotAllowed',
  'MalformedXML',
  'MissingContentMD5',
  'MissingContentLength',
  'InvalidRequest',
]);

/** Whether the error says that the server does not know such requests, rather than that they may not be made. */
export function isUnsupported(error: unknown): boolean {
  const name = Error.isError(error) ? error.name : '';
  return UNSUPPORTED_STATUS.has(statusOf(error)) || UNSUPPORTED_NAMES.has(name);
}

const EXPIRED: ReadonlySet<string> = new Set([
  'ExpiredToken',
  'ExpiredTokenException',
  'TokenRefreshRequired',
]);
const UNKNOWN_KEYS: ReadonlySet<string> = new Set([
  'InvalidAccessKeyId',
  'SignatureDoesNotMatch',
  'InvalidToken',
  'InvalidClientTokenId',
  'UnrecognizedClientException',
]);

/** Whether the server refuses the keys themselves, so that newer ones may help. */
export function refusalOfKeys(error: unknown): 'expired' | 'unknown' | undefined {
  const name = Error.isError(error) ? error.name : '';
  if (EXPIRED.has(name)) {
    return 'expired';
  }
  return UNKNOWN_KEYS.has(name) ? 'unknown' : undefined;
}
