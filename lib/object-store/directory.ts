/** Objects as plain files below a directory: for storage without S3, portable copies and tests. */
import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { hasErrorCode, syncDirectory } from '#system';
import { decodeName, encodeKey } from './directory-names.ts';
import { invalidRangeError, notFoundError, ObjectStoreError, quoteKey } from './errors.ts';
import { assertKey, compareKeys } from './keys.ts';
import type {
  ByteRange,
  FolderItem,
  ListOptions,
  ObjectInfo,
  ObjectStore,
  OperationOptions,
  PutOptions,
} from './object-store.ts';

/**
 * A store of files below `directory`, which is created when first written to.
 * Writes are atomic and durable. Keys become file names (see README.md for the encoding); unlike on S3
 * a key cannot be an object and a folder at once.
 */
export function createDirectoryObjectStore(directory: string): ObjectStore {
  return new DirectoryObjectStore(directory);
}

class DirectoryObjectStore implements ObjectStore {
  readonly description: string;
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
    this.description = `directory ${directory}`;
  }

  async get(key: string, options: OperationOptions = {}): Promise<Uint8Array> {
    options.signal?.throwIfAborted();
    return await this.#translate('read', key, async () => {
      const handle = await open(this.#pathOf(key), 'r');
      try {
        return await handle.readFile({ signal: options.signal });
      } finally {
        await handle.close();
      }
    });
  }

  async getRange(
    key: string,
    range: ByteRange,
    options: OperationOptions = {},
  ): Promise<Uint8Array> {
    options.signal?.throwIfAborted();
    return await this.#translate('read', key, async () => {
      const handle = await open(this.#pathOf(key), 'r');
      try {
        const buffer = Buffer.allocUnsafe(range.length);
        const { bytesRead } = await handle.read(buffer, 0, range.length, range.offset);
        if (bytesRead < range.length) {
          throw invalidRangeError(this.description, key, range);
        }
        return buffer;
      } finally {
        await handle.close();
      }
    });
  }

  async put(key: string, data: Uint8Array, options: PutOptions = {}): Promise<void> {
    await this.#write(key, data, options, async (temporary, path) => {
      await rename(temporary, path);
    });
  }

  async putIfAbsent(
    key: string,
    data: Uint8Array,
    options: PutOptions = {},
  ): Promise<'created' | 'exists'> {
    try {
      await this.#write(key, data, options, link);
      return 'created';
    } catch (error) {
      if (hasErrorCode(error, 'EEXIST')) {
        return 'exists';
      }
      throw error;
    }
  }

  async head(
    key: string,
    options: OperationOptions = {},
  ): Promise<{ readonly size: number } | undefined> {
    options.signal?.throwIfAborted();
    try {
      const found = await stat(this.#pathOf(key));
      return found.isFile() ? { size: found.size } : undefined;
    } catch (error) {
      if (isMissing(error)) {
        return undefined;
      }
      throw this.#failure('look up', key, error);
    }
  }

  async *list(prefix: string, options: ListOptions = {}): AsyncIterable<ObjectInfo> {
    for await (const key of this.#walk('', prefix, options)) {
      const after = options.startAfter === undefined || compareKeys(key, options.startAfter) > 0;
      const info = after ? await this.#inspect(key) : undefined;
      if (info !== undefined) {
        yield info;
      }
    }
  }

  async *listFolder(prefix: string, options: OperationOptions = {}): AsyncIterable<FolderItem> {
    const parent = prefix.slice(0, prefix.lastIndexOf('/') + 1);
    if (parent !== '' && encodeKey(parent.slice(0, -1)) === undefined) {
      return;
    }
    for (const name of await this.#children(parent)) {
      options.signal?.throwIfAborted();
      if (!name.startsWith(prefix)) {
        continue;
      }
      if (!name.endsWith('/')) {
        const info = await this.#inspect(name);
        yield* info === undefined ? [] : [{ kind: 'object' as const, ...info }];
      } else if (await this.#holdsObjects(name)) {
        yield { kind: 'folder', prefix: name };
      }
    }
  }

  async delete(keys: readonly string[], options: OperationOptions = {}): Promise<void> {
    for (const key of keys) {
      options.signal?.throwIfAborted();
      try {
        await rm(this.#pathOf(key), { force: true });
      } catch (error) {
        throw this.#failure('delete', key, error);
      }
    }
  }

  async #write(
    key: string,
    data: Uint8Array,
    options: PutOptions,
    publish: (temporary: string, path: string) => Promise<void>,
  ): Promise<void> {
    options.signal?.throwIfAborted();
    const path = this.#pathOf(key);
    // A leading dot never begins an encoded name, so listings do not show temporary files.
    const temporary = join(dirname(path), `.${randomBytes(8).toString('hex')}.tmp`);
    try {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      await writeSynced(temporary, data);
      await publish(temporary, path);
      await syncDirectory(dirname(path));
    } catch (error) {
      throw hasErrorCode(error, 'EEXIST') ? error : this.#failure('write', key, error);
    } finally {
      await rm(temporary, { force: true });
    }
  }

  /** Keys below a folder in order, entering only folders that can hold the prefix. */
  async *#walk(folder: string, prefix: string, options: ListOptions): AsyncIterable<string> {
    for (const name of await this.#children(folder)) {
      options.signal?.throwIfAborted();
      if (name.endsWith('/')) {
        if (name.startsWith(prefix) || prefix.startsWith(name)) {
          yield* this.#walk(name, prefix, options);
        }
      } else if (name.startsWith(prefix)) {
        yield name;
      }
    }
  }

  /** Keys and folders (with their slash) directly in a folder, in key order. */
  async #children(folder: string): Promise<string[]> {
    const path = folder === '' ? this.#directory : this.#pathOf(folder.slice(0, -1));
    try {
      const entries = await readdir(path, { withFileTypes: true });
      return entries
        .flatMap((entry) => {
          const name = decodeName(entry.name);
          const known = name !== undefined && (entry.isFile() || entry.isDirectory());
          return known ? [`${folder}${name}${entry.isDirectory() ? '/' : ''}`] : [];
        })
        .toSorted(compareKeys);
    } catch (error) {
      if (isMissing(error)) {
        return [];
      }
      throw this.#failure('list', folder, error);
    }
  }

  async #holdsObjects(folder: string): Promise<boolean> {
    for await (const _ of this.#walk(folder, folder, {})) {
      return true;
    }
    return false;
  }

  async #inspect(key: string): Promise<ObjectInfo | undefined> {
    try {
      const found = await stat(this.#pathOf(key));
      return { key, size: found.size, modifiedAt: found.mtime };
    } catch (error) {
      if (isMissing(error)) {
        return undefined;
      }
      throw this.#failure('look up', key, error);
    }
  }

  #pathOf(key: string): string {
    assertKey(key);
    const path = encodeKey(key);
    if (path === undefined) {
      throw new ObjectStoreError(
        `cannot store ${quoteKey(key)} in ${this.description}: a part of it is empty or too long for a file name`,
        { code: 'invalid-key', hint: 'choose another path for the storage', key },
      );
    }
    return join(this.#directory, path);
  }

  async #translate<T>(verb: string, key: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw this.#failure(verb, key, error);
    }
  }

  #failure(verb: string, key: string, error: unknown): unknown {
    if (error instanceof ObjectStoreError || hasErrorCode(error, 'ABORT_ERR')) {
      return error;
    }
    if (isMissing(error) || hasErrorCode(error, 'EISDIR')) {
      return notFoundError(this.description, key);
    }
    const reason = Error.isError(error) ? error.message : String(error);
    return new ObjectStoreError(
      `cannot ${verb} ${quoteKey(key)} in ${this.description}: ${reason}`,
      directoryAdvice(error, key),
    );
  }
}

function directoryAdvice(
  error: unknown,
  key: string,
): { code: 'access-denied' | 'storage-full' | 'storage-failed'; hint: string; key: string } {
  if (
    hasErrorCode(error, 'EACCES') ||
    hasErrorCode(error, 'EPERM') ||
    hasErrorCode(error, 'EROFS')
  ) {
    return { code: 'access-denied', hint: 'let this user write to the directory', key };
  }
  if (hasErrorCode(error, 'ENOSPC') || hasErrorCode(error, 'EDQUOT')) {
    return { code: 'storage-full', hint: 'free space in the directory', key };
  }
  return { code: 'storage-failed', hint: 'check the directory', key };
}

async function writeSynced(path: string, data: Uint8Array): Promise<void> {
  const handle = await open(path, 'wx', 0o600);
  try {
    await handle.writeFile(data);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function isMissing(error: unknown): boolean {
  return hasErrorCode(error, 'ENOENT') || hasErrorCode(error, 'ENOTDIR');
}
