/** A quick, honest answer to "would a backup to this storage work, and if not, why". */
import { randomUUID } from 'node:crypto';
import { ObjectStoreError, quoteKey } from './errors.ts';
import type { ObjectStore, OperationOptions } from './object-store.ts';

/**
 * Lists, writes, reads and deletes one small object below the store's own prefix.
 * @throws ObjectStoreError that names what is wrong and what to do.
 */
export async function checkStorage(
  store: ObjectStore,
  options: OperationOptions = {},
): Promise<void> {
  const key = `storage-check-${randomUUID()}`;
  const data = Buffer.from(`storage check ${key}\n`);
  // Listing comes first: with reading rights only, nothing must be left behind.
  for await (const _ of store.list('storage-check-', options)) {
    break;
  }
  await store.put(key, data, options);
  const back = await store.get(key, options);
  if (Buffer.compare(back, data) !== 0) {
    throw new ObjectStoreError(
      `cannot trust ${store.description}: ${quoteKey(key)} came back different from what was written`,
      { code: 'content-mismatch', hint: 'look for a proxy or cache in front of the storage', key },
    );
  }
  await store.delete([key], options);
}
