/** Reads a record of a run, also a compressed one and one that a crash has torn. */
import { gunzipSync } from 'node:zlib';
import { HintError } from '#system';
import {
  RECORD_FORMAT,
  RECORD_VERSION,
  type RecordedDispatch,
  type RecordedEnd,
  type RecordedTool,
  type RecordHeader,
  type RecordLine,
} from './format.ts';

export interface Record {
  readonly header: RecordHeader;
  readonly lines: readonly RecordLine[];
}

/** A dispatch with everything it did. */
export interface WholeDispatch {
  readonly start: RecordedDispatch;
  readonly tools: readonly RecordedTool[];
  /** Absent when the daemon was killed before it ended. */
  readonly end?: RecordedEnd;
}

const GZIP_MAGIC = Buffer.from([0x1f, 0x8b]);

/** @throws HintError `not-a-record` or `newer-format`. */
export function readRecord(bytes: Buffer): Record {
  const plain = bytes.subarray(0, 2).equals(GZIP_MAGIC) ? gunzipSync(bytes) : bytes;
  const [header, ...lines] = plain.toString('utf8').split('\n').flatMap(parseLine);
  if (!isHeader(header)) {
    throw new HintError('this is not a record of a sandbox', {
      code: 'not-a-record',
      hint: 'make one with "juju sandbox record FILE"',
    });
  }
  if (header.version > RECORD_VERSION) {
    throw new HintError(`this record has version ${header.version}`, {
      code: 'newer-format',
      hint: `this sandbox reads versions up to ${RECORD_VERSION}`,
    });
  }
  return { header, lines: lines as RecordLine[] };
}

/** The dispatches of one unit, or of all, in order of their start. */
export function dispatchesOf({ lines }: Record, unit?: string): readonly WholeDispatch[] {
  return lines
    .filter((line) => line.type === 'dispatch')
    .filter((line) => unit === undefined || line.unit === unit)
    .map((start) => {
      const own = lines.filter((line) => 'dispatch' in line && line.dispatch === start.dispatch);
      const end = own.find((line) => line.type === 'end');
      return {
        start,
        tools: own.filter((line) => line.type === 'tool'),
        ...(end === undefined ? {} : { end }),
      };
    });
}

function isHeader(value: unknown): value is RecordHeader {
  return (value as Partial<RecordHeader> | undefined)?.format === RECORD_FORMAT;
}

function parseLine(line: string): unknown[] {
  try {
    return line === '' ? [] : [JSON.parse(line)];
  } catch {
    // Torn by a crash.
    return [];
  }
}
