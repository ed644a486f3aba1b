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
  const match = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '');
  const [first, last] = [match?.[1] ?? '', match?.[2] ?? ''];
  if (first === '' && last === '') {
    return undefined;
  }
  if (first === '') {
    const length = Math.min(Number(last), size);
    return satisfiable({ start: size - length, length }, header, size);
  }
  const start = Number(first);
  const end = last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (last !== '' && Number(last) < start) {
    return undefined;
  }
  return satisfiable({ start, length: end - start + 1 }, header, size);
}

/** The Content-Range header of an answer with part of an object. */
export function contentRange(range: ByteRange, size: number): string {
  return `bytes ${range.start}-${range.start + range.length - 1}/${size}`;
}

function satisfiable(range: ByteRange, header: string | undefined, size: number): ByteRange {
  if (range.length <= 0) {
    throw new S3Error('InvalidRange', 'The requested range is not satisfiable', {
      fields: { RangeRequested: header ?? '', ActualObjectSize: String(size) },
      headers: { 'content-range': `bytes */${size}` },
    });
  }
  return range;
}
