/** A complete snapshot: listing, verifying, restoring, reading single files. */
import type { ObjectStore } from '#object-store';
import { ByteStream } from './byte-stream.ts';
import {
  type ChunkSource,
  type FetchItem,
  fetchChunks,
  fetchChunksInOrder,
  PACK_READS_IN_FLIGHT,
} from './chunk-fetcher.ts';
import type { Coding } from './coding.ts';
import { SnapshotError } from './errors.ts';
import type { ChunkRef } from './format.ts';
import { type IndexSource, readIndex } from './index-reader.ts';
import { usedPacks } from './life/used-packs.ts';
import { resolveChunkPrefix } from './manifest.ts';
import { createPackVerifier } from './pack-reader.ts';
import { assertPacksPresent } from './packs.ts';
import { restoreTree } from './restore-tree.ts';
import type {
  EntryContent,
  EntryInfo,
  EntryMetadata,
  ReadSummary,
  RestoreOptions,
  Snapshot,
  SnapshotManifest,
  VerifyOptions,
} from './types.ts';

interface Options {
  readonly signal?: AbortSignal | undefined;
}

export class SnapshotReader implements Snapshot {
  readonly artefactPath: string;
  readonly manifest: SnapshotManifest;
  readonly #store: ObjectStore;
  readonly #coding: Coding;
  readonly #chunkPrefix: string;

  constructor({ store, artefactPath, manifest, coding }: IndexSource) {
    this.#store = store;
    this.artefactPath = artefactPath;
    this.manifest = manifest;
    this.#coding = coding;
    this.#chunkPrefix = resolveChunkPrefix(artefactPath, manifest.chunks);
  }

  async *entries(options: Options = {}): AsyncIterable<EntryInfo> {
    let open: EntryMetadata | undefined;
    for await (const item of readIndex(this.#source(options))) {
      if (item.kind === 'entry') {
        open = item.entry;
        if (!isFile(open)) {
          yield { ...open, size: 0 };
        }
      } else if (item.kind === 'end' && open !== undefined) {
        yield { ...open, size: item.size };
      }
    }
  }

  async verify(options: VerifyOptions = {}): Promise<ReadSummary> {
    const source = this.#source(options);
    const count = this.#progress(options);
    const sink = { onDone: (item: FetchItem<undefined>): void => count(item.ref.size) };
    const reading = { read: createPackVerifier(source), limit: PACK_READS_IN_FLIGHT };
    await fetchChunks(source, allChunks(source), sink, reading);
    return this.#summary();
  }

  async restoreTo(options: RestoreOptions): Promise<ReadSummary> {
    const source = this.#source(options);
    // Before anything is written: what is gone, cut or grown is told at once, not after hours. Of some entries only it
    // is told when they are read: what else is damaged must not keep them back.
    if (options.select === undefined) {
      await assertPacksPresent({ ...source, mayNotList: true }, (await usedPacks(source)).packs);
    }
    return await restoreTree(source, { ...options, onBytes: this.#progress(options) });
  }

  /** The index is read twice side by side, because the size of an entry comes behind its chunks. */
  async *contents(options: Options = {}): AsyncIterable<EntryContent> {
    const source = this.#source(options);
    const bytes = new ByteStream(fetchChunksInOrder(source, allChunks(source)));
    try {
      for await (const entry of this.entries(options)) {
        yield { entry, content: bytes.take(entry.size) };
        await bytes.skip();
      }
    } finally {
      await bytes.close();
    }
  }

  async *read(path: string, options: Options = {}): AsyncIterable<Uint8Array> {
    const source = this.#source(options);
    const refs = await this.#chunksOf(path, options);
    const items = async function* (): AsyncIterable<FetchItem<undefined>> {
      yield* refs.map((ref) => ({ ref, context: undefined }));
    };
    for await (const pieces of fetchChunksInOrder(source, items())) {
      yield* pieces;
    }
  }

  async #chunksOf(path: string, options: Options): Promise<readonly ChunkRef[]> {
    let chunks: ChunkRef[] | undefined;
    for await (const item of readIndex(this.#source(options))) {
      if (item.kind === 'entry' && item.entry.path === path) {
        chunks = isFile(item.entry) ? [] : undefined;
      } else if (item.kind === 'chunk') {
        chunks?.push(item.chunk);
      } else if (item.kind === 'end' && chunks !== undefined) {
        return chunks;
      }
    }
    throw new SnapshotError(
      `cannot read ${JSON.stringify(path)} from backup ${JSON.stringify(this.artefactPath)}: it holds no such file`,
      {
        code: 'no-such-entry',
        hint: 'list the entries of the backup',
        artefactPath: this.artefactPath,
      },
    );
  }

  #source(options: Options): ChunkSource {
    return {
      store: this.#store,
      artefactPath: this.artefactPath,
      chunkPrefix: this.#chunkPrefix,
      manifest: this.manifest,
      coding: this.#coding,
      signal: options.signal,
    };
  }

  #progress(options: VerifyOptions): (bytes: number) => void {
    let bytesVerified = 0;
    const totalBytes = this.manifest.totals.bytes;
    return (bytes) => {
      bytesVerified += bytes;
      options.onProgress?.({ bytesVerified, totalBytes });
    };
  }

  #summary(): ReadSummary {
    const { entries, files, bytes } = this.manifest.totals;
    return { entries, files, bytes };
  }
}

/** Of all entries, in order. */
async function* allChunks(source: IndexSource): AsyncIterable<FetchItem<undefined>> {
  for await (const item of readIndex(source)) {
    if (item.kind === 'chunk') {
      yield { ref: item.chunk, context: undefined };
    }
  }
}

function isFile(entry: EntryMetadata): boolean {
  return entry.kind === 'file' || entry.kind === 'stream';
}
