/** Objects in this process's memory: for tests, and as the plainest statement of the contract. */
import { invalidRangeError, notFoundError } from './errors.ts';
import { assertKey, compareKeys, foldFolders } from './keys.ts';
import type {
  ByteRange,
  FolderItem,
  ListOptions,
  ObjectInfo,
  ObjectStore,
  OperationOptions,
  PutOptions,
} from './object-store.ts';

interface StoredObject {
  readonly data: Uint8Array;
  readonly modifiedAt: Date;
}

/** A store that lives and dies with this process. */
export function createMemoryObjectStore(options: { readonly now?: () => Date } = {}): ObjectStore {
  return new MemoryObjectStore(options.now ?? (() => new Date()));
}

class MemoryObjectStore implements ObjectStore {
  readonly description = 'memory';
  readonly #objects = new Map<string, StoredObject>();
  readonly #now: () => Date;

  constructor(now: () => Date) {
    this.#now = now;
  }

  async get(key: string, options: OperationOptions = {}): Promise<Uint8Array> {
    options.signal?.throwIfAborted();
    return copy(this.#find(key).data);
  }

  async getRange(
    key: string,
    range: ByteRange,
    options: OperationOptions = {},
  ): Promise<Uint8Array> {
    options.signal?.throwIfAborted();
    const { data } = this.#find(key);
    if (range.offset + range.length > data.length) {
      throw invalidRangeError(this.description, key, range);
    }
    return copy(data.subarray(range.offset, range.offset + range.length));
  }

  async put(key: string, data: Uint8Array, options: PutOptions = {}): Promise<void> {
    options.signal?.throwIfAborted();
    assertKey(key);
    this.#objects.set(key, { data: copy(data), modifiedAt: this.#now() });
  }

  async putIfAbsent(
    key: string,
    data: Uint8Array,
    options: PutOptions = {},
  ): Promise<'created' | 'exists'> {
    options.signal?.throwIfAborted();
    if (this.#objects.has(key)) {
      return 'exists';
    }
    await this.put(key, data, options);
    return 'created';
  }

  async head(
    key: string,
    options: OperationOptions = {},
  ): Promise<{ readonly size: number } | undefined> {
    options.signal?.throwIfAborted();
    const object = this.#objects.get(key);
    return object === undefined ? undefined : { size: object.data.length };
  }

  async *list(prefix: string, options: ListOptions = {}): AsyncIterable<ObjectInfo> {
    const keys = [...this.#objects.keys()].filter((key) => key.startsWith(prefix));
    for (const key of keys.toSorted(compareKeys)) {
      options.signal?.throwIfAborted();
      const object = this.#objects.get(key);
      const after = options.startAfter === undefined || compareKeys(key, options.startAfter) > 0;
      if (object !== undefined && after) {
        yield { key, size: object.data.length, modifiedAt: object.modifiedAt };
      }
    }
  }

  listFolder(prefix: string, options: OperationOptions = {}): AsyncIterable<FolderItem> {
    return foldFolders(prefix, this.list(prefix, options));
  }

  async delete(keys: readonly string[], options: OperationOptions = {}): Promise<void> {
    options.signal?.throwIfAborted();
    for (const key of keys) {
      this.#objects.delete(key);
    }
  }

  #find(key: string): StoredObject {
    const object = this.#objects.get(key);
    if (object === undefined) {
      throw notFoundError(this.description, key);
    }
    return object;
  }
}

/** A real copy: `slice` of a Buffer would share its memory. */
function copy(data: Uint8Array): Uint8Array {
  return new Uint8Array(data);
}
