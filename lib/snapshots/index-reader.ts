/** Reads the index of a snapshot as a checked sequence of entries, chunks and ends. FORMAT.md#index-parts */
import { isObjectStoreError, type ObjectStore } from '#object-store';
import { decode } from './codec.ts';
import { type Coding, sealedAs } from './coding.ts';
import { damagedError, SnapshotError } from './errors.ts';
import { type ChunkRef, sha256 } from './format.ts';
import { type IndexLine, parseIndexLine } from './index-lines.ts';
import { orderedMap } from './ordered-map.ts';
import { PathRegistry } from './safe-path.ts';
import type { EntryMetadata, IndexPart, SnapshotManifest } from './types.ts';

export type IndexItem =
  | { readonly kind: 'entry'; readonly entry: EntryMetadata }
  | { readonly kind: 'chunk'; readonly chunk: ChunkRef; readonly offset: number }
  | { readonly kind: 'end'; readonly size: number };

export interface IndexSource {
  readonly store: ObjectStore;
  readonly artefactPath: string;
  readonly manifest: SnapshotManifest;
  readonly coding: Coding;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The whole index in order. Nothing is yielded that breaks the rules of the format.
 * @throws SnapshotError `damaged` naming the part, or `unsafe-entry`
 */
export async function* readIndex(source: IndexSource): AsyncIterable<IndexItem> {
  const checker = new SequenceChecker(source);
  for await (const { object, text } of readIndexTexts(source)) {
    yield* checker.readPart(object, text);
  }
  checker.finish();
}

/** The parts in order, as text that is what the manifest says. @throws SnapshotError `damaged` */
export async function* readIndexTexts(
  source: IndexSource,
): AsyncIterable<{ readonly object: string; readonly text: string }> {
  yield* orderedMap(toAsync(source.manifest.index), 2, async (part) => ({
    object: part.object,
    text: await readPart(source, part),
  }));
}

async function* toAsync<T>(items: readonly T[]): AsyncIterable<T> {
  yield* items;
}

async function readPart(source: IndexSource, part: IndexPart): Promise<string> {
  const key = `${source.artefactPath}${part.object}`;
  const damaged = (reason: string): SnapshotError => damagedError(source.artefactPath, key, reason);
  const data = await source.store.get(key, { signal: source.signal }).catch((error: unknown) => {
    throw isObjectStoreError(error, 'not-found') ? damaged('is missing') : error;
  });
  if (data.length !== part.size || sha256(data) !== part.sha256) {
    throw damaged('was altered: its checksum does not match');
  }
  try {
    const encoded = source.coding.unseal(data, sealedAs.index(part.object));
    return Buffer.from(await decode(part.encoding, encoded, part.contentSize)).toString('utf8');
  } catch {
    throw damaged('cannot be decoded');
  }
}

/** Puts lines together to items, and refuses what cannot follow what. */
class SequenceChecker {
  readonly #source: IndexSource;
  readonly #paths = new PathRegistry();
  /** Bytes so far of the file being described; undefined between files. */
  #filled: number | undefined;
  #entries = 0;
  #bytes = 0;

  constructor(source: IndexSource) {
    this.#source = source;
  }

  *readPart(object: string, text: string): Iterable<IndexItem> {
    const packs: { id: string; size: number }[] = [];
    for (let start = 0; start < text.length; ) {
      const newline = text.indexOf('\n', start);
      const stop = newline === -1 ? text.length : newline;
      const line = parseIndexLine(text.slice(start, stop), packs, this.#source.coding.overhead);
      start = stop + 1;
      if (line === undefined) {
        throw this.#damaged(object, 'holds a line that is not valid');
      }
      const item = this.#accept(object, line);
      if (item !== undefined) {
        yield item;
      }
    }
  }

  finish(): void {
    const { totals, index } = this.#source.manifest;
    const object = index.at(-1)?.object ?? 'manifest.json';
    if (
      this.#filled !== undefined ||
      this.#entries !== totals.entries ||
      this.#bytes !== totals.bytes
    ) {
      throw this.#damaged(object, 'ends too early: entries are missing');
    }
  }

  #accept(object: string, line: IndexLine): IndexItem | undefined {
    switch (line.kind) {
      case 'pack':
        return undefined;
      case 'entry':
        return this.#acceptEntry(object, line.entry);
      case 'chunk': {
        const offset = this.#require(object);
        this.#filled = offset + line.chunk.size;
        return { kind: 'chunk', chunk: line.chunk, offset };
      }
      case 'end': {
        if (this.#require(object) !== line.size) {
          throw this.#damaged(object, 'gives a file another size than its chunks');
        }
        this.#filled = undefined;
        this.#bytes += line.size;
        return line;
      }
    }
  }

  #acceptEntry(object: string, entry: EntryMetadata): IndexItem {
    if (this.#filled !== undefined) {
      throw this.#damaged(object, 'begins an entry within another');
    }
    this.#paths.add(entry.path, entry.kind);
    this.#entries += 1;
    this.#filled = entry.kind === 'file' || entry.kind === 'stream' ? 0 : undefined;
    return { kind: 'entry', entry };
  }

  #require(object: string): number {
    if (this.#filled === undefined) {
      throw this.#damaged(object, 'holds chunks of no file');
    }
    return this.#filled;
  }

  #damaged(object: string, reason: string): SnapshotError {
    const { artefactPath } = this.#source;
    return damagedError(artefactPath, `${artefactPath}${object}`, reason);
  }
}
