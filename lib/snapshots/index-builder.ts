/** Collects index lines in order, and stores them part by part as soon as all packs they name have ids. */
import type { ChunkLocation } from './chunk-table.ts';
import { encode } from './codec.ts';
import { type Coding, sealedAs } from './coding.ts';
import { INDEX_PART_SIZE, sha256 } from './format.ts';
import type { EntryMetadata, IndexPart } from './types.ts';

export interface IndexBuilderOptions {
  readonly level: number | undefined;
  readonly coding: Coding;
  /** Stores one part under its name relative to the artefact path. */
  readonly store: (object: string, data: Uint8Array, sha256: string) => Promise<void>;
  readonly partSize?: number;
}

type PendingLine =
  | { readonly text: string }
  | { readonly id: string; readonly size: number; readonly location: ChunkLocation };

export class IndexBuilder {
  readonly parts: IndexPart[] = [];
  readonly #options: IndexBuilderOptions;
  readonly #partSize: number;
  #pending: PendingLine[] = [];
  #lines: string[] = [];
  #length = 0;
  #packNumbers = new Map<string, number>();

  constructor(options: IndexBuilderOptions) {
    this.#options = options;
    this.#partSize = options.partSize ?? INDEX_PART_SIZE;
  }

  entry(entry: EntryMetadata): void {
    this.#pending.push({ text: JSON.stringify(entryLine(entry)) });
  }

  chunk(id: string, size: number, location: ChunkLocation): void {
    this.#pending.push({ id, size, location });
  }

  end(size: number): void {
    this.#pending.push({ text: JSON.stringify({ end: size }) });
  }

  /** Lines that wait for a pack to be completed. */
  get waiting(): number {
    return this.#pending.length;
  }

  /** Moves on all lines up to the first that names an incomplete pack. */
  async flush(): Promise<void> {
    let done = 0;
    for (const line of this.#pending) {
      if ('location' in line && line.location.pack.id === undefined) {
        break;
      }
      this.#write(line);
      done += 1;
      if (this.#length >= this.#partSize) {
        await this.#storePart();
      }
    }
    if (done > 0) {
      this.#pending = this.#pending.slice(done);
    }
  }

  /** Stores what is left. All packs must be complete. */
  async finish(): Promise<readonly IndexPart[]> {
    await this.flush();
    if (this.#lines.length > 0 || this.parts.length === 0) {
      await this.#storePart();
    }
    return this.parts;
  }

  #write(line: PendingLine): void {
    if ('text' in line) {
      this.#push(line.text);
      return;
    }
    const { id, size, location } = line;
    const base = location.base && {
      chunk: location.base.id,
      ...this.#place(location.base.location),
    };
    this.#push(JSON.stringify({ chunk: id, size, ...this.#place(location), base }));
  }

  /** Where a chunk lies; names its pack first, where this part has not yet. */
  #place({ pack, at, stored, as }: ChunkLocation) {
    const id = pack.id ?? '';
    let number = this.#packNumbers.get(id);
    if (number === undefined) {
      number = this.#packNumbers.size;
      this.#packNumbers.set(id, number);
      this.#push(JSON.stringify({ pack: id, size: pack.size }));
    }
    return { pack: number, at, stored, as };
  }

  #push(text: string): void {
    this.#lines.push(text);
    this.#length += text.length + 1;
  }

  async #storePart(): Promise<void> {
    const text = Buffer.from(this.#lines.map((line) => `${line}\n`).join(''));
    const encoded = await encode(text, this.#options.level);
    const number = String(this.parts.length).padStart(6, '0');
    const { coding } = this.#options;
    const isSealed = coding.keyId !== undefined;
    const object = `index-${number}.jsonl${encoded.as === 'zstd' ? '.zst' : ''}${isSealed ? '.enc' : ''}`;
    const data = coding.seal(encoded.data, sealedAs.index(object));
    const digest = sha256(data);
    await this.#options.store(object, data, digest);
    this.parts.push({
      object,
      size: data.length,
      sha256: digest,
      encoding: encoded.as,
      contentSize: text.length,
    });
    this.#lines = [];
    this.#length = 0;
    this.#packNumbers = new Map();
  }
}

function entryLine(entry: EntryMetadata): Record<string, unknown> {
  const { kind, path, mtimeMs, mode, uid, gid, owner, group, target, fingerprint } = entry;
  const times = { 'mtime-ms': mtimeMs };
  return { entry: kind, path, mode, uid, gid, owner, group, ...times, target, fingerprint };
}
