/** What an operation gets and gives: one authenticated request, one reply. */
import type { IncomingHttpHeaders } from 'node:http';
import type { Payload } from '../protocol/payload.ts';
import { S3Error } from '../protocol/s3-error.ts';
import type { Store } from '../storage/store.ts';

export interface Exchange {
  /** Empty for an operation on the service. */
  readonly bucket: string;
  /** Empty for an operation on the service or a bucket. */
  readonly key: string;
  readonly query: ReadonlyMap<string, string>;
  readonly headers: IncomingHttpHeaders;
  readonly store: Store;
  /** Keys that listings leave out, for the fault of that name. */
  readonly isHidden: (key: string) => boolean;
  readonly now: Date;
  readonly region: string;
  /** Asks the client for the body and checks it as it comes. To be called at most once. */
  openPayload(): Payload;
}

export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly xml?: string;
  readonly body?: ReplyBody;
}

interface ReplyBody extends Disposable {
  readonly length: number;
  readonly chunks: AsyncIterable<Buffer>;
}

export type Operation = (exchange: Exchange) => Promise<Reply> | Reply;

/** Documents that clients send are lists of at most 10,000 parts or 1,000 keys. */
const MAX_DOCUMENT_BYTES = 4 * 1024 * 1024;

/** The whole body as text. */
export async function readDocument(exchange: Exchange): Promise<string> {
  const payload = exchange.openPayload();
  if (payload.size > MAX_DOCUMENT_BYTES) {
    throw new S3Error('EntityTooLarge', 'Your proposed upload exceeds the maximum allowed size');
  }
  const chunks: Buffer[] = [];
  for await (const chunk of payload.chunks) {
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** A header that comes once. */
export function headerOf(exchange: Exchange, name: string): string | undefined {
  const value = exchange.headers[name];
  return typeof value === 'string' ? value : value?.[0];
}

/**
 * A whole number between 0 and `limit` from the query; larger ones count as the limit.
 * @throws S3Error InvalidArgument
 */
export function countParameter(exchange: Exchange, name: string, limit: number): number {
  const text = exchange.query.get(name);
  if (text === undefined || text === '') {
    return limit;
  }
  if (!/^\d{1,10}$/.test(text) || Number(text) > 2_147_483_647) {
    throw new S3Error(
      'InvalidArgument',
      `Argument ${name} must be an integer between 0 and 2147483647`,
      { fields: { ArgumentName: name, ArgumentValue: text } },
    );
  }
  return Math.min(Number(text), limit);
}
