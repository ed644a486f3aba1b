/** What every object store can do. Implementations differ in where bytes lie, not in behaviour. */

export interface OperationOptions {
  /** Ends the operation early; it then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

export interface PutOptions extends OperationOptions {
  /** SHA-256 of the data in hex, where the caller knows it already; saves hashing them again. */
  readonly sha256?: string | undefined;
}

export interface ListOptions extends OperationOptions {
  /** Only keys after this one, in key order. */
  readonly startAfter?: string | undefined;
}

export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

export interface ObjectInfo {
  readonly key: string;
  readonly size: number;
  readonly modifiedAt: Date;
}

/** One level of a listing: an object, or a folder (key prefix ending in `/`) that holds more. */
export type FolderItem =
  | ({ readonly kind: 'object' } & ObjectInfo)
  | { readonly kind: 'folder'; readonly prefix: string };

/**
 * Named, immutable-in-practice blobs. Keys are non-empty strings, `/` is only a convention.
 * A reader sees a whole object or none. Listings come in order of the keys' UTF-8 bytes.
 * All methods throw ObjectStoreError, or the reason of an aborted signal.
 */
export interface ObjectStore {
  /** Where this is, for messages: for example `bucket "backups" at https://s3.example.com`. */
  readonly description: string;
  /**
   * The bytes belong to the caller alone, as with `getRange`.
   * @throws ObjectStoreError `not-found` when there is no such object.
   */
  get(key: string, options?: OperationOptions): Promise<Uint8Array>;
  /** Exactly the bytes asked for. @throws ObjectStoreError `invalid-range` when the object is shorter. */
  getRange(key: string, range: ByteRange, options?: OperationOptions): Promise<Uint8Array>;
  /** Creates or replaces. The data may be reused by the caller once this has settled, not before. */
  put(key: string, data: Uint8Array, options?: PutOptions): Promise<void>;
  /** Creates; of several callers exactly one gets `created`, and nothing existing is touched. */
  putIfAbsent(key: string, data: Uint8Array, options?: PutOptions): Promise<'created' | 'exists'>;
  head(key: string, options?: OperationOptions): Promise<{ readonly size: number } | undefined>;
  /** All objects whose key begins with the prefix. */
  list(prefix: string, options?: ListOptions): AsyncIterable<ObjectInfo>;
  /** Objects directly below the prefix, and the folders there, without descending into them. */
  listFolder(prefix: string, options?: OperationOptions): AsyncIterable<FolderItem>;
  /**
   * Removes objects; one that is not there is no error.
   * @throws ObjectStoreError `retained` when the store keeps one of them under a retention rule; the others are gone then
   */
  delete(keys: readonly string[], options?: OperationOptions): Promise<void>;
}
