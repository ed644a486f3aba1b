/** Makes a store misbehave on purpose, so that tests can prove what callers do about it. */
import { ObjectStoreError } from './errors.ts';
import type { FolderItem, ObjectInfo, ObjectStore } from './object-store.ts';

/** One call about to be made on the store. */
export interface StoreCall {
  readonly operation:
    | 'get'
    | 'getRange'
    | 'put'
    | 'putIfAbsent'
    | 'head'
    | 'list'
    | 'listFolder'
    | 'delete';
  /** The key, the prefix of a listing, or the first of the keys to delete. */
  readonly key: string;
  /** 1 for the first call of all, counting every operation. */
  readonly number: number;
}

/**
 * - `fail`: the call fails and does nothing.
 * - `lose-answer`: the call is carried out, then fails as if the connection had broken.
 * - `tamper`: data read pass through `change` before the caller gets them.
 * - `hide`: a listing leaves these keys out, as stores that are not consistent do.
 * - `wait`: the call waits for the promise first (to kill or abort something at that very moment).
 */
export type Fault =
  | { readonly kind: 'fail'; readonly error?: Error }
  | { readonly kind: 'lose-answer'; readonly error?: Error }
  | { readonly kind: 'tamper'; readonly change: (data: Uint8Array) => Uint8Array }
  | { readonly kind: 'hide'; readonly isHidden: (key: string) => boolean }
  | { readonly kind: 'wait'; readonly until: () => Promise<void> };

/** Decides for each call what goes wrong; undefined lets it pass. */
export type FaultPlan = (call: StoreCall) => Fault | undefined;

/** The same store under a plan of faults. */
export function withFaults(store: ObjectStore, plan: FaultPlan): ObjectStore {
  let number = 0;
  const next = (operation: StoreCall['operation'], key: string): Fault | undefined => {
    number += 1;
    return plan({ operation, key, number });
  };
  return {
    description: store.description,
    get: async (key, o) => await read(next('get', key), async () => await store.get(key, o)),
    getRange: async (key, range, o) =>
      await read(next('getRange', key), async () => await store.getRange(key, range, o)),
    put: async (key, data, o) =>
      await run(next('put', key), async () => await store.put(key, data, o)),
    putIfAbsent: async (key, data, o) =>
      await run(next('putIfAbsent', key), async () => await store.putIfAbsent(key, data, o)),
    head: async (key, o) => await run(next('head', key), async () => await store.head(key, o)),
    list: (prefix, o) => iterate(next('list', prefix), store.list(prefix, o)),
    listFolder: (prefix, o) => iterate(next('listFolder', prefix), store.listFolder(prefix, o)),
    delete: async (keys, o) =>
      await run(next('delete', keys[0] ?? ''), async () => await store.delete(keys, o)),
  };
}

async function read(
  fault: Fault | undefined,
  work: () => Promise<Uint8Array>,
): Promise<Uint8Array> {
  const data = await run(fault, work);
  return fault?.kind === 'tamper' ? fault.change(new Uint8Array(data)) : data;
}

async function* iterate<T extends ObjectInfo | FolderItem>(
  fault: Fault | undefined,
  items: AsyncIterable<T>,
): AsyncIterable<T> {
  await run(fault?.kind === 'lose-answer' ? undefined : fault, async () => undefined);
  for await (const item of items) {
    if (!isHidden(item, fault)) {
      yield item;
    }
  }
  if (fault?.kind === 'lose-answer') {
    throw fault.error ?? aFault();
  }
}

function isHidden(item: ObjectInfo | FolderItem, fault: Fault | undefined): boolean {
  return fault?.kind === 'hide' && fault.isHidden('key' in item ? item.key : item.prefix);
}

async function run<T>(fault: Fault | undefined, work: () => Promise<T>): Promise<T> {
  if (fault?.kind === 'wait') {
    await fault.until();
  }
  if (fault?.kind === 'fail') {
    throw fault.error ?? aFault();
  }
  const result = await work();
  if (fault?.kind === 'lose-answer') {
    throw fault.error ?? aFault();
  }
  return result;
}

function aFault(): ObjectStoreError {
  return new ObjectStoreError('cannot talk to the store: injected fault', {
    code: 'unavailable',
    transient: true,
    unanswered: true,
  });
}
