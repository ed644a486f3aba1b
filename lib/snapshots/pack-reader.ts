/** Two ways to get at bytes of packs: just the range wanted, or with the whole pack checked on first touch. */
import { isObjectStoreError, type ObjectStore } from '#object-store';
import { damagedError, type SnapshotError } from './errors.ts';
import { type PackName, packKey, sha256 } from './format.ts';

interface PackRange {
  readonly offset: number;
  readonly end: number;
}

export interface PackReaderOptions {
  readonly store: ObjectStore;
  readonly artefactPath: string;
  readonly chunkPrefix: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads a range of a pack; bytes that are all there is in their memory belong to the caller.
 * @throws SnapshotError `damaged` when the pack is missing or too short
 */
export type PackReader = (pack: PackName, range: PackRange) => Promise<Uint8Array>;

/** For restoring: reads no more than asked for. */
export function createRangeReader(options: PackReaderOptions): PackReader {
  return async (pack, { offset, end }) => {
    const range = { offset, length: end - offset };
    return await explain(options, pack, async (key) => {
      return await options.store.getRange(key, range, { signal: options.signal });
    });
  };
}

/** Whole packs kept at a time: one for each read under way; the chunks of one lie together in the index. */
const PACKS_KEPT = 5;

/**
 * For verifying: the first touch of a pack reads all of it and compares it with its name, so that also bytes
 * which decode to the right content by chance, or belong to no chunk, are found when they are wrong.
 */
export function createPackVerifier(options: PackReaderOptions): PackReader {
  const ranges = createRangeReader(options);
  const seen = new Set<string>();
  const kept = new Map<string, Promise<Uint8Array>>();
  return async (pack, range) => {
    if (!seen.has(pack.id)) {
      seen.add(pack.id);
      const whole = readWholePack(options, pack);
      // Its failure is seen below; a second reader of the pack sees it too.
      whole.catch(() => undefined);
      kept.set(pack.id, whole);
      const oldest = [...kept.keys()][0];
      if (kept.size > PACKS_KEPT && oldest !== undefined) {
        kept.delete(oldest);
      }
    }
    const data = await kept.get(pack.id);
    // A copy, as what is handed out changes hands, and others want the same pack. (A Buffer's slice would be a view.)
    return data === undefined
      ? await ranges(pack, range)
      : new Uint8Array(data.subarray(range.offset, range.end));
  };
}

/** A pack that is what its name says. @throws SnapshotError `damaged` */
export async function readWholePack(
  options: PackReaderOptions,
  pack: PackName,
): Promise<Uint8Array> {
  return await explain(options, pack, async (key) => {
    const data = await options.store.get(key, { signal: options.signal });
    if (data.length !== pack.size) {
      throw damaged(options, pack, `has ${data.length} bytes instead of ${pack.size}`);
    }
    if (sha256(data) !== pack.id) {
      throw damaged(options, pack, 'was altered: its checksum does not match');
    }
    return data;
  });
}

async function explain<T>(
  options: PackReaderOptions,
  pack: PackName,
  read: (key: string) => Promise<T>,
): Promise<T> {
  try {
    return await read(packKey(options.chunkPrefix, pack.id));
  } catch (error) {
    if (isObjectStoreError(error, 'not-found')) {
      throw damaged(options, pack, 'is missing');
    }
    if (isObjectStoreError(error, 'invalid-range')) {
      throw damaged(options, pack, 'is cut short');
    }
    throw error;
  }
}

function damaged(options: PackReaderOptions, pack: PackName, reason: string): SnapshotError {
  return damagedError(options.artefactPath, packKey(options.chunkPrefix, pack.id), reason);
}
