/**
 * Writes a snapshot's tree into an empty directory, and makes it durable.
 * Nothing of the snapshot can steer a write elsewhere: paths are checked, files are created exclusively,
 * and symlinks come last, when nothing is written through them any more.
 */
import { lchown, lutimes, mkdir, open, readdir, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { hasErrorCode, syncDirectory } from '#system';
import { type ChunkSource, type FetchItem, fetchChunks } from './chunk-fetcher.ts';
import { deliver, type FileFinish, type WholeTarget } from './decoding/decode-work.ts';
import { SnapshotError } from './errors.ts';
import type { ChunkRef } from './format.ts';
import { readIndex } from './index-reader.ts';
import { forEachConcurrently } from './ordered-map.ts';
import { OwnerResolver, type Ownership } from './ownership.ts';
import { RestoredFile } from './restored-file.ts';
import { syncTree } from './sync-tree.ts';
import type { EntryMetadata, ReadSummary } from './types.ts';
import { WriteBack } from './write-back.ts';

export interface RestoreTreeOptions {
  readonly directory: string;
  readonly ownership?: Ownership;
  readonly onBytes: (bytes: number) => void;
  readonly select?: ((path: string) => boolean) | undefined;
  readonly pace?: ((bytes: number) => Promise<void>) | undefined;
}

/**
 * Up to so many files are synced one by one. One sync of the file system costs less for more of them, but waits for whatever
 * else the machine has written: half a minute where it is busy.
 */
const FILES_SYNCED_EACH = 256;

/** What a chunk belongs to: a file in several, or one that it is all of. */
type FileChunk =
  | { readonly file: RestoredFile; readonly offset: number }
  | { readonly whole: WholeTarget };

/** @throws SnapshotError; the directory then holds some of the tree and must not be used */
export async function restoreTree(
  source: ChunkSource,
  options: RestoreTreeOptions,
): Promise<ReadSummary> {
  await prepareDirectory(options.directory);
  const isSynced =
    options.select !== undefined || source.manifest.totals.files <= FILES_SYNCED_EACH;
  const owners = await OwnerResolver.create(options.ownership);
  const { select = () => true } = options;
  const tree = new TreeWriter(options.directory, { owners, isSynced, select });
  let bytes = 0;
  try {
    await fetchChunks(source, tree.follow(source), {
      targetOf: async ({ ref, context }) => {
        await options.pace?.(ref.size);
        return 'whole' in context ? context.whole : await context.file.target(context.offset);
      },
      onDone: async ({ ref, context }) => {
        if ('file' in context) {
          await context.file.written(ref.size);
        }
        bytes += ref.size;
        options.onBytes(ref.size);
      },
    });
    await tree.finish();
    await (isSynced ? tree.syncDirectories() : syncTree(options.directory));
  } finally {
    await tree.close();
  }
  return { ...tree.written, bytes };
}

async function prepareDirectory(directory: string): Promise<void> {
  await mkdir(directory, { mode: 0o700 }).catch((error: unknown) => {
    if (!hasErrorCode(error, 'EEXIST')) {
      throw error;
    }
  });
  const inside = await readdir(directory);
  if (inside.length > 0) {
    throw new SnapshotError(
      `cannot restore into ${JSON.stringify(directory)}: it is not empty (${JSON.stringify(inside[0])})`,
      { code: 'target-not-empty', hint: 'restore into an empty or new directory' },
    );
  }
}

/** A file whose lines of the index are being read. */
interface FileInIndex {
  readonly path: string;
  readonly finish: FileFinish;
  /** Its first chunk, until another comes. */
  first: ChunkRef | undefined;
  /** Opened for the second chunk. */
  file: RestoredFile | undefined;
}

class TreeWriter {
  readonly #root: string;
  readonly #owners: OwnerResolver;
  readonly #isSynced: boolean;
  readonly #select: (path: string) => boolean;
  readonly #written = { entries: 0, files: 0 };
  readonly #made = new Set<string>();
  readonly #directories: EntryMetadata[] = [];
  readonly #symlinks: EntryMetadata[] = [];
  readonly #files = new Set<RestoredFile>();
  readonly #writeBack = new WriteBack();

  constructor(
    root: string,
    options: {
      readonly owners: OwnerResolver;
      readonly isSynced: boolean;
      readonly select: (path: string) => boolean;
    },
  ) {
    this.#root = root;
    this.#select = options.select;
    this.#owners = options.owners;
    this.#isSynced = options.isSynced;
  }

  /** Creates directories as the index names them, and yields the chunks to fetch. */
  async *follow(source: ChunkSource): AsyncIterable<FetchItem<FileChunk>> {
    let current: FileInIndex | undefined;
    for await (const item of readIndex(source)) {
      if (item.kind === 'entry') {
        current = this.#select(item.entry.path) ? await this.#begin(item.entry) : undefined;
      } else if (item.kind === 'chunk' && current !== undefined) {
        yield* this.#addChunk(current, item.chunk, item.offset);
      } else if (item.kind === 'end' && current !== undefined) {
        yield* await this.#end(current, item.size);
      }
    }
  }

  /** What was made of the snapshot so far. */
  get written(): { readonly entries: number; readonly files: number } {
    return this.#written;
  }

  /** Symlinks, then metadata of directories, deepest first, since making things inside changes their times. */
  async finish(): Promise<void> {
    for (const entry of this.#symlinks) {
      await this.#makeSymlink(entry);
    }
    for (const entry of this.#directories.toReversed()) {
      await this.#finishDirectory(entry);
    }
  }

  /** Makes the names durable of files that were synced one by one. */
  async syncDirectories(): Promise<void> {
    const directories = ['.', ...this.#made];
    await forEachConcurrently(directories, 8, async (path) => {
      await syncDirectory(join(this.#root, path));
    });
    await syncDirectory(dirname(this.#root));
  }

  /** Closes what a failure left open. */
  async close(): Promise<void> {
    await forEachConcurrently([...this.#files], 8, async (file) => await file.discard());
  }

  async #begin(entry: EntryMetadata): Promise<FileInIndex | undefined> {
    const path = join(this.#root, entry.path);
    this.#written.entries += 1;
    if (entry.kind === 'directory') {
      await this.#makeDirectory(entry.path);
      this.#directories.push(entry);
      return undefined;
    }
    await this.#makeDirectory(parentOf(entry.path));
    if (entry.kind === 'symlink') {
      this.#symlinks.push(entry);
      return undefined;
    }
    this.#written.files += 1;
    const finish = {
      owner: this.#owners.ownerOf(entry),
      mode: entry.mode,
      mtimeMs: entry.mtimeMs,
      isSynced: this.#isSynced,
    };
    return { path, finish, first: undefined, file: undefined };
  }

  /** The first chunk waits, as it may be all there is. */
  *#addChunk(current: FileInIndex, ref: ChunkRef, offset: number): Iterable<FetchItem<FileChunk>> {
    if (offset === 0) {
      current.first = ref;
      return;
    }
    const file = current.file ?? this.#openFile(current);
    if (current.first !== undefined) {
      yield { ref: current.first, context: { file, offset: 0 } };
      current.first = undefined;
    }
    current.file = file;
    yield { ref, context: { file, offset } };
  }

  async #end(current: FileInIndex, size: number): Promise<FetchItem<FileChunk>[]> {
    const { path, finish, first, file } = current;
    await file?.expect(size);
    const whole: WholeTarget = { kind: 'whole', path, finish };
    if (size === 0) {
      deliver(whole, new Uint8Array());
    }
    return first === undefined ? [] : [{ ref: first, context: { whole } }];
  }

  #openFile({ path, finish }: FileInIndex): RestoredFile {
    const onClosed = (): void => void this.#files.delete(file);
    const file = new RestoredFile({ path, finish, writeBack: this.#writeBack, onClosed });
    this.#files.add(file);
    return file;
  }

  async #makeDirectory(path: string): Promise<void> {
    if (path === '.' || this.#made.has(path)) {
      return;
    }
    await this.#makeDirectory(parentOf(path));
    await mkdir(join(this.#root, path), { mode: 0o700 });
    this.#made.add(path);
  }

  async #makeSymlink(entry: EntryMetadata): Promise<void> {
    const path = join(this.#root, entry.path);
    await symlink(entry.target ?? '', path);
    const owner = this.#owners.ownerOf(entry);
    if (owner !== undefined) {
      await lchown(path, owner.uid, owner.gid);
    }
    if (entry.mtimeMs !== undefined) {
      await lutimes(path, entry.mtimeMs / 1000, entry.mtimeMs / 1000);
    }
  }

  async #finishDirectory(entry: EntryMetadata): Promise<void> {
    const handle = await open(join(this.#root, entry.path), 'r');
    try {
      const owner = this.#owners.ownerOf(entry);
      if (owner !== undefined) {
        await handle.chown(owner.uid, owner.gid);
      }
      if (entry.mode !== undefined) {
        await handle.chmod(entry.mode & 0o7777);
      }
      if (entry.mtimeMs !== undefined) {
        await handle.utimes(entry.mtimeMs / 1000, entry.mtimeMs / 1000);
      }
    } finally {
      await handle.close();
    }
  }
}

function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash === -1 ? '.' : path.slice(0, slash);
}
