/** The WAL segments a backup needs to become consistent, and the proof that they are the right ones. */
import type { BigIntStats } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { HintError } from '#system';
import type { WalRange } from './backup-manifest.ts';
import { openInPlace } from './in-place.ts';

// XLogLongPageHeaderData, at the beginning of each segment.
const HEADER_BYTES = 40;
const LONG_HEADER = 0x0002;
const XLOG_ID_BYTES = 0x1_0000_0000n;
const HISTORY = /^[0-9A-F]{8}\.history$/;

export interface NeededWal {
  /** Absolute; where the server writes its WAL. */
  readonly directory: string;
  readonly segmentBytes: number;
  readonly systemIdentifier: string;
  readonly range: WalRange;
}

/** A segment of which the header has been checked. */
export interface WalSegment {
  readonly name: string;
  readonly path: string;
  readonly stat: BigIntStats;
}

/** `0/3000028` as a number. */
export function parseLsn(lsn: string): bigint {
  const [high = '', low = ''] = lsn.split('/');
  return (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`);
}

/** The names of all segments that hold bytes from the start up to, without, the end. Pure. */
export function* segmentsOf(
  range: WalRange,
  segmentBytes: number,
): Generator<{ name: string; begin: bigint }, void, undefined> {
  const bytes = BigInt(segmentBytes);
  const perId = XLOG_ID_BYTES / bytes;
  const last = (parseLsn(range.endLsn) - 1n) / bytes;
  for (let number = parseLsn(range.startLsn) / bytes; number <= last; number += 1n) {
    const parts = [BigInt(range.timeline), number / perId, number % perId];
    const name = parts.map((part) => part.toString(16).toUpperCase().padStart(8, '0')).join('');
    yield { name, begin: number * bytes };
  }
}

/** @throws HintError `wal-missing` when the server has not kept it, or the file is another segment */
export async function findSegment(
  { directory, segmentBytes, systemIdentifier, range }: NeededWal,
  { name, begin }: { name: string; begin: bigint },
): Promise<WalSegment> {
  const path = join(directory, name);
  const stat = await statSegment(path, name);
  if (!stat.isFile() || stat.size !== BigInt(segmentBytes)) {
    throw walMissing(name, `it has ${stat.size} bytes, not ${segmentBytes}`);
  }
  await using handle = await openInPlace(path);
  const { buffer: header } = await handle.read(Buffer.alloc(HEADER_BYTES), 0, HEADER_BYTES, 0);
  const isRight =
    (header.readUInt16LE(2) & LONG_HEADER) !== 0 &&
    header.readUInt32LE(4) <= range.timeline &&
    header.readBigUInt64LE(8) === begin &&
    String(header.readBigUInt64LE(24)) === systemIdentifier &&
    header.readUInt32LE(32) === segmentBytes;
  if (!isRight) {
    // The server renames segments it needs no more to names of the future.
    throw walMissing(name, 'the file of that name holds something else');
  }
  return { name, path, stat };
}

/** @throws HintError `wal-missing` when the server has taken the file for something else meanwhile */
export async function assertStillThere({ name, path, stat }: WalSegment): Promise<void> {
  if ((await statSegment(path, name)).ino !== stat.ino) {
    throw walMissing(name, 'it was recycled while it was read');
  }
}

/** Names of the files that tell where timelines branched off, oldest first. */
export async function historyFiles(directory: string): Promise<string[]> {
  return (await readdir(directory)).filter((name) => HISTORY.test(name)).toSorted();
}

async function statSegment(path: string, name: string): Promise<BigIntStats> {
  try {
    return await lstat(path, { bigint: true });
  } catch (error) {
    throw walMissing(name, 'the server has removed it', error);
  }
}

function walMissing(name: string, reason: string, cause?: unknown): HintError {
  return new HintError(`cannot back up: the WAL segment ${name} is missing: ${reason}`, {
    code: 'wal-missing',
    hint: 'raise max_slot_wal_keep_size, or set it to -1, and try again',
    cause,
  });
}
