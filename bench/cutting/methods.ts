/**
 * Ways of cutting files into chunks, each fed with the same files: what a backup would have to store that the backup before
 * it had not, and how big its index would be.
 */
import { hash } from 'node:crypto';
import { constants, zstdCompressSync } from 'node:zlib';

export interface Stored {
  /** Compressed bytes of chunks the backup before did not hold. */
  readonly newBytes: number;
  /** Compressed bytes of the whole index: every backup has its own. */
  readonly indexBytes: number;
  readonly chunks: number;
}

export interface Method {
  readonly name: string;
  /** A file as it is now; every backup gives all files. */
  file(path: string, content: Buffer): void;
  /** Ends one backup; the next is compared with it. */
  finish(): Stored;
}

interface Known {
  readonly line: string;
}

export interface MethodOptions {
  /** zstd level. */
  readonly level: number;
}

/** Every method of the table, coarse to fine. */
export function allMethods(options: MethodOptions): readonly Method[] {
  const fixed = [1024, 512, 256, 128, 64, 32, 16, 8].map(
    (kib) => new Pieces(`fixed ${kib} KiB`, { ...options, cut: fixedCuts(kib * 1024) }),
  );
  const defined = [512, 128, 64].map(
    (kib) => new Pieces(`content-defined ${kib} KiB`, { ...options, cut: definedCuts(kib * 1024) }),
  );
  const framed = [64, 32, 16].map(
    (kib) =>
      new Pieces(`fixed ${kib} KiB in frames of 256`, {
        ...options,
        cut: fixedCuts(kib * 1024),
        frame: 256 * 1024,
      }),
  );
  const deltas = [
    [256, 8],
    [256, 16],
    [256, 32],
    [512, 16],
  ].map(([chunk = 0, page = 0]) => new PageDeltas(chunk * 1024, page * 1024, options));
  return [...fixed, ...defined, ...framed, ...deltas];
}

type Cut = (content: Buffer) => Iterable<Buffer>;

/** Collects index lines in the form FORMAT.md gives them, and compresses them as parts are. */
class IndexText {
  readonly #level: number;
  #lines: string[] = [];
  #length = 0;
  #bytes = 0;

  constructor(level: number) {
    this.#level = level;
  }

  add(line: string): void {
    this.#lines.push(line);
    this.#length += line.length;
    if (this.#length > 4 * 1024 * 1024) {
      this.#flush();
    }
  }

  finish(): number {
    this.#flush();
    const bytes = this.#bytes;
    this.#bytes = 0;
    return bytes;
  }

  #flush(): void {
    this.#bytes += compressedSize(Buffer.from(this.#lines.join('\n')), this.#level);
    this.#lines = [];
    this.#length = 0;
  }
}

/** Each piece has an id, and is compressed by itself or together with its new neighbours. */
class Pieces implements Method {
  readonly name: string;
  readonly #options: MethodOptions & { readonly cut: Cut; readonly frame?: number };
  readonly #index: IndexText;
  #before = new Map<string, Known>();
  #now = new Map<string, Known>();
  #newBytes = 0;
  #chunks = 0;
  #frame: Buffer[] = [];
  #frameBytes = 0;
  #at = 0;

  constructor(
    name: string,
    options: MethodOptions & { readonly cut: Cut; readonly frame?: number },
  ) {
    this.name = name;
    this.#options = options;
    this.#index = new IndexText(options.level);
  }

  file(path: string, content: Buffer): void {
    this.#index.add(JSON.stringify({ entry: 'file', path, mode: 384, 'mtime-ms': 1_700_000_000 }));
    for (const piece of this.#options.cut(content)) {
      this.#piece(piece);
    }
    this.#index.add(JSON.stringify({ end: content.length }));
  }

  finish(): Stored {
    this.#flush();
    const stored = {
      newBytes: this.#newBytes,
      indexBytes: this.#index.finish(),
      chunks: this.#chunks,
    };
    this.#before = this.#now;
    this.#now = new Map();
    this.#newBytes = 0;
    this.#chunks = 0;
    return stored;
  }

  #piece(piece: Buffer): void {
    const id = hash('sha256', piece, 'hex');
    this.#chunks += 1;
    let known = this.#now.get(id) ?? this.#before.get(id);
    if (known === undefined) {
      const { frame = 0 } = this.#options;
      if (this.#frameBytes + piece.length > Math.max(frame, piece.length)) {
        this.#flush();
      }
      this.#frame.push(piece);
      this.#frameBytes += piece.length;
      known = { line: JSON.stringify({ chunk: id, size: piece.length, pack: 0, at: this.#at }) };
    }
    this.#now.set(id, known);
    this.#index.add(known.line);
  }

  #flush(): void {
    const stored = compressedSize(Buffer.concat(this.#frame), this.#options.level);
    this.#newBytes += stored;
    this.#at += stored;
    this.#frame = [];
    this.#frameBytes = 0;
  }
}

/** Truncated hash of a page: enough to tell that it changed, as the id of the chunk proves the result. */
const PAGE_HASH = 8;

/** A chunk that was there before is stored as its changed pages; hashes of pages lie beside the chunk in its pack. */
class PageDeltas implements Method {
  readonly name: string;
  readonly #chunkSize: number;
  readonly #pageSize: number;
  readonly #level: number;
  readonly #index: IndexText;
  #known = new Map<string, string>();
  #pages = new Map<string, Buffer>();
  #newBytes = 0;
  #chunks = 0;

  constructor(chunkSize: number, pageSize: number, { level }: MethodOptions) {
    this.name = `fixed ${chunkSize / 1024} KiB, deltas of ${pageSize / 1024}`;
    this.#chunkSize = chunkSize;
    this.#pageSize = pageSize;
    this.#level = level;
    this.#index = new IndexText(level);
  }

  file(path: string, content: Buffer): void {
    this.#index.add(JSON.stringify({ entry: 'file', path, mode: 384, 'mtime-ms': 1_700_000_000 }));
    for (let at = 0; at < content.length; at += this.#chunkSize) {
      this.#chunk(`${path}#${at}`, content.subarray(at, at + this.#chunkSize));
    }
  }

  finish(): Stored {
    const stored = {
      newBytes: this.#newBytes,
      indexBytes: this.#index.finish(),
      chunks: this.#chunks,
    };
    this.#newBytes = 0;
    this.#chunks = 0;
    return stored;
  }

  #chunk(place: string, chunk: Buffer): void {
    const id = hash('sha256', chunk, 'hex');
    this.#chunks += 1;
    let line = this.#known.get(id);
    if (line === undefined) {
      const hashes = this.#hashPages(chunk);
      const changed = this.#changedPages(chunk, hashes, this.#pages.get(place));
      const isDelta = changed.length * 2 <= chunk.length;
      const base = isDelta ? { base: hash('sha256', id, 'hex'), from: 12, pages: 'ff00ff00' } : {};
      this.#newBytes += compressedSize(isDelta ? changed : chunk, this.#level) + hashes.length;
      this.#pages.set(place, hashes);
      const at = this.#newBytes;
      line = JSON.stringify({ chunk: id, size: chunk.length, pack: 0, at, ...base });
    }
    this.#known.set(id, line);
    this.#index.add(line);
  }

  #hashPages(chunk: Buffer): Buffer {
    const hashes: Buffer[] = [];
    for (let at = 0; at < chunk.length; at += this.#pageSize) {
      const page = chunk.subarray(at, at + this.#pageSize);
      hashes.push(hash('sha256', page, 'buffer').subarray(0, PAGE_HASH));
    }
    return Buffer.concat(hashes);
  }

  #changedPages(chunk: Buffer, hashes: Buffer, before: Buffer = Buffer.alloc(0)): Buffer {
    const changed: Buffer[] = [];
    for (let page = 0; page * PAGE_HASH < hashes.length; page += 1) {
      const [from, to] = [page * PAGE_HASH, (page + 1) * PAGE_HASH];
      if (!hashes.subarray(from, to).equals(before.subarray(from, to))) {
        changed.push(chunk.subarray(page * this.#pageSize, (page + 1) * this.#pageSize));
      }
    }
    return Buffer.concat(changed);
  }
}

function fixedCuts(size: number): Cut {
  return function* cut(content) {
    for (let at = 0; at < content.length; at += size) {
      yield content.subarray(at, at + size);
    }
  };
}

/** Gear hash: cut where its top bits are zero, from half the average to four times it. */
function definedCuts(average: number): Cut {
  const mask = (average / 2 - 1) << (32 - Math.log2(average / 2));
  return function* cut(content) {
    let start = 0;
    while (start < content.length) {
      const end = nextCut(content, start, average, mask);
      yield content.subarray(start, end);
      start = end;
    }
  };
}

const GEAR = Int32Array.from({ length: 256 }, (_, byte) =>
  hash('sha256', Buffer.from([byte]), 'buffer').readInt32LE(0),
);

function nextCut(content: Buffer, start: number, average: number, mask: number): number {
  const last = Math.min(content.length, start + average * 4);
  let state = 0;
  for (let at = start + average / 2; at < last; at += 1) {
    state = ((state << 1) + (GEAR[content[at] ?? 0] ?? 0)) | 0;
    if ((state & mask) === 0) {
      return at + 1;
    }
  }
  return last;
}

function compressedSize(data: Buffer, level: number): number {
  const params = { [constants.ZSTD_c_compressionLevel]: level };
  const chunkSize = Math.max(1024, data.length + (data.length >> 8) + 128);
  return data.length === 0
    ? 0
    : Math.min(data.length, zstdCompressSync(data, { params, chunkSize }).length);
}
