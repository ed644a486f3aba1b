/** What every ObjectStore promises; each implementation runs this suite. */
import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { checkStorage, type ObjectStore, withPrefix } from '#object-store';

export interface ObjectStoreContractOptions {
  readonly name: string;
  /** An empty store; called once. */
  readonly create: () => Promise<{ store: ObjectStore; close?: () => Promise<void> }>;
  /** Declared differences, by test name. */
  readonly skip?: readonly { readonly test: string; readonly reason: string }[];
  /** Size of the big object; servers in slow surroundings may take less. */
  readonly bigObjectSize?: number;
}

const KEYS = [
  'plain',
  'with/slash',
  'ünï/cødé 😀',
  'a+b&c=d %41?#',
  'quote\'"<>',
  'dots/..hidden/.x',
];

/** Declares the suite. */
export function describeObjectStoreContract(options: ObjectStoreContractOptions): void {
  const skipped = new Set(options.skip?.map((item) => item.test));
  const it = (name: string, body: (store: ObjectStore) => Promise<void>): void => {
    (skipped.has(name) ? test.skip : test)(name, async () => {
      caseNumber += 1;
      await body(withPrefix(root, `case-${caseNumber}/`));
    });
  };
  let root: ObjectStore;
  let close: (() => Promise<void>) | undefined;
  let caseNumber = 0;

  describe(`object store contract: ${options.name}`, () => {
    beforeAll(async () => {
      ({ store: root, close } = await options.create());
    }, 60_000);
    afterAll(async () => await close?.());

    it('gives back what was put, under any key', async (store) => {
      for (const key of KEYS) {
        await store.put(key, Buffer.from(`content of ${key}`));
      }
      for (const key of KEYS) {
        expect(text(await store.get(key))).toBe(`content of ${key}`);
      }
      expect((await keysOf(store, '')).toSorted()).toEqual([...KEYS].toSorted());
    });

    it('keeps an empty object', async (store) => {
      await store.put('empty', new Uint8Array(0));
      expect(await store.get('empty')).toHaveLength(0);
      expect(await store.head('empty')).toEqual({ size: 0 });
    });

    it('keeps a view of a larger buffer, not the buffer', async (store) => {
      const buffer = Buffer.from('0123456789');
      await store.put('view', buffer.subarray(3, 6));
      buffer.fill('x');
      expect(text(await store.get('view'))).toBe('345');
    });

    it('replaces an object on put', async (store) => {
      await store.put('k', Buffer.from('old and longer'));
      await store.put('k', Buffer.from('new'));
      expect(text(await store.get('k'))).toBe('new');
    });

    it('keeps a big object whole', async (store) => {
      const data = randomBytes(options.bigObjectSize ?? 64 * 1024 * 1024);
      const sha256 = createHash('sha256').update(data).digest('hex');
      await store.put('big', data, { sha256 });
      const back = await store.get('big');
      expect(createHash('sha256').update(back).digest('hex')).toBe(sha256);
    });

    it('reads exactly the range asked for', async (store) => {
      await store.put('k', Buffer.from('0123456789'));
      expect(text(await store.getRange('k', { offset: 0, length: 1 }))).toBe('0');
      expect(text(await store.getRange('k', { offset: 4, length: 3 }))).toBe('456');
      expect(text(await store.getRange('k', { offset: 9, length: 1 }))).toBe('9');
    });

    it('refuses a range beyond the end', async (store) => {
      await store.put('k', Buffer.from('0123456789'));
      for (const range of [
        { offset: 8, length: 3 },
        { offset: 10, length: 1 },
        { offset: 50, length: 5 },
      ]) {
        await expect(store.getRange('k', range)).rejects.toMatchObject({ code: 'invalid-range' });
      }
    });

    it('says not-found for a missing object, and names it', async (store) => {
      await expect(store.get('no/such')).rejects.toMatchObject({ code: 'not-found' });
      await expect(store.get('no/such')).rejects.toThrow('no/such');
      await expect(store.getRange('no/such', { offset: 0, length: 1 })).rejects.toMatchObject({
        code: 'not-found',
      });
      expect(await store.head('no/such')).toBeUndefined();
    });

    it('tells the size', async (store) => {
      await store.put('k', randomBytes(12_345));
      expect(await store.head('k')).toEqual({ size: 12_345 });
    });

    it('creates only what is not there', async (store) => {
      expect(await store.putIfAbsent('k', Buffer.from('first'))).toBe('created');
      expect(await store.putIfAbsent('k', Buffer.from('second'))).toBe('exists');
      expect(text(await store.get('k'))).toBe('first');
    });

    it('lets exactly one of many concurrent creators win', async (store) => {
      const outcomes = await Promise.all(
        Array.from({ length: 8 }, async (_, index) => ({
          index,
          outcome: await store.putIfAbsent('race', Buffer.from(`from ${index}`)),
        })),
      );
      const winners = outcomes.filter(({ outcome }) => outcome === 'created');
      expect(winners).toHaveLength(1);
      expect(text(await store.get('race'))).toBe(`from ${winners[0]?.index}`);
    });

    it('lists in key order, below a prefix, with sizes and times', async (store) => {
      for (const key of ['b', 'a/2', 'a/1', 'a-', 'a0', 'a/1/x', 'ab']) {
        // On file systems an object cannot be a folder too; see the skip list for that.
        await store.put(key === 'a/1/x' ? 'a/1x/y' : key, Buffer.from(key));
      }
      expect(await keysOf(store, '')).toEqual(['a-', 'a/1', 'a/1x/y', 'a/2', 'a0', 'ab', 'b']);
      expect(await keysOf(store, 'a/')).toEqual(['a/1', 'a/1x/y', 'a/2']);
      expect(await keysOf(store, 'a/1')).toEqual(['a/1', 'a/1x/y']);
      expect(await keysOf(store, 'nothing')).toEqual([]);
      for await (const object of store.list('a/2')) {
        expect(object.size).toBe(3);
        expect(Math.abs(Date.now() - object.modifiedAt.getTime())).toBeLessThan(120_000);
      }
    });

    it('goes on with a listing after a given key', async (store) => {
      for (const key of ['a', 'b/1', 'b/2', 'c']) {
        await store.put(key, Buffer.from(key));
      }
      expect(await keysOf(store, '', 'b/1')).toEqual(['b/2', 'c']);
      expect(await keysOf(store, 'b/', 'b/1')).toEqual(['b/2']);
      expect(await keysOf(store, '', 'bb')).toEqual(['c']);
    });

    it('lists one folder without what is deeper', async (store) => {
      for (const key of ['top', 'x/1', 'x/y/2', 'x/y/3', 'x/z/4', 'xx']) {
        await store.put(key, Buffer.from(key));
      }
      expect(await folderOf(store, '')).toEqual(['top', 'x/', 'xx']);
      expect(await folderOf(store, 'x/')).toEqual(['x/1', 'x/y/', 'x/z/']);
      expect(await folderOf(store, 'nothing/')).toEqual([]);
    });

    it('lists more objects than fit one page', async (store) => {
      const keys = Array.from(
        { length: 1100 },
        (_, index) => `n/${String(index).padStart(5, '0')}`,
      );
      for (let start = 0; start < keys.length; start += 50) {
        const batch = keys.slice(start, start + 50);
        await Promise.all(batch.map(async (key) => await store.put(key, Buffer.from('x'))));
      }
      expect(await keysOf(store, 'n/')).toEqual(keys);
      expect(await keysOf(store, '', 'n/01050')).toEqual(keys.slice(1051));
      await store.delete(keys);
      expect(await keysOf(store, 'n/')).toEqual([]);
    });

    it('holds an object whose key is also a folder', async (store) => {
      await store.put('a', Buffer.from('object'));
      await store.put('a/b', Buffer.from('below'));
      expect(await folderOf(store, '')).toEqual(['a', 'a/']);
    });

    it('deletes objects, also ones that are not there', async (store) => {
      await store.put('a', Buffer.from('a'));
      await store.put('d/b', Buffer.from('b'));
      await store.delete(['a', 'd/b', 'never/was']);
      await store.delete([]);
      expect(await keysOf(store, '')).toEqual([]);
      expect(await folderOf(store, '')).toEqual([]);
    });

    it('refuses keys that no store can hold', async (store) => {
      for (const key of ['x'.repeat(1025), 'nul\0', '\ud800']) {
        await expect(store.put(key, Buffer.from('x'))).rejects.toMatchObject({
          code: 'invalid-key',
        });
      }
    });

    it('ends with the reason of an aborted signal', async (store) => {
      const reason = new Error('stop');
      const signal = AbortSignal.abort(reason);
      await expect(store.get('k', { signal })).rejects.toBe(reason);
      await expect(store.put('k', Buffer.from('x'), { signal })).rejects.toBe(reason);
      await expect(store.putIfAbsent('k', Buffer.from('x'), { signal })).rejects.toBe(reason);
      await expect(store.head('k', { signal })).rejects.toBe(reason);
      await expect(store.delete(['k'], { signal })).rejects.toBe(reason);
      expect(await store.head('k')).toBeUndefined();
    });

    it('passes the storage check and keeps nothing of it', async (store) => {
      await checkStorage(store);
      expect(await keysOf(store, '')).toEqual([]);
    });
  });
}

function text(data: Uint8Array): string {
  return Buffer.from(data).toString('utf8');
}

async function keysOf(store: ObjectStore, prefix: string, startAfter?: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(prefix, startAfter === undefined ? {} : { startAfter })) {
    keys.push(key);
  }
  return keys;
}

async function folderOf(store: ObjectStore, prefix: string): Promise<string[]> {
  const items: string[] = [];
  for await (const item of store.listFolder(prefix)) {
    items.push(item.kind === 'folder' ? item.prefix : item.key);
  }
  return items.toSorted();
}
