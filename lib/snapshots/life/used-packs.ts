/** Which packs a snapshot needs, from its index alone. */
import { damagedError } from '../errors.ts';
import type { PackName } from '../format.ts';
import { parseIndexLine } from '../index-lines.ts';
import { type IndexSource, readIndexTexts } from '../index-reader.ts';
import { resolveChunkPrefix } from '../manifest.ts';

export interface UsedPacks {
  /** Where they lie; ends with `/`. */
  readonly chunkPrefix: string;
  readonly packs: readonly PackName[];
}

/**
 * Takes apart only the lines that name packs, so a large index costs little.
 * @throws SnapshotError `damaged` when a part of the index is missing, altered, or holds something unknown
 */
export async function usedPacks(source: IndexSource): Promise<UsedPacks> {
  const packs = new Map<string, PackName>();
  for await (const { object, text } of readIndexTexts(source)) {
    for (const pack of packsIn(text)) {
      if (pack === undefined) {
        const key = `${source.artefactPath}${object}`;
        throw damagedError(source.artefactPath, key, 'holds a line that is not valid');
      }
      packs.set(pack.id, pack);
    }
  }
  return {
    chunkPrefix: resolveChunkPrefix(source.artefactPath, source.manifest.chunks),
    packs: [...packs.values()],
  };
}

// Whatever begins otherwise may name a pack: overlooking one would lose it.
const OTHER_LINE = /\{"(?:chunk|entry|end)":/y;

function* packsIn(text: string): Iterable<PackName | undefined> {
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf('\n', start);
    const stop = newline === -1 ? text.length : newline;
    OTHER_LINE.lastIndex = start;
    if (!OTHER_LINE.test(text)) {
      const named: PackName[] = [];
      parseIndexLine(text.slice(start, stop), named);
      yield named[0];
    }
    start = stop + 1;
  }
}
