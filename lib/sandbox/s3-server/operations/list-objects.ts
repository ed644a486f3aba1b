/** ListObjectsV2 and its predecessor. */
import { S3Error } from '../protocol/s3-error.ts';
import { encodePath } from '../protocol/uri.ts';
import { type XmlChildren, xmlDocument } from '../protocol/xml.ts';
import type { ObjectRecord } from '../storage/object-file.ts';
import { countParameter, type Exchange, type Reply } from './exchange.ts';
import { type ListPage, listPage } from './list-page.ts';
import { OWNER } from './owner.ts';

const MAX_KEYS = 1000;

export function listObjectsV2(exchange: Exchange): Reply {
  const { query } = exchange;
  if (query.get('list-type') !== '2') {
    throw new S3Error('InvalidArgument', 'Invalid List Type specified in Request');
  }
  const token = query.get('continuation-token');
  const page = readPage(exchange, token === undefined ? query.get('start-after') : decode(token));
  const write = nameWriter(exchange);
  const withOwner = query.get('fetch-owner') === 'true';
  return reply([
    ...listHead(exchange, page, write),
    ['StartAfter', optional(query.get('start-after'), write)],
    ['ContinuationToken', token],
    ['NextContinuationToken', page.next === undefined ? undefined : encode(page.next)],
    ['KeyCount', page.contents.length + page.commonPrefixes.length],
    ...listBody(page, write, withOwner),
  ]);
}

export function listObjects(exchange: Exchange): Reply {
  const { query } = exchange;
  const page = readPage(exchange, query.get('marker'));
  const write = nameWriter(exchange);
  const hasDelimiter = (query.get('delimiter') ?? '') !== '';
  return reply([
    ...listHead(exchange, page, write),
    ['Marker', write(query.get('marker') ?? '')],
    // Without a delimiter the last key says where to go on.
    ['NextMarker', hasDelimiter ? optional(page.next, write) : undefined],
    ...listBody(page, write, true),
  ]);
}

/** How keys are written: as they are, or percent-encoded for characters that XML cannot carry. */
export function nameWriter(exchange: Exchange): (name: string) => string {
  const encoding = exchange.query.get('encoding-type');
  if (encoding !== undefined && encoding !== 'url') {
    throw new S3Error('InvalidArgument', 'Invalid Encoding Method specified in Request', {
      fields: { ArgumentName: 'encoding-type', ArgumentValue: encoding },
    });
  }
  return encoding === undefined ? (name) => name : encodePath;
}

/** What clients get for a list that goes on; opaque to them. */
function encode(next: string): string {
  return Buffer.from(next).toString('base64url');
}

function decode(token: string): string {
  const text = Buffer.from(token, 'base64url').toString();
  if (token === '' || encode(text) !== token) {
    throw new S3Error('InvalidArgument', 'The continuation token provided is incorrect');
  }
  return text;
}

function readPage(exchange: Exchange, after: string | undefined): ListPage {
  const { query, store } = exchange;
  const page = listPage(store.bucket(exchange.bucket).index, {
    prefix: query.get('prefix') ?? '',
    delimiter: query.get('delimiter') ?? '',
    after: after ?? '',
    maxKeys: countParameter(exchange, 'max-keys', MAX_KEYS),
  });
  return { ...page, contents: page.contents.filter(({ key }) => !exchange.isHidden(key)) };
}

function listHead(
  exchange: Exchange,
  page: ListPage,
  write: (name: string) => string,
): XmlChildren {
  const { query } = exchange;
  return [
    ['Name', exchange.bucket],
    ['Prefix', write(query.get('prefix') ?? '')],
    ['Delimiter', optional(query.get('delimiter'), write)],
    ['MaxKeys', countParameter(exchange, 'max-keys', MAX_KEYS)],
    ['EncodingType', query.get('encoding-type')],
    ['IsTruncated', page.next !== undefined],
  ];
}

function listBody(
  page: ListPage,
  write: (name: string) => string,
  withOwner: boolean,
): XmlChildren {
  return [
    ...page.contents.map((record) => ['Contents', describe(record, write, withOwner)] as const),
    ...page.commonPrefixes.map(
      (prefix) => ['CommonPrefixes', [['Prefix', write(prefix)]]] as const,
    ),
  ];
}

function describe(
  record: ObjectRecord,
  write: (name: string) => string,
  withOwner: boolean,
): XmlChildren {
  return [
    ['Key', write(record.key)],
    ['LastModified', record.modifiedAt],
    ['ETag', `"${record.etag}"`],
    ['ChecksumAlgorithm', record.checksum?.algorithm.toUpperCase()],
    ['Size', record.size],
    ['Owner', withOwner ? OWNER : undefined],
    ['StorageClass', record.storageClass],
  ];
}

function optional(name: string | undefined, write: (name: string) => string): string | undefined {
  return name === undefined || name === '' ? undefined : write(name);
}

function reply(children: XmlChildren): Reply {
  return { status: 200, xml: xmlDocument('ListBucketResult', children) };
}
