/**
 * The files of the parent, walked beside the files being backed up: both come in the order of their paths, so that the
 * walk needs no memory. What comes in another order is not found, which costs reading it and never correctness.
 */
import type { ChunkLocation } from './chunk-table.ts';
import type { IndexItem } from './index-reader.ts';
import type { Parent } from './parent.ts';

/** One chunk of it; without a location its pack is gone. */
export interface ParentChunk {
  readonly id: string;
  readonly size: number;
  readonly location: ChunkLocation | undefined;
}

export interface ParentFile {
  readonly fingerprint: string | undefined;
  readonly chunks: AsyncIterableIterator<ParentChunk>;
}

export class ParentFiles {
  readonly #parent: Parent;
  readonly #items: AsyncIterator<IndexItem>;
  #current: IndexItem | undefined;
  #hasBegun = false;

  constructor(parent: Parent) {
    this.#parent = parent;
    this.#items = parent.items()[Symbol.asyncIterator]();
  }

  /** The parent's file of this path, if it has one; its chunks are to be read before the next is asked for. */
  async find(path: string): Promise<ParentFile | undefined> {
    if (!this.#hasBegun) {
      this.#hasBegun = true;
      await this.#next();
    }
    for (let item = this.#current; item !== undefined; item = this.#current) {
      if (item.kind !== 'entry') {
        await this.#next();
        continue;
      }
      const order = comparePaths(item.entry.path, path);
      if (order > 0) {
        return undefined;
      }
      await this.#next();
      if (order === 0) {
        return { fingerprint: item.entry.fingerprint, chunks: this.#chunks() };
      }
    }
    return undefined;
  }

  async close(): Promise<void> {
    await this.#items.return?.();
  }

  async *#chunks(): AsyncGenerator<ParentChunk, void, undefined> {
    while (this.#current?.kind === 'chunk') {
      const { chunk } = this.#current;
      await this.#next();
      yield { id: chunk.id, size: chunk.size, location: this.#parent.locate(chunk) };
    }
  }

  async #next(): Promise<void> {
    const next = await this.#items.next();
    this.#current = next.done === true ? undefined : next.value;
  }
}

/** Part by part, as the walk of a tree whose directories are sorted comes along. */
export function comparePaths(left: string, right: string): number {
  const [one, two] = [left.split('/'), right.split('/')];
  for (const [index, part] of one.entries()) {
    const other = two[index];
    if (other === undefined) {
      break;
    }
    const order = Buffer.compare(Buffer.from(part), Buffer.from(other));
    if (order !== 0) {
      return order;
    }
  }
  return one.length - two.length;
}
