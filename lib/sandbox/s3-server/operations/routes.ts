/** Which operation a request asks for. What is not in this table is answered NotImplemented. */
import type { IncomingHttpHeaders } from 'node:http';
import { S3Error } from '../protocol/s3-error.ts';
import type { Target } from '../protocol/uri.ts';
import {
  createBucket,
  deleteBucket,
  getBucketLocation,
  headBucket,
  listBuckets,
} from './buckets.ts';
import { completeMultipartUpload } from './complete-upload.ts';
import { copyObject } from './copy-object.ts';
import { deleteObject, deleteObjects } from './delete-objects.ts';
import type { Operation } from './exchange.ts';
import { getObject, headObject, RESPONSE_OVERRIDES } from './get-object.ts';
import { listObjects, listObjectsV2 } from './list-objects.ts';
import { listMultipartUploads, listParts } from './list-uploads.ts';
import { abortMultipartUpload, createMultipartUpload, uploadPart } from './multipart.ts';
import { putObject, refuseUploadPartCopy } from './put-object.ts';

type Level = 'service' | 'bucket' | 'object';

export interface Route {
  /** S3's name of the operation, such as `PutObject`. */
  readonly operation: string;
  readonly run: Operation;
}

interface RouteRule extends Route {
  readonly method: string;
  readonly level: Level;
  /** Query parameters that select the operation; all must be there. */
  readonly selectors: readonly string[];
  /** A header that selects the operation. */
  readonly header?: string;
  /** Further query parameters it understands. */
  readonly parameters: readonly string[];
}

const LIST = ['prefix', 'delimiter', 'max-keys', 'encoding-type'] as const;
const COPY_SOURCE = 'x-amz-copy-source';

// Where several rules fit, the first one is meant: the more particular stand above.
const ROUTES: readonly RouteRule[] = [
  rule('ListBuckets', 'GET', 'service', listBuckets),
  rule('CreateBucket', 'PUT', 'bucket', createBucket),
  rule('HeadBucket', 'HEAD', 'bucket', headBucket),
  rule('DeleteBucket', 'DELETE', 'bucket', deleteBucket),
  rule('GetBucketLocation', 'GET', 'bucket', getBucketLocation, { selectors: ['location'] }),
  rule('ListMultipartUploads', 'GET', 'bucket', listMultipartUploads, {
    selectors: ['uploads'],
    parameters: ['prefix', 'key-marker', 'upload-id-marker', 'max-uploads', 'encoding-type'],
  }),
  rule('ListObjectsV2', 'GET', 'bucket', listObjectsV2, {
    selectors: ['list-type'],
    parameters: [...LIST, 'continuation-token', 'start-after', 'fetch-owner'],
  }),
  rule('ListObjects', 'GET', 'bucket', listObjects, { parameters: [...LIST, 'marker'] }),
  rule('DeleteObjects', 'POST', 'bucket', deleteObjects, { selectors: ['delete'] }),
  rule('CreateMultipartUpload', 'POST', 'object', createMultipartUpload, {
    selectors: ['uploads'],
  }),
  rule('CompleteMultipartUpload', 'POST', 'object', completeMultipartUpload, {
    selectors: ['uploadId'],
  }),
  rule('UploadPartCopy', 'PUT', 'object', refuseUploadPartCopy, {
    selectors: ['uploadId', 'partNumber'],
    header: COPY_SOURCE,
  }),
  rule('UploadPart', 'PUT', 'object', uploadPart, { selectors: ['uploadId', 'partNumber'] }),
  rule('AbortMultipartUpload', 'DELETE', 'object', abortMultipartUpload, {
    selectors: ['uploadId'],
  }),
  rule('ListParts', 'GET', 'object', listParts, {
    selectors: ['uploadId'],
    parameters: ['max-parts', 'part-number-marker', 'encoding-type'],
  }),
  rule('CopyObject', 'PUT', 'object', copyObject, { header: COPY_SOURCE }),
  rule('PutObject', 'PUT', 'object', putObject),
  rule('GetObject', 'GET', 'object', getObject, { parameters: RESPONSE_OVERRIDES }),
  rule('HeadObject', 'HEAD', 'object', headObject, { parameters: RESPONSE_OVERRIDES }),
  rule('DeleteObject', 'DELETE', 'object', deleteObject),
];

/**
 * The operation for this request.
 * @throws S3Error MethodNotAllowed or NotImplemented, naming what is not understood
 */
export function findRoute(method: string, target: Target, headers: IncomingHttpHeaders): Route {
  const level = levelOf(target);
  const names = target.query.map(([name]) => name);
  const candidates = ROUTES.filter((route) => route.method === method && route.level === level);
  const chosen = candidates.find(
    (route) =>
      route.selectors.every((name) => names.includes(name)) &&
      (route.header === undefined || headers[route.header] !== undefined),
  );
  if (chosen === undefined && (candidates.length === 0 || names.length === 0)) {
    throw new S3Error(
      'MethodNotAllowed',
      'The specified method is not allowed against this resource.',
      { fields: { Method: method, ResourceType: level.toUpperCase() } },
    );
  }
  const unknown = names.find((name) => !isUnderstood(name, chosen));
  if (chosen === undefined || unknown !== undefined) {
    throw new S3Error(
      'NotImplemented',
      `${method} of ${level === 'object' ? 'an object' : `a ${level}`} with "${unknown ?? names.join('&')}" is not implemented`,
    );
  }
  return chosen;
}

function rule(
  operation: string,
  method: string,
  level: Level,
  run: Operation,
  rest: Partial<Pick<RouteRule, 'selectors' | 'header' | 'parameters'>> = {},
): RouteRule {
  return { operation, method, level, run, selectors: [], parameters: [], ...rest };
}

function levelOf(target: Target): Level {
  if (target.bucket === undefined) {
    return 'service';
  }
  return target.key === undefined ? 'bucket' : 'object';
}

// `x-id` names the operation for readers of logs; X-Amz-* belong to presigned URLs.
function isUnderstood(name: string, route: RouteRule | undefined): boolean {
  return (
    name === 'x-id' ||
    name.startsWith('X-Amz-') ||
    (route !== undefined && [...route.selectors, ...route.parameters].includes(name))
  );
}
