/** ListMultipartUploads and ListParts. */
import { type XmlChildren, xmlDocument } from '../protocol/xml.ts';
import { compareKeys } from '../storage/key-index.ts';
import type { Upload } from '../storage/uploads.ts';
import { countParameter, type Exchange, type Reply } from './exchange.ts';
import { nameWriter } from './list-objects.ts';
import { uploadOf } from './multipart.ts';
import { OWNER } from './owner.ts';

const MAX_ENTRIES = 1000;

export function listMultipartUploads(exchange: Exchange): Reply {
  const { query } = exchange;
  const prefix = query.get('prefix') ?? '';
  const limit = countParameter(exchange, 'max-uploads', MAX_ENTRIES);
  const write = nameWriter(exchange);
  const matching = exchange.store
    .bucket(exchange.bucket)
    .uploads.list()
    .filter((upload) => upload.key.startsWith(prefix));
  const remaining = matching.slice(afterMarker(exchange, matching));
  const page = remaining.slice(0, limit);
  const isTruncated = remaining.length > page.length && limit > 0;
  const last = isTruncated ? page.at(-1) : undefined;
  return {
    status: 200,
    xml: xmlDocument('ListMultipartUploadsResult', [
      ['Bucket', exchange.bucket],
      ['KeyMarker', write(query.get('key-marker') ?? '')],
      ['UploadIdMarker', query.get('upload-id-marker') ?? ''],
      ['NextKeyMarker', last === undefined ? undefined : write(last.key)],
      ['NextUploadIdMarker', last?.id],
      ['Prefix', write(prefix)],
      ['EncodingType', query.get('encoding-type')],
      ['MaxUploads', limit],
      ['IsTruncated', isTruncated],
      ...page.map((upload) => ['Upload', describe(upload, write)] as const),
    ]),
  };
}

export function listParts(exchange: Exchange): Reply {
  const upload = uploadOf(exchange);
  const limit = countParameter(exchange, 'max-parts', MAX_ENTRIES);
  const marker = countParameter(exchange, 'part-number-marker', Number.MAX_SAFE_INTEGER);
  const after = exchange.query.has('part-number-marker') ? marker : 0;
  const remaining = exchange.store
    .bucket(exchange.bucket)
    .uploads.parts(upload)
    .filter(({ number }) => number > after);
  const page = remaining.slice(0, limit);
  const isTruncated = remaining.length > page.length && limit > 0;
  return {
    status: 200,
    xml: xmlDocument('ListPartsResult', [
      ['Bucket', exchange.bucket],
      ['Key', nameWriter(exchange)(exchange.key)],
      ['UploadId', upload.id],
      ['Initiator', OWNER],
      ['Owner', OWNER],
      ['StorageClass', upload.storageClass],
      ['PartNumberMarker', after],
      ['NextPartNumberMarker', isTruncated ? page.at(-1)?.number : undefined],
      ['MaxParts', limit],
      ['IsTruncated', isTruncated],
      ...page.map((part): readonly [string, XmlChildren] => [
        'Part',
        [
          ['PartNumber', part.number],
          ['LastModified', part.modifiedAt],
          ['ETag', `"${part.etag}"`],
          ['Size', part.size],
        ],
      ]),
    ]),
  };
}

// With an upload id the list goes on behind that upload, else behind all uploads of the key.
function afterMarker({ query }: Exchange, uploads: readonly Upload[]): number {
  const keyMarker = query.get('key-marker') ?? '';
  const idMarker = query.get('upload-id-marker') ?? '';
  if (keyMarker === '') {
    return 0;
  }
  const named = uploads.findIndex(({ key, id }) => key === keyMarker && id === idMarker);
  if (named !== -1) {
    return named + 1;
  }
  const next = uploads.findIndex(({ key }) => compareKeys(key, keyMarker) > 0);
  return next === -1 ? uploads.length : next;
}

function describe(upload: Upload, write: (name: string) => string): XmlChildren {
  return [
    ['Key', write(upload.key)],
    ['UploadId', upload.id],
    ['Initiator', OWNER],
    ['Owner', OWNER],
    ['StorageClass', upload.storageClass],
    ['Initiated', upload.initiatedAt],
  ];
}
