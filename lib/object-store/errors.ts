/** The one error of object stores: what was asked of which object where, what went wrong, what to do. */
import { HintError } from '#system';

/** Stable names of what can go wrong with storage. */
export type ObjectStoreErrorCode =
  | 'wrong-credentials'
  | 'access-denied'
  | 'no-such-bucket'
  | 'not-found'
  | 'unreachable'
  | 'untrusted-certificate'
  | 'wrong-region'
  | 'clock-skew'
  | 'not-an-s3-endpoint'
  | 'invalid-configuration'
  | 'invalid-key'
  | 'invalid-range'
  | 'storage-full'
  | 'retained'
  | 'content-mismatch'
  | 'unavailable'
  | 'storage-failed';

export interface ObjectStoreErrorDetails {
  readonly code: ObjectStoreErrorCode;
  readonly hint?: string;
  readonly key?: string | undefined;
  /** Whether the same request may succeed when repeated a little later. */
  readonly transient?: boolean;
  /** Whether no answer came at all, so that the request may or may not have been carried out. */
  readonly unanswered?: boolean;
  /** With `wrong-region`: where the bucket is, if the server said so. */
  readonly region?: string | undefined;
}

/**
 * A storage failure in words for the administrator. Holds no secret and no `cause`:
 * errors of storage clients carry request headers, and those carry credentials.
 */
export class ObjectStoreError extends HintError {
  declare readonly code: ObjectStoreErrorCode;
  readonly key: string | undefined;
  readonly transient: boolean;
  readonly unanswered: boolean;
  readonly region: string | undefined;

  constructor(message: string, details: ObjectStoreErrorDetails) {
    super(message, {
      code: details.code,
      ...(details.hint === undefined ? {} : { hint: details.hint }),
    });
    this.key = details.key;
    this.transient = details.transient ?? false;
    this.unanswered = details.unanswered ?? false;
    this.region = details.region;
  }
}

/** Whether `error` is a storage failure with this code. */
export function isObjectStoreError(
  error: unknown,
  code?: ObjectStoreErrorCode,
): error is ObjectStoreError {
  return error instanceof ObjectStoreError && (code === undefined || error.code === code);
}

/** The error for a missing object, the same words in every store. */
export function notFoundError(description: string, key: string): ObjectStoreError {
  return new ObjectStoreError(`cannot read ${quoteKey(key)} in ${description}: no such object`, {
    code: 'not-found',
    hint: 'check the path, and that nobody deleted the object',
    key,
  });
}

/** The error for a range beyond the end of an object. */
export function invalidRangeError(
  description: string,
  key: string,
  range: { readonly offset: number; readonly length: number },
): ObjectStoreError {
  return new ObjectStoreError(
    `cannot read bytes ${range.offset}-${range.offset + range.length - 1} of ${quoteKey(key)} in ${description}: the object is shorter`,
    { code: 'invalid-range', hint: 'the object was truncated or replaced', key },
  );
}

/** A key as messages show it: control characters escaped, long ones shortened. */
export function quoteKey(key: string): string {
  return JSON.stringify(key.length > 300 ? `${key.slice(0, 300)}…` : key);
}
