/** The Range header of a GET. */
import { S3Error } from '../protocol/s3-error.ts';

export interface ByteRange {
  readonly start: number;
  readonly length: number;
}

/**
 * The one range asked for; undefined for the whole object: without the header, with one that is
 * malformed, or with several ranges, which S3 does not serve.
 * @throws S3Error InvalidRange when it lies outside of the object
 */
export function parseRange(header: string | undefined, size: number): ByteRange | undefined {
  const match = /^bytes=(?:(\d+)-(\d*)|-(\d+))$/.exec(header?.trim() ?? '');
  if (match === null) {
    return undefined;
  }
  const [, first, last, suffix] = match;
  const range =
    first === undefined ? lastBytes(Number(suffix), size) : fromTo(Number(first), last, size);
  if (range !== undefined && range.length <= 0) {
    throw new S3Error('InvalidRange', 'The requested range is not satisfiable', {
      fields: { RangeRequested: header ?? '', ActualObjectSize: String(size) },
      headers: { 'content-range': `bytes */${size}` },
    });
  }
  return range;
}

/** The Content-Range header of an answer with part of an object. */
export function contentRange(range: ByteRange, size: number): string {
  return `bytes ${range.start}-${range.start + range.length - 1}/${size}`;
}

function lastBytes(count: number, size: number): ByteRange {
  const length = Math.min(count, size);
  return { start: size - length, length };
}

function fromTo(first: number, last: string | undefined, size: number): ByteRange | undefined {
  const end = last === undefined || last === '' ? size - 1 : Number(last);
  if (end < first && first < size) {
    return undefined;
  }
  return { start: first, length: Math.min(end, size - 1) - first + 1 };
}
