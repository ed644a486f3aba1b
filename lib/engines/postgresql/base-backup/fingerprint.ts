/** By what a later backup knows that a file is the one an earlier backup has read. Pure. */
import type { BigIntStats } from 'node:fs';

// Younger files may change again without a sign of it: time stamps have the grain of a timer tick,
// on some file systems of one or two seconds.
const SAFE_AGE_NS = 3_000_000_000n;

/** The cluster a file belongs to. */
export interface ClusterHistory {
  readonly systemIdentifier: string;
  readonly timeline: number;
}

/**
 * Differs from every earlier one unless the content is the same; `undefined` while that is not sure.
 * `stat` is from before the file was read, and asked for at `statedAtMs`.
 */
export function fingerprintOf(
  stat: Pick<BigIntStats, 'size' | 'mtimeNs' | 'ctimeNs' | 'ino'>,
  statedAtMs: number,
  { systemIdentifier, timeline }: ClusterHistory,
): string | undefined {
  const { size, mtimeNs, ctimeNs, ino } = stat;
  const safeBefore = BigInt(Math.floor(statedAtMs)) * 1_000_000n - SAFE_AGE_NS;
  if (mtimeNs >= safeBefore || ctimeNs >= safeBefore) {
    return undefined;
  }
  return [systemIdentifier, timeline, size, mtimeNs, ctimeNs, ino].join('/');
}
