/** Reads `global/pg_control` whole, while the server may be writing it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { HintError } from '#system';
import { readSmallFile } from './in-place.ts';

const TRIES = 200;
const PAUSE_MS = 5;
// ControlFileData ends in its checksum. It has had between 240 and 300 bytes since PostgreSQL 10.
const SHORTEST = 200;
const LONGEST = 512;

export interface ControlFile {
  readonly content: Buffer;
  readonly systemIdentifier: string;
}

/**
 * Two equal readings in a row, with a checksum that fits: neither a torn read nor a lost sector.
 * @throws HintError `control-file-unreadable`
 */
export async function readControlFile(path: string, signal: AbortSignal): Promise<ControlFile> {
  let last = await readSmallFile(path);
  for (let tries = 0; tries < TRIES; tries += 1) {
    await sleep(PAUSE_MS, undefined, { signal });
    const content = await readSmallFile(path);
    if (content.equals(last) && hasValidChecksum(content)) {
      return { content, systemIdentifier: String(content.readBigUInt64LE(0)) };
    }
    last = content;
  }
  throw new HintError(`cannot back up ${path}: its checksum is wrong`, {
    code: 'control-file-unreadable',
    hint: 'see what pg_controldata says, and the log of the PostgreSQL server',
  });
}

/**
 * Where the checksum lies depends on the version: right after what it covers, at a multiple of four.
 * By chance another place fits once in some hundred million damaged files.
 */
export function hasValidChecksum(content: Buffer): boolean {
  let crc = 0xffff_ffff;
  const end = Math.min(LONGEST, content.length - 4);
  for (let at = 0; at <= end; at += 1) {
    if (at >= SHORTEST && at % 4 === 0 && content.readUInt32LE(at) === ~crc >>> 0) {
      return true;
    }
    crc = (TABLE[(crc ^ (content[at] ?? 0)) & 0xff] ?? 0) ^ (crc >>> 8);
  }
  return false;
}

// CRC-32C (Castagnoli), reflected; node:zlib has the other one.
const POLYNOMIAL = 0x82f6_3b78;
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) {
    crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ POLYNOMIAL;
  }
  return crc;
});
