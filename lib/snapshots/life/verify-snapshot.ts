/** Proves that a snapshot could be restored, as thoroughly as asked, and leaves a mark that says so. */
import { isObjectStoreError, type ObjectStore } from '#object-store';
import { type Clock, systemClock } from '#system';
import { normaliseArtefactPath } from '../artefact-path.ts';
import { isSnapshotError } from '../errors.ts';
import { type PackName, withBase } from '../format.ts';
import { readIndex } from '../index-reader.ts';
import { resolveChunkPrefix } from '../manifest.ts';
import { codingFor, loadManifest, type OpenOptions } from '../open-snapshot.ts';
import { forEachConcurrently } from '../ordered-map.ts';
import { readWholePack } from '../pack-reader.ts';
import { assertPacksPresent } from '../packs.ts';
import { SnapshotReader } from '../snapshot-reader.ts';
import type { SnapshotManifest, VerifyOptions } from '../types.ts';
import { DAMAGED_MARK, VERIFIED_MARK, writeMark } from './marks.ts';

/**
 * `structure`: manifest and index are sound, and every pack is there with its size. `sample`: and some packs, chosen at
 * random, hold what their names say. `full`: and every chunk decodes to what its id says.
 */
export type VerifyLevel = 'structure' | 'sample' | 'full';

export interface VerifySnapshotOptions extends VerifyOptions, OpenOptions {
  readonly level: VerifyLevel;
  /** Part of the stored bytes that a sample reads, above 0, at most 1; 0.05 unless told. At least one pack. */
  readonly sampleFraction?: number;
  /** Source of chance, 0 <= x < 1. */
  readonly random?: () => number;
  readonly clock?: Clock;
}

export interface VerifyReport {
  readonly artefactPath: string;
  readonly level: VerifyLevel;
  readonly manifest: SnapshotManifest;
  readonly packs: number;
  readonly storedBytes: number;
  /** Stored bytes that were read and compared. */
  readonly readBytes: number;
  readonly elapsedMs: number;
}

const SAMPLE_FRACTION = 0.05;
const READS_AT_ONCE = 3;

/**
 * A pass at level `sample` or `full` writes `verified.json`, a failure `damaged.json`.
 * @throws SnapshotError `damaged` naming the first object that is, or why there is no snapshot to verify;
 *   ObjectStoreError when the store does not answer, which says nothing about the snapshot
 */
export async function verifySnapshot(
  store: ObjectStore,
  path: string,
  options: VerifySnapshotOptions,
): Promise<VerifyReport> {
  const started = performance.now();
  const artefactPath = normaliseArtefactPath(path);
  const facts = { level: options.level, at: (options.clock ?? systemClock).now().toISOString() };
  try {
    const manifest = await loadManifest(store, artefactPath, options);
    const seen = await inspect(store, artefactPath, manifest, options);
    if (options.level !== 'structure') {
      const mark = `${artefactPath}${VERIFIED_MARK}`;
      await writeMark(store, mark, { ...facts, 'read-bytes': seen.readBytes }, options.signal);
    }
    const elapsedMs = Math.round(performance.now() - started);
    return { artefactPath, level: options.level, manifest, ...seen, elapsedMs };
  } catch (error) {
    if (isSnapshotError(error, 'damaged')) {
      const mark = `${artefactPath}${DAMAGED_MARK}`;
      // Credentials that may only read leave no mark; what is damaged must be told all the same.
      await writeMark(store, mark, { ...facts, message: error.message }, options.signal).catch(
        (cause: unknown) => {
          if (!isObjectStoreError(cause, 'access-denied')) {
            throw cause;
          }
        },
      );
    }
    throw error;
  }
}

async function inspect(
  store: ObjectStore,
  artefactPath: string,
  manifest: SnapshotManifest,
  options: VerifySnapshotOptions,
): Promise<{ packs: number; storedBytes: number; readBytes: number }> {
  const { signal, level } = options;
  const coding = codingFor(artefactPath, manifest, options.keys);
  const packs = new Map<string, PackName>();
  // The whole sequence, not only its pack lines: this is what a restore would follow.
  for await (const item of readIndex({ store, artefactPath, manifest, coding, signal })) {
    if (item.kind === 'chunk') {
      for (const { pack } of withBase(item.chunk)) {
        packs.set(pack.id, pack);
      }
    }
  }
  const chunkPrefix = resolveChunkPrefix(artefactPath, manifest.chunks);
  const place = { store, artefactPath, chunkPrefix, signal };
  await assertPacksPresent(place, packs.values());
  const storedBytes = sum([...packs.values()]);
  if (level === 'full') {
    await new SnapshotReader({ store, artefactPath, manifest, coding }).verify(options);
    return { packs: packs.size, storedBytes, readBytes: storedBytes };
  }
  const sample = level === 'sample' ? choose([...packs.values()], options) : [];
  await forEachConcurrently(sample, READS_AT_ONCE, async (pack) => {
    await readWholePack(place, pack);
  });
  return { packs: packs.size, storedBytes, readBytes: sum(sample) };
}

/** Packs at random until they hold the part of the bytes that was asked for. */
function choose(packs: readonly PackName[], options: VerifySnapshotOptions): readonly PackName[] {
  const { sampleFraction = SAMPLE_FRACTION, random = Math.random } = options;
  const wanted = sum(packs) * sampleFraction;
  const shuffled = packs
    .map((pack) => ({ pack, rank: random() }))
    .toSorted((left, right) => left.rank - right.rank)
    .map(({ pack }) => pack);
  let bytes = 0;
  return shuffled.filter((pack) => {
    const isNeeded = bytes === 0 || bytes < wanted;
    bytes += isNeeded ? pack.size : 0;
    return isNeeded;
  });
}

function sum(packs: readonly PackName[]): number {
  return packs.reduce((bytes, { size }) => bytes + size, 0);
}
