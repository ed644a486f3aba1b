/** Conditional requests: If-Match and its kin, for reading and for writing. */
import type { IncomingHttpHeaders } from 'node:http';
import { S3Error } from '../protocol/s3-error.ts';
import type { WriteCondition } from '../storage/bucket.ts';
import type { ObjectRecord } from '../storage/object-file.ts';

/**
 * Whether a conditional read gets the object or 304.
 * @throws S3Error PreconditionFailed
 */
export function isModified(headers: IncomingHttpHeaders, record: ObjectRecord): boolean {
  const ifMatch = headers['if-match'];
  const isUnchangedSince = isAtOrAfter(headers['if-unmodified-since'], record);
  if (ifMatch !== undefined && !matches(ifMatch, record)) {
    throw preconditionFailed('If-Match');
  }
  if (ifMatch === undefined && isUnchangedSince === false) {
    throw preconditionFailed('If-Unmodified-Since');
  }
  const ifNoneMatch = headers['if-none-match'];
  if (ifNoneMatch !== undefined) {
    return !matches(ifNoneMatch, record);
  }
  return isAtOrAfter(headers['if-modified-since'], record) !== true;
}

/**
 * What a write demands of the object it would replace.
 * @throws S3Error NotImplemented for conditions that S3 does not know on writes
 */
export function writeCondition(headers: IncomingHttpHeaders): WriteCondition {
  const ifNoneMatch = headers['if-none-match'];
  const ifMatch = headers['if-match'];
  if (ifNoneMatch !== undefined && ifNoneMatch !== '*') {
    throw new S3Error(
      'NotImplemented',
      'A header you provided implies functionality that is not implemented: If-None-Match',
      { fields: { Header: 'If-None-Match' } },
    );
  }
  return (existing) => {
    if (ifNoneMatch === '*' && existing !== undefined) {
      throw preconditionFailed('If-None-Match');
    }
    if (ifMatch !== undefined && existing === undefined) {
      throw new S3Error('NoSuchKey', 'The specified key does not exist.');
    }
    if (ifMatch !== undefined && existing !== undefined && !matches(ifMatch, existing)) {
      throw preconditionFailed('If-Match');
    }
  };
}

function matches(list: string, record: ObjectRecord): boolean {
  return list
    .split(',')
    .map((tag) => tag.trim().replace(/^W\//, '').replaceAll('"', ''))
    .some((tag) => tag === '*' || tag === record.etag);
}

// Undefined without the header or with one that is no date, which HTTP says to ignore.
function isAtOrAfter(date: string | undefined, record: ObjectRecord): boolean | undefined {
  const limit = Date.parse(date ?? '');
  // HTTP dates have whole seconds.
  const modified = Math.floor(Date.parse(record.modifiedAt) / 1000) * 1000;
  return Number.isNaN(limit) ? undefined : modified <= limit;
}

function preconditionFailed(condition: string): S3Error {
  return new S3Error(
    'PreconditionFailed',
    'At least one of the pre-conditions you specified did not hold',
    { fields: { Condition: condition } },
  );
}
