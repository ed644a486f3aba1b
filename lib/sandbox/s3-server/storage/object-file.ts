/**
 * The form of one stored body: its bytes, then a footer that says all about it, so that one rename
 * publishes both. A part of a multipart upload has the same form.
 *
 *     body | record as JSON | CRC-32 of the JSON | length of the JSON | magic
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import type { StoredChecksum } from '../protocol/payload.ts';

export interface ObjectRecord {
  readonly key: string;
  /** Bytes of the body. */
  readonly size: number;
  /** Without quotes. */
  readonly etag: string;
  /** ISO 8601. */
  readonly modifiedAt: string;
  /** Headers given back as they came: content-type, cache-control, x-amz-meta-* … */
  readonly headers: Readonly<Record<string, string>>;
  readonly storageClass: string;
  readonly checksum?: StoredChecksum;
}

const MAGIC = Buffer.from('JUJU-S3\u0001', 'latin1');
const TAIL_BYTES = 8 + MAGIC.length;
/** Most footers are far smaller; a longer one costs a second read. */
const FIRST_READ_BYTES = 2048;

/** The bytes that follow the body. */
export function encodeFooter(record: ObjectRecord): Buffer {
  const json = Buffer.from(JSON.stringify(record));
  const numbers = Buffer.alloc(8);
  numbers.writeUInt32LE(crc32(json), 0);
  numbers.writeUInt32LE(json.length, 4);
  return Buffer.concat([json, numbers, MAGIC]);
}

/** What the file says about itself; undefined when it is not a whole object. */
export function readObjectRecord(path: string): ObjectRecord | undefined {
  const file = openSync(path, 'r');
  try {
    return readFooter(file, fstatSync(file).size);
  } finally {
    closeSync(file);
  }
}

function readFooter(file: number, fileSize: number): ObjectRecord | undefined {
  const tail = readEnd(file, fileSize, FIRST_READ_BYTES);
  if (tail.length < TAIL_BYTES || !tail.subarray(-MAGIC.length).equals(MAGIC)) {
    return undefined;
  }
  const jsonLength = tail.readUInt32LE(tail.length - TAIL_BYTES + 4);
  const checksum = tail.readUInt32LE(tail.length - TAIL_BYTES);
  const footer = readEnd(file, fileSize, jsonLength + TAIL_BYTES);
  const json = footer.subarray(0, jsonLength);
  if (json.length !== jsonLength || crc32(json) !== checksum) {
    return undefined;
  }
  const record = JSON.parse(json.toString()) as ObjectRecord;
  return record.size === fileSize - footer.length ? record : undefined;
}

function readEnd(file: number, fileSize: number, length: number): Buffer {
  const wanted = Math.min(length, fileSize);
  const buffer = Buffer.alloc(wanted);
  const bytesRead = readSync(file, buffer, 0, wanted, fileSize - wanted);
  return buffer.subarray(0, bytesRead);
}
