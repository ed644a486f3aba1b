/** The digests of the pages of stored chunks, from the footers of their packs. FORMAT.md#packs */
import type { BaseChunk } from './chunk-table.ts';
import { type PackSource, readFooter } from './pack-footer.ts';

/** Neighbours in a file are neighbours in a pack. */
const PACKS_KEPT = 16;

type Digests = ReadonlyMap<string, string>;

export class PageDigests {
  readonly #source: PackSource;
  readonly #packs = new Map<string, Promise<Digests>>();

  constructor(source: PackSource) {
    this.#source = source;
  }

  /** The kept digests of a chunk's pages, or undefined where the pack does not tell them. */
  async of({ id, location }: BaseChunk): Promise<Uint8Array | undefined> {
    const { pack } = location;
    const digests = pack.id === undefined ? undefined : await this.#inPack(pack.id, pack.size);
    const text = digests?.get(id);
    return text === undefined ? undefined : Buffer.from(text, 'base64');
  }

  async #inPack(id: string, size: number): Promise<Digests> {
    const known = this.#packs.get(id);
    if (known !== undefined) {
      return await known;
    }
    const reading = this.#read(id, size);
    // Whoever waits for it sees its failure.
    reading.catch(() => undefined);
    this.#packs.set(id, reading);
    const oldest = [...this.#packs.keys()][0];
    if (this.#packs.size > PACKS_KEPT && oldest !== undefined) {
      this.#packs.delete(oldest);
    }
    return await reading;
  }

  /** What is damaged or gone tells nothing: chunks are then stored as a whole. */
  async #read(id: string, size: number): Promise<Digests> {
    const digests = new Map<string, string>();
    for (const { chunk, as, more } of (await readFooter(this.#source, { id, size })) ?? []) {
      if (as !== 'pages' && more !== undefined) {
        digests.set(chunk, more);
      }
    }
    return digests;
  }
}
