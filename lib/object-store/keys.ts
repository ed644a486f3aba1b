/** Rules for object keys that every store shares: what a key may be, their order, folders. */
import { ObjectStoreError, quoteKey } from './errors.ts';
import type { FolderItem, ObjectInfo } from './object-store.ts';

/** S3 allows keys of at most 1024 bytes of UTF-8. */
const MAX_KEY_BYTES = 1024;

/** @throws ObjectStoreError `invalid-key` for a key that some store could not hold. */
export function assertKey(key: string): void {
  const reason = keyProblem(key);
  if (reason !== undefined) {
    throw new ObjectStoreError(`cannot store ${quoteKey(key)}: ${reason}`, {
      code: 'invalid-key',
      hint: 'choose another path for the storage',
      key,
    });
  }
}

function keyProblem(key: string): string | undefined {
  if (key === '') {
    return 'the key is empty';
  }
  if (!key.isWellFormed() || key.includes('\0')) {
    return 'the key is not valid text';
  }
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) {
    return `the key is longer than ${MAX_KEY_BYTES} bytes`;
  }
  return undefined;
}

/** Order of the keys' UTF-8 bytes, as S3 lists them (not that of JavaScript's UTF-16 units). */
export function compareKeys(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}

/** Turns a full listing below `prefix` into one level of it. */
export async function* foldFolders(
  prefix: string,
  objects: AsyncIterable<ObjectInfo>,
): AsyncIterable<FolderItem> {
  let last: string | undefined;
  for await (const object of objects) {
    const slash = object.key.indexOf('/', prefix.length);
    if (slash === -1) {
      yield { kind: 'object', ...object };
      continue;
    }
    const folder = object.key.slice(0, slash + 1);
    if (folder !== last) {
      last = folder;
      yield { kind: 'folder', prefix: folder };
    }
  }
}
