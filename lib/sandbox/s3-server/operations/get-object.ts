/** GetObject and HeadObject. */
import { contentRange, parseRange } from './byte-range.ts';
import { isModified } from './conditions.ts';
import { type Exchange, headerOf, type Reply } from './exchange.ts';
import { describeObject } from './object-headers.ts';

/** Query parameters by which a (presigned) GET sets headers of its answer. */
export const RESPONSE_OVERRIDES = [
  'response-cache-control',
  'response-content-disposition',
  'response-content-encoding',
  'response-content-language',
  'response-content-type',
  'response-expires',
] as const;

export function getObject(exchange: Exchange): Reply {
  const bucket = exchange.store.bucket(exchange.bucket);
  const reply = headObject(exchange);
  if (reply.status === 304) {
    return reply;
  }
  const record = bucket.get(exchange.key);
  const range = parseRange(headerOf(exchange, 'range'), record.size);
  const { start, length } = range ?? { start: 0, length: record.size };
  const reader = bucket.openBody(exchange.key);
  return {
    ...reply,
    body: {
      length,
      chunks: reader.lend(start, length),
      [Symbol.dispose]: () => reader[Symbol.dispose](),
    },
  };
}

export function headObject(exchange: Exchange): Reply {
  const record = exchange.store.bucket(exchange.bucket).get(exchange.key);
  if (!isModified(exchange.headers, record)) {
    return { status: 304, headers: { etag: `"${record.etag}"` } };
  }
  const range = parseRange(headerOf(exchange, 'range'), record.size);
  const withChecksum =
    range === undefined && headerOf(exchange, 'x-amz-checksum-mode')?.toUpperCase() === 'ENABLED';
  return {
    status: range === undefined ? 200 : 206,
    headers: {
      ...describeObject(record, { withChecksum }),
      ...overrides(exchange),
      'content-length': String(range?.length ?? record.size),
      ...(range === undefined ? {} : { 'content-range': contentRange(range, record.size) }),
    },
  };
}

function overrides(exchange: Exchange): Record<string, string> {
  return Object.fromEntries(
    RESPONSE_OVERRIDES.flatMap((name) => {
      const value = exchange.query.get(name);
      return value === undefined ? [] : [[name.slice('response-'.length), value]];
    }),
  );
}
