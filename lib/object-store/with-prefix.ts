/** Shows the objects below one prefix of a store as a store of their own. */
import type { FolderItem, ListOptions, ObjectInfo, ObjectStore } from './object-store.ts';

/** @param prefix Put before every key as it is; end it with `/` to get a folder. */
export function withPrefix(store: ObjectStore, prefix: string): ObjectStore {
  const strip = (key: string): string => key.slice(prefix.length);
  return {
    description: `${store.description}, below ${JSON.stringify(prefix)}`,
    get: async (key, options) => await store.get(prefix + key, options),
    getRange: async (key, range, options) => await store.getRange(prefix + key, range, options),
    put: async (key, data, options) => await store.put(prefix + key, data, options),
    putIfAbsent: async (key, data, options) => await store.putIfAbsent(prefix + key, data, options),
    head: async (key, options) => await store.head(prefix + key, options),
    async *list(below: string, options: ListOptions = {}): AsyncIterable<ObjectInfo> {
      const startAfter =
        options.startAfter === undefined ? {} : { startAfter: prefix + options.startAfter };
      for await (const object of store.list(prefix + below, { ...options, ...startAfter })) {
        yield { ...object, key: strip(object.key) };
      }
    },
    async *listFolder(below, options): AsyncIterable<FolderItem> {
      for await (const item of store.listFolder(prefix + below, options)) {
        yield item.kind === 'folder'
          ? { kind: 'folder', prefix: strip(item.prefix) }
          : { ...item, key: strip(item.key) };
      }
    },
    delete: async (keys, options) =>
      await store.delete(
        keys.map((key) => prefix + key),
        options,
      ),
  };
}
